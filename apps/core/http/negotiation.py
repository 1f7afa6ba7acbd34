"""Django REST framework's way of asking which format a call speaks."""

from collections.abc import Sequence
from typing import Any

from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.parsers import BaseParser
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request
from rest_framework.utils.mediatypes import media_type_matches

from apps.core.errors import NotAcceptable
from apps.core.http.formats import choose


class Negotiation(BaseContentNegotiation):
    """An explicit Accept wins, else the request's own Content-Type (also on GET), else the first renderer."""

    def select_parser(self, request: Request, parsers: Sequence[BaseParser]) -> BaseParser | None:  # type: ignore[override]
        """The parser of the body's Content-Type, or none."""
        content_type = request.content_type or ""
        return next((parser for parser in parsers if media_type_matches(parser.media_type or "", content_type)), None)

    def select_renderer(  # type: ignore[override]
        self, request: Any, renderers: Sequence[BaseRenderer], format_suffix: str | None = None
    ) -> tuple[BaseRenderer, str]:
        """The renderer and its media type; raises ``NotAcceptable`` when an explicit Accept names no format we have."""
        offered = {str(renderer.media_type): renderer for renderer in renderers}
        chosen = choose(request.META.get("HTTP_ACCEPT", ""), request.content_type or "", list(offered))
        if chosen is None:
            raise NotAcceptable(f"Available formats: {', '.join(offered)}.")
        return offered[chosen], chosen
