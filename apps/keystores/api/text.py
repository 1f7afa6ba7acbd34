"""Plain text, in which RAW keystores speak to the letter."""

from collections.abc import Mapping
from typing import IO, Any

from rest_framework.parsers import BaseParser
from rest_framework.renderers import BaseRenderer

from apps.core.errors import BadRequest
from apps.core.http.parsers import read_body, require_utf8
from apps.core.jsonio import write_json


class TextParser(BaseParser):
    """The body as one text, no character added or taken away."""

    media_type = "text/plain"

    def parse(  # type: ignore[override]
        self, stream: IO[bytes], media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> str:
        """The text; raises ``BadRequest`` when it is not UTF-8."""
        require_utf8(media_type)
        try:
            return read_body(stream).decode()
        except UnicodeDecodeError as error:
            raise BadRequest(f"The text is not UTF-8: byte {error.start + 1} cannot be read.") from None


class TextRenderer(BaseRenderer):
    """Texts as they are; whatever else, errors too, as JSON."""

    media_type = "text/plain"
    format = "text"
    charset = "utf-8"

    def render(
        self, data: Any, accepted_media_type: str | None = None, renderer_context: Mapping[str, Any] | None = None
    ) -> bytes:
        """The body; nothing for answers without one."""
        if data is None:
            return b""
        return data.encode() if isinstance(data, str) else write_json(data)
