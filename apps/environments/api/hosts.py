"""The hosts of environments: the API alone on one, websites on another, a way to the admin on the third."""

from collections.abc import Callable

from django.conf import settings
from django.core.exceptions import DisallowedHost
from django.http import HttpRequest, HttpResponse
from django.http.request import split_domain_port
from django.urls import reverse

from apps.core import errors
from apps.core.http import error_pages
from apps.environments.hosts import Place, place_of

Handler = Callable[[HttpRequest], HttpResponse]
READS = ("GET", "HEAD")


def environment_hosts(get_response: Handler) -> Handler:
    """Answer what hosts of environments are asked, before anything of the installation itself is looked for."""

    def middleware(request: HttpRequest) -> HttpResponse:
        place = place_of(_host(request))
        if place is None:
            return get_response(request)
        if place.environment_id is None:
            return _refused(request, errors.NotFound("There is no such environment."))
        if place.kind == "api":
            return get_response(request) if error_pages.is_api(request) else _refused(request, errors.NotFound())
        return _to_admin(request, place)

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


def _to_admin(request: HttpRequest, place: Place) -> HttpResponse:
    """People manage an environment where they manage everything else."""
    if request.method not in READS:
        return _refused(request, errors.MethodNotAllowed(headers={"Allow": ", ".join(READS)}))
    page = reverse("admin:environments_environment_change", args=[place.environment_id])
    return HttpResponse(status=302, headers={"Location": settings.PUBLIC_URL + page, "Cache-Control": "no-store"})
