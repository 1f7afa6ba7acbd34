"""Readers of request bodies."""

from collections.abc import Mapping
from email.message import Message
from typing import IO, Any

from django.conf import settings
from rest_framework.parsers import BaseParser

from apps.core.errors import BadRequest, BodyTooLarge, UnsupportedMediaType
from apps.core.jsonio import Limits, check_value, read_json
from apps.core.xmlio import read_xml


def read_body(stream: IO[bytes]) -> bytes:
    """The whole body, or ``BodyTooLarge`` as soon as it is longer than the installation accepts."""
    body = stream.read(settings.BODY_LIMIT + 1)
    if len(body) > settings.BODY_LIMIT:
        raise BodyTooLarge(f"The request body is larger than {settings.BODY_LIMIT} bytes.")
    return body


def require_utf8(media_type: str | None) -> None:
    """Refuse every charset but UTF-8: other codecs are slow, surprising, or both."""
    header = Message()
    header["content-type"] = media_type or ""
    charset = header.get_param("charset")
    if charset is not None and str(charset).lower() not in ("utf-8", "utf8"):
        raise UnsupportedMediaType("Only the charset utf-8 is supported.")


class JSONParser(BaseParser):
    """JSON through the canonical reader."""

    media_type = "application/json"

    def parse(
        self,
        stream: IO[bytes],
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> Any:
        """The document of the body; raises ``BadRequest`` naming the place that cannot be read."""
        require_utf8(media_type)
        return read_json(read_body(stream), limits=Limits(depth=settings.JSON_DEPTH))


class XMLParser(BaseParser):
    """XML as the same values that JSON has."""

    media_type = "application/xml"

    def parse(
        self,
        stream: IO[bytes],
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> Any:
        """The document of the body; raises ``BadRequest`` with the line and column that cannot be read."""
        require_utf8(media_type)
        return read_xml(read_body(stream), limits=Limits(depth=settings.JSON_DEPTH))


class TextXMLParser(XMLParser):
    """XML by its other name."""

    media_type = "text/xml"


class TextParser(BaseParser):
    """A body that is one text; only for views that take it."""

    media_type = "text/plain"

    def parse(
        self,
        stream: IO[bytes],
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> Any:
        """The text; raises ``BadRequest`` when it is no UTF-8 or holds NUL."""
        require_utf8(media_type)
        try:
            text = read_body(stream).decode()
        except UnicodeDecodeError as error:
            raise BadRequest(f"The text is not UTF-8: byte {error.start + 1} cannot be read.") from None
        check_value(text)
        return text
