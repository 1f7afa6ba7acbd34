"""Plain views that only answer reads."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.http import HttpRequest, HttpResponse

from apps.core.errors import MethodNotAllowed
from apps.core.http import envelope
from apps.core.http.client import address_of
from apps.core.http.error_pages import respond, write

READS = ("GET", "HEAD")
ALLOWED = (*READS, "OPTIONS")


def reads_only(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """Answer OPTIONS with the methods there are, and others with 405, both with ``Allow``, in the envelope."""

    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if request.method in READS:
            return view(request, *args, **kwargs)
        allow = {"Allow": ", ".join(ALLOWED)}
        if request.method == "OPTIONS":
            return write(request, 200, envelope.methods(ALLOWED, address_of(request)), allow)
        return respond(request, MethodNotAllowed(headers=allow))

    return guarded
