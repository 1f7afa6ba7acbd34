"""Which format a caller is answered in."""

from collections.abc import Sequence
from typing import Any

from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.parsers import BaseParser
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request
from rest_framework.utils.mediatypes import media_type_matches

from apps.core.errors import NotAcceptable

MOST_RANGES = 32  # a browser sends about eight


class Negotiation(BaseContentNegotiation):
    """An explicit Accept wins, else the request's own Content-Type (also on GET), else the first renderer."""

    def select_parser(self, request: Request, parsers: Sequence[BaseParser]) -> BaseParser | None:  # type: ignore[override]
        """The parser of the body's Content-Type, or none."""
        content_type = request.content_type or ""
        return next((parser for parser in parsers if media_type_matches(parser.media_type or "", content_type)), None)

    def select_renderer(  # type: ignore[override]
        self, request: Request, renderers: Sequence[BaseRenderer], format_suffix: str | None = None
    ) -> tuple[BaseRenderer, str]:
        """The renderer and its media type; raises ``NotAcceptable`` when an explicit Accept names no format we have."""
        accept = request.META.get("HTTP_ACCEPT", "")
        chosen = self._accepted(accept, renderers) if accept.strip() else self._like_body(request, renderers)
        if chosen is None:
            raise NotAcceptable(f"Available formats: {', '.join(str(r.media_type) for r in renderers)}.")
        return chosen, str(chosen.media_type)

    def _accepted(self, accept: str, renderers: Sequence[BaseRenderer]) -> BaseRenderer | None:
        for media_type in self._ranges(accept):
            for renderer in renderers:
                if media_type in ("*/*", renderer.media_type) or self._covers(media_type, str(renderer.media_type)):
                    return renderer
        return None

    @staticmethod
    def _ranges(accept: str) -> list[str]:
        """The media ranges by falling quality; those of quality 0 are left out."""
        weighted: list[tuple[float, str]] = []
        for part in accept.split(",")[:MOST_RANGES]:
            media_type, *parameters = (piece.strip().lower() for piece in part.split(";"))
            weighted.append((_quality(parameters), media_type))
        return [media_type for quality, media_type in sorted(weighted, key=lambda item: -item[0]) if quality > 0]

    @staticmethod
    def _covers(media_range: str, media_type: str) -> bool:
        return media_range.endswith("/*") and media_type.startswith(media_range[:-1])

    @staticmethod
    def _like_body(request: Any, renderers: Sequence[BaseRenderer]) -> BaseRenderer:
        wanted = (request.content_type or "").partition(";")[0].strip().lower()
        return next((renderer for renderer in renderers if renderer.media_type == wanted), renderers[0])


def _quality(parameters: Sequence[str]) -> float:
    for parameter in parameters:
        if parameter.startswith("q="):
            try:
                return float(parameter[2:])
            except ValueError:
                return 0.0
    return 1.0
