"""What each request tells the metrics."""

import re
from functools import lru_cache

from django.http import HttpRequest, HttpResponse

from apps.core import metrics

METHODS = frozenset({"GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE"})
ELSEWHERE, STATIC, ADMIN = "other", "static", "admin"


def note_request(request: HttpRequest, response: HttpResponse, seconds: float) -> None:
    """Count a request by its method, its route and the first digit of its status, and note how long it took."""
    method = request.method if request.method in METHODS else ELSEWHERE
    match = request.resolver_match
    route = route_name(match.route) if match else STATIC if request.path_info.startswith("/static/") else ELSEWHERE
    metrics.count("http_requests", str(method), route, f"{response.status_code // 100}xx")
    metrics.observe("http_request_seconds", seconds, route)


@lru_cache(maxsize=1024)
def route_name(route: str) -> str:
    """A route as people read it, ``/v1/record/{uuid}``; all of the admin is one."""
    if route.startswith("admin/"):
        return ADMIN
    plain = re.sub(r"\(\?P<(\w+)>(?:[^()]|\([^()]*\))*\)", r"{\1}", route)
    plain = re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", plain)
    return "/" + re.sub(r"[\^$?\\]|/\?", "", plain).rstrip("/")
