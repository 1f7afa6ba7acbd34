"""Calls that follow redirects: each hop is a call of its own to ``egress``, which judges its address anew."""

import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from urllib.parse import urljoin, urlsplit

from apps.core.egress import EgressError, EgressErrorCode, EgressPolicy, EgressRequest, EgressResponse, Resolver, fetch
from apps.core.egress import resolve as system_resolver

_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_PORTS = {"http": 80, "https": 443}
# All that another origin is told. What a flow writes into further headers may be a key of the one it meant to call.
_HARMLESS = frozenset({"accept", "accept-language", "content-type", "idempotency-key", "user-agent"})


@dataclass(frozen=True, slots=True)
class Credentials:
    """Headers that prove who is calling; they are sent to ``origin`` alone."""

    origin: str = ""
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)


def origin_of(url: str) -> str:
    """Scheme, host and port of a URL, as they are compared; "" for what has none."""
    try:
        parts = urlsplit(url)
        host = (parts.hostname or "").rstrip(".").encode("idna").decode().lower()
        port = parts.port or _PORTS[parts.scheme]
    except (ValueError, KeyError):
        return ""
    return f"{parts.scheme}://{host}:{port}" if host else ""


def follow(
    request: EgressRequest,
    policy: EgressPolicy,
    *,
    most: int = 0,
    credentials: Credentials | None = None,
    resolver: Resolver = system_resolver,
) -> EgressResponse:
    """Make one call and follow at most ``most`` redirects, all within the request's timeout.

    The redirect that is one too many, that leads nowhere, or from https to http, is the answer. Once it is on another
    origin than the first URL's, the call goes on without credentials and without the headers that may hold some, even
    if it comes back. Raises EgressError.
    """
    end = time.monotonic() + request.timeout
    home, at_home = origin_of(request.url), True
    while True:
        at_home = at_home and origin_of(request.url) == home
        headers = _own_headers(request, home, credentials) if at_home else _harmless_headers(request)
        response = fetch(replace(request, headers=headers), policy, resolver=resolver)
        target = _target(request.url, response)
        if most <= 0 or target is None:
            return response
        most -= 1
        left = end - time.monotonic()
        if left <= 0:
            raise EgressError(EgressErrorCode.TIMEOUT, "The redirects did not lead to an answer in time.")
        request = replace(_redirected(request, response.status), url=target, timeout=left)


def _own_headers(request: EgressRequest, home: str, credentials: Credentials | None) -> dict[str, str]:
    if credentials is None or not home or home != credentials.origin:
        return dict(request.headers)
    own = {name.lower() for name in credentials.headers}
    return {name: value for name, value in request.headers.items() if name.lower() not in own} | dict(
        credentials.headers
    )


def _harmless_headers(request: EgressRequest) -> dict[str, str]:
    return {name: value for name, value in request.headers.items() if name.lower() in _HARMLESS}


def _target(url: str, response: EgressResponse) -> str | None:
    location = response.header("location") if response.status in _REDIRECTS else None
    if not location:
        return None
    try:
        target = urljoin(url, location)
    except ValueError:
        return None
    return None if url.lower().startswith("https:") and not target.lower().startswith("https:") else target


def _redirected(request: EgressRequest, status: int) -> EgressRequest:
    """As browsers do: 303 asks for the other resource, 301 and 302 turn a POST into such a question."""
    method = request.method.upper()
    if (status == 303 and method != "HEAD") or (status in (301, 302) and method == "POST"):
        kept = {name: value for name, value in request.headers.items() if name.lower() != "content-type"}
        return replace(request, method="GET", body=b"", headers=kept)
    return request
