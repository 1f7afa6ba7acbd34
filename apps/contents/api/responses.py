"""A resource as an HTTP answer: conditions, ranges, HEAD, and the headers of content that is not ours."""

import re

from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseNotAllowed, StreamingHttpResponse
from django.utils.cache import get_conditional_response
from django.utils.http import escape_leading_slashes, http_date, parse_http_date_safe

from apps.contents import storage
from apps.contents.serving import Folder, Found, Resource

METHODS = ("GET", "HEAD")
WHOLE = 1024 * 1024
"""Bytes up to which a body is sent in one piece."""

# Content of a project may run its scripts, but is no part of the origin it is shown on: no cookies, no storage.
SANDBOX = "sandbox allow-forms allow-scripts allow-popups allow-modals allow-downloads; frame-ancestors 'self'"
OWN_HOST = "frame-ancestors 'self'"
_RANGE = re.compile(r"bytes=([0-9]{0,18})-([0-9]{0,18})\Z")


def respond(
    request: HttpRequest, found: Found, *, methods: tuple[str, ...] = METHODS, sandboxed: bool = False
) -> HttpResponseBase:
    """Send what was found: 200, 206, 301 to a folder's slash, 304, 404, 405, 412 or 416.

    ``sandboxed`` is for content on a host that also serves something else, such as the admin. 404 without a page of
    the site has no body of ours; ``methods`` are those of ``Allow``, of which this answers GET and HEAD.
    """
    if found is None:
        missing = HttpResponse("Not found.\n", status=404, content_type="text/plain; charset=utf-8")
        return _secured(missing, sandboxed)
    if request.method not in METHODS:
        return _secured(HttpResponseNotAllowed(methods), sandboxed)
    if isinstance(found, Folder):
        return _secured(_moved(request), sandboxed)
    return _secured(_answer(request, found), sandboxed)


def secured_page(html: str, status: int = 200, *, sandboxed: bool = False) -> HttpResponseBase:
    """A page of a project that is made for one request, such as the answer to a form."""
    return _secured(HttpResponse(html, status=status, headers={"Cache-Control": "no-store"}), sandboxed)


def _answer(request: HttpRequest, resource: Resource) -> HttpResponseBase:
    modified = int(resource.modified.timestamp())
    headers = {"ETag": resource.etag, "Last-Modified": http_date(modified), "Cache-Control": resource.cache_control}
    if resource.status == 200:
        full = HttpResponse(status=200, headers=headers)
        decided = get_conditional_response(request, resource.etag, modified, full)
        if decided is not full and decided is not None:
            for name, value in headers.items():
                decided.setdefault(name, value)
            return decided
        headers["Accept-Ranges"] = "bytes"
        if wanted := _wanted(request, resource, modified):
            return _part(request, resource, wanted, headers)
    return _body(request, resource, 0, resource.size, resource.status, headers)


def _part(
    request: HttpRequest, resource: Resource, wanted: tuple[int, int], headers: dict[str, str]
) -> HttpResponseBase:
    start, end = wanted
    if start >= end:
        return HttpResponse(status=416, headers=headers | {"Content-Range": f"bytes */{resource.size}"})
    headers["Content-Range"] = f"bytes {start}-{end - 1}/{resource.size}"
    return _body(request, resource, start, end - start, 206, headers)


def _body(
    request: HttpRequest, resource: Resource, start: int, length: int, status: int, headers: dict[str, str]
) -> HttpResponseBase:
    headers = headers | {"Content-Length": str(length), "Content-Type": resource.content_type}
    if request.method == "HEAD":
        return HttpResponse(status=status, headers=headers)
    if resource.content_id is None:
        return HttpResponse(resource.body[start : start + length], status=status, headers=headers)
    if length <= WHOLE:
        content = storage.read(resource.content_id, start, length)
        return HttpResponse(content, status=status, headers=headers)
    pieces = storage.slices(resource.content_id, start, length)
    return StreamingHttpResponse(pieces, status=status, headers=headers)


def _wanted(request: HttpRequest, resource: Resource, modified: int) -> tuple[int, int] | None:
    """The one range that was asked for as start and end, nothing for the whole; empty when there is no such part."""
    match = _RANGE.match(request.headers.get("Range", "")) if request.method == "GET" else None
    if match is None or match.group() == "bytes=-" or not _is_current(request, resource, modified):
        return None
    first, last = match.groups()
    if not first:
        return max(0, resource.size - int(last)), resource.size
    end = min(int(last) + 1, resource.size) if last else resource.size
    return None if last and int(last) < int(first) else (int(first), end)


def _is_current(request: HttpRequest, resource: Resource, modified: int) -> bool:
    """Whether a part may be added to what the client says it has."""
    condition = request.headers.get("If-Range")
    return condition is None or condition == resource.etag or parse_http_date_safe(condition) == modified


def _moved(request: HttpRequest) -> HttpResponseBase:
    # Two slashes at the beginning would name another host.
    location = escape_leading_slashes(request.get_full_path(force_append_slash=True))
    # Not for good: another mapping may put a page there.
    return HttpResponse(status=301, headers={"Location": location, "Cache-Control": "no-cache"})


def _secured(response: HttpResponseBase, sandboxed: bool) -> HttpResponseBase:
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["X-Frame-Options"] = "SAMEORIGIN"
    response.headers["Content-Security-Policy"] = SANDBOX if sandboxed else OWN_HOST
    if sandboxed:  # fonts and modules are asked for as from another origin
        response.headers["Access-Control-Allow-Origin"] = "*"
        response.headers["Cross-Origin-Resource-Policy"] = "cross-origin"
        response.headers["X-Robots-Tag"] = "noindex"
    return response
