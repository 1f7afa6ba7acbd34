"""The hosts of environments: the API alone on one, websites on another, a way to the admin on the third."""

from collections.abc import Callable

from django.conf import settings
from django.core.exceptions import DisallowedHost
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.http.request import split_domain_port
from django.urls import reverse

from apps.contents.api.responses import respond
from apps.contents.serving import Folder, Found, Resource, find_file, find_page
from apps.core import errors
from apps.core.http import error_pages
from apps.environments.api.pages import show_page
from apps.environments.hosts import place_of
from apps.environments.measuring import count_visit
from apps.environments.models import MappingType
from apps.environments.url_mapping import Target, find_target

Handler = Callable[[HttpRequest], HttpResponseBase]
READS = ("GET", "HEAD")
SEEN, HTML = (200, 304), "text/html"


def environment_hosts(get_response: Handler) -> Handler:
    """Answer what hosts of environments are asked, before anything of the installation itself is looked for."""

    def middleware(request: HttpRequest) -> HttpResponseBase:
        place = place_of(_host(request))
        if place is None:
            return get_response(request)
        if place.environment_id is None:
            return _refused(request, errors.NotFound("There is no such environment."))
        if place.kind == "api":
            return get_response(request) if error_pages.is_api(request) else _refused(request, errors.NotFound())
        if place.kind == "web":
            return _page(request, place.environment_id)
        return _to_admin(request, place.environment_id)

    return middleware


def _host(request: HttpRequest) -> str:
    try:
        return split_domain_port(request.get_host())[0]
    except DisallowedHost:
        return ""  # refused further on, as everywhere


def _refused(request: HttpRequest, error: errors.FlowizeError) -> HttpResponse:
    response = error_pages.respond(request, error)
    response["Cache-Control"] = "no-store"
    return response


def _page(request: HttpRequest, environment_id: int) -> HttpResponseBase:
    """A file of a mapped website, or a mapped page; forms need no token, since nobody is signed in on this host."""
    target = find_target(environment_id, request.path_info)
    if target and target.type == MappingType.HOSTED_PAGE:
        response, is_page = show_page(request, find_page(target.workspace_id, target.name)), True
    else:
        found = _file(target)
        response, is_page = respond(request, found), isinstance(found, Resource) and found.content_type.startswith(HTML)
    if is_page and request.method == "GET" and response.status_code in SEEN:
        count_visit(environment_id)  # files that belong to a page are no visits of their own
    return response


def _file(target: Target | None) -> Found:
    if target is None:
        return None
    return Folder() if target.bare else find_file(target.workspace_id, target.name, target.rest)


def _to_admin(request: HttpRequest, environment_id: int) -> HttpResponse:
    """People manage an environment where they manage everything else."""
    if request.method not in READS:
        return _refused(request, errors.MethodNotAllowed(headers={"Allow": ", ".join(READS)}))
    page = reverse("admin:environments_environment_change", args=[environment_id])
    return HttpResponse(status=302, headers={"Location": settings.PUBLIC_URL + page, "Cache-Control": "no-store"})
