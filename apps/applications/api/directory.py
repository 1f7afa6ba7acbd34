"""``/v1/options``: what the API offers, read from the paths and methods that are served."""

from collections.abc import Iterator
from inspect import getdoc
from typing import Any

from django.urls import URLPattern, URLResolver, get_resolver
from django.utils.regex_helper import normalize
from rest_framework.request import Request
from rest_framework.response import Response

from apps.applications.api.openapi import DIRECTORY
from apps.core.http.openapi.operation import operation
from apps.core.http.viewsets import EnvelopeViewSet

ROOT = "v1/"


class DirectoryViewSet(EnvelopeViewSet):
    """The list of the API's methods; no credentials needed."""

    @operation(DIRECTORY)
    def list(self, request: Request) -> Response:
        """List the methods of the API."""
        return self.answer(list(endpoints()), "The methods of the API are listed.")

    def options(self, request: Any, *args: Any, **kwargs: Any) -> Response:
        """The list, as documented; ``Allow`` says what this path itself takes."""
        return self.list(request)


def endpoints() -> Iterator[dict[str, Any]]:
    """Each method of each path with its use and the scopes it asks for."""
    for path, pattern in _patterns(get_resolver(), "/"):
        if path.startswith(f"/{ROOT}"):
            yield from _methods(path, pattern.callback)


def _patterns(resolver: URLResolver, above: str) -> Iterator[tuple[str, URLPattern]]:
    for pattern in resolver.url_patterns:
        path = above + spelled(str(pattern.pattern))
        if isinstance(pattern, URLResolver):
            yield from _patterns(pattern, path)
        else:
            yield path, pattern


def spelled(pattern: str) -> str:
    """A path as people write it: ``^record/(?P<uuid>…)/?$`` is ``record/{uuid}``."""
    text, names = normalize(pattern)[0]
    return text % {name: f"{{{name}}}" for name in names}


def _methods(path: str, view: Any) -> Iterator[dict[str, Any]]:
    viewset, actions = getattr(view, "cls", None), getattr(view, "actions", None)
    for method, action in (actions or {}).items():
        if method != "head":
            scope = getattr(viewset, "required_scopes", {}).get(action)
            yield {
                "method": method.upper(),
                "endpoint": path,
                "usage": _usage(getattr(viewset, action)),
                "scopes": [scope] if scope else [],
            }


def _usage(act: Any) -> str:
    """The first sentence of what the method says of itself."""
    return " ".join((getdoc(act) or "").partition("\n\n")[0].split())
