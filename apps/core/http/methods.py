"""Plain views that only answer reads."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.http import HttpRequest, HttpResponse

from apps.core.errors import MethodNotAllowed
from apps.core.http.error_pages import respond

READS = ("GET", "HEAD")


def reads_only(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """Answer other methods with 405 and ``Allow``, in the envelope."""

    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if request.method in READS:
            return view(request, *args, **kwargs)
        return respond(request, MethodNotAllowed(headers={"Allow": ", ".join(READS)}))

    return guarded
