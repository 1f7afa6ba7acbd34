"""What happens around every request: its id, its log line, the rules of the edge, the headers of the answer."""

import time
import uuid
from collections.abc import Callable

import structlog
from django.conf import settings
from django.core.exceptions import DisallowedHost
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed

from apps.core import errors
from apps.core.http import error_pages
from apps.core.http.client import address_of, is_secure
from apps.core.http.observing import note_request

log = structlog.get_logger("flowize.request")
Handler = Callable[[HttpRequest], HttpResponse]

# What an answer depends on; the session that the admin's middleware looks at is none of it.
API_VARY = (
    "Accept", "Content-Type", "Authorization", "Authentication", "Client-Id", "Client-Secret", "X-Apikey", "X-App",
    "X-Scopes", "scopes", "X-Uuid", "uuid", "X-Flow", "X-Flow-Id",
)  # fmt: skip
# What the machines of the installation itself ask for, often past the proxy that has the certificate.
WITHOUT_TLS = ("/healthz", "/readyz", "/metrics")
STRICT_POLICY = "default-src 'none'; frame-ancestors 'none'"
PAGE_POLICY = "default-src 'none'; style-src 'self'; img-src 'self'; frame-ancestors 'none'"
# Alpine, which the admin's theme is written with, evaluates the expressions in its attributes.
ADMIN_POLICY = (
    "default-src 'self'; script-src 'self' 'unsafe-eval'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    "frame-ancestors 'none'; base-uri 'self'; form-action 'self'"
)


def request_context(get_response: Handler) -> Handler:
    """Give each request an id and one log line; neither the query nor secret parts of a path are logged."""

    def middleware(request: HttpRequest) -> HttpResponse:
        request.request_id = uuid.uuid4().hex  # type: ignore[attr-defined]
        structlog.contextvars.clear_contextvars()
        structlog.contextvars.bind_contextvars(request_id=request.request_id)  # type: ignore[attr-defined]
        if is_secure(request):
            request.META["wsgi.url_scheme"] = "https"
        started = time.monotonic()
        response = get_response(request)
        response["X-Request-Id"] = request.request_id  # type: ignore[attr-defined]
        match = request.resolver_match
        note_request(request, response, time.monotonic() - started)
        log.info(
            "request",
            method=request.method,
            route=match.route if match else None,
            status=response.status_code,
            address=address_of(request),
            ms=round((time.monotonic() - started) * 1000, 1),
        )
        return response

    return middleware


def api_errors(get_response: Handler) -> Handler:
    """Hold the rules of the API's edge, and mark its errors as not to be stored."""

    def middleware(request: HttpRequest) -> HttpResponse:
        if not error_pages.is_api(request):
            return get_response(request)
        refusal = _refusal(request)
        response = error_pages.respond(request, refusal) if refusal else get_response(request)
        if isinstance(response, HttpResponseNotAllowed):  # a plain view's own, without a body
            response = error_pages.respond(request, errors.MethodNotAllowed(headers={"Allow": response["Allow"]}))
        response.headers.setdefault("Cache-Control", "no-store" if response.status_code >= 400 else "private, no-cache")
        response["Vary"] = ", ".join((*API_VARY, *_also_asked(request)))
        return response

    return middleware


def _also_asked(request: HttpRequest) -> list[str]:
    """Other headers that the call was asked for (see ``parameters.one_of``)."""
    known = {name.lower() for name in API_VARY}
    return [name for name in getattr(request, "varies_by", ()) if name.lower() not in known]


def _refusal(request: HttpRequest) -> errors.FlowizeError | None:
    if settings.REQUIRE_HTTPS and not is_secure(request) and request.path_info not in WITHOUT_TLS:
        return errors.Forbidden("Calls must be made over HTTPS.")
    if len(request.META.get("QUERY_STRING", "")) > settings.QUERY_LIMIT:
        return errors.BadRequest(f"The URL parameters are longer than {settings.QUERY_LIMIT} characters.")
    try:
        request.get_host()  # a Host that is not ours is refused before anything is looked up
    except DisallowedHost:
        return errors.BadRequest("The Host header names no host of this installation.")
    return None


def security_policy(get_response: Handler) -> Handler:
    """Send a Content-Security-Policy: pages of the admin may run their own scripts, everything else nothing."""

    def middleware(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        response.headers.setdefault("Content-Security-Policy", _policy(request, response))
        return response

    return middleware


def _policy(request: HttpRequest, response: HttpResponse) -> str:
    if request.path_info.startswith("/admin/"):
        return ADMIN_POLICY
    return PAGE_POLICY if response.get("Content-Type", "").startswith("text/html") else STRICT_POLICY
