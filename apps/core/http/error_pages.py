"""Errors that arise outside the API's views: envelopes under the API's paths, pages elsewhere."""

import re
import sys
from collections.abc import Mapping
from typing import Any

import structlog
from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest, HttpResponse
from django.views import defaults

from apps.core import errors
from apps.core.http.client import address_of
from apps.core.http.exception_handler import as_flowize_error
from apps.core.http.formats import format_for
from apps.core.http.refusals import write_refusal

log = structlog.get_logger(__name__)

API_PATH = re.compile(r"^/(v1|o|\.well-known|healthz|readyz|metrics|demo/echo)(/|$)")


def is_api(request: HttpRequest) -> bool:
    """Whether errors of this path are answered in the envelope."""
    return API_PATH.match(request.path_info) is not None


def respond(request: HttpRequest, error: errors.FlowizeError) -> HttpResponse:
    """An error as a plain response."""
    accept, content_type = request.META.get("HTTP_ACCEPT", ""), request.META.get("CONTENT_TYPE", "")
    written = write_refusal(request.path_info, accept, content_type, error, address_of(request))
    return _plain(error.status, *written, error.headers)


def write(request: HttpRequest, status: int, document: Any, headers: Mapping[str, str]) -> HttpResponse:
    """A document as a plain response, in the format the caller gets elsewhere, too."""
    chosen = format_for(request.META.get("HTTP_ACCEPT", ""), request.META.get("CONTENT_TYPE", ""))
    return _plain(status, chosen.content_type, chosen.write(document), headers)


def _plain(status: int, content_type: str, body: bytes, headers: Mapping[str, str]) -> HttpResponse:
    # Some refusals never pass the middleware that would tell the length, and would go out in chunks.
    headers = {**headers, "Content-Length": str(len(body))}
    return HttpResponse(body, status=status, content_type=content_type, headers=headers)


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """400: a body over the limit, or what Django finds suspicious."""
    if not is_api(request):
        return defaults.bad_request(request, exception)
    if isinstance(exception, RequestDataTooBig):
        return respond(request, as_flowize_error(exception))
    return respond(request, errors.BadRequest())


def permission_denied(request: HttpRequest, exception: Exception) -> HttpResponse:
    """403."""
    return respond(request, errors.Forbidden()) if is_api(request) else defaults.permission_denied(request, exception)


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """404: no such path."""
    return respond(request, errors.NotFound()) if is_api(request) else defaults.page_not_found(request, exception)


def server_error(request: HttpRequest) -> HttpResponse:
    """500, or 503 while the database is away."""
    cause = sys.exc_info()[1] or Exception()
    error = as_flowize_error(cause)
    log.error("request failed", error=type(cause).__name__, exc_info=cause if error.status == 500 else None)
    if is_api(request) or error.status == 503:
        return respond(request, error)
    return defaults.server_error(request)


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """403: a form without its token."""
    from django.views.csrf import csrf_failure as page

    return respond(request, errors.Forbidden()) if is_api(request) else page(request, reason)
