"""Writers of response bodies."""

from collections.abc import Mapping
from typing import Any

from rest_framework.renderers import BaseRenderer

from apps.core.jsonio import write_json
from apps.core.xmlio import write_xml


class JSONRenderer(BaseRenderer):
    """Compact JSON in UTF-8, written by the canonical writer."""

    media_type = "application/json"
    format = "json"
    charset = None

    def render(
        self, data: Any, accepted_media_type: str | None = None, renderer_context: Mapping[str, Any] | None = None
    ) -> bytes:
        """The body; nothing for answers without one."""
        # Where its tag was made from it, and where null is the document and not the lack of one.
        encoded = getattr((renderer_context or {}).get("response"), "encoded", None)
        if encoded is not None:
            return encoded
        return b"" if data is None else write_json(data)


class XMLRenderer(BaseRenderer):
    """The same data as XML."""

    media_type = "application/xml"
    format = "xml"
    charset = "utf-8"

    def render(
        self, data: Any, accepted_media_type: str | None = None, renderer_context: Mapping[str, Any] | None = None
    ) -> bytes:
        """The body, or nothing."""
        return b"" if data is None else write_xml(data)


class TextXMLRenderer(XMLRenderer):
    """XML by its other name."""

    media_type = "text/xml"


class TextRenderer(BaseRenderer):
    """A text as it is, anything else as the text of its JSON; only for views that take it."""

    media_type = "text/plain"
    format = "txt"
    charset = "utf-8"

    def render(
        self, data: Any, accepted_media_type: str | None = None, renderer_context: Mapping[str, Any] | None = None
    ) -> bytes:
        """The body, or nothing."""
        if isinstance(data, str):
            return data.encode()
        return b"" if data is None else write_json(data)


class SVGRenderer(BaseRenderer):
    """A drawing, given as the text of its document; only for views that have one."""

    media_type = "image/svg+xml"
    format = "svg"
    charset = "utf-8"

    def render(
        self, data: Any, accepted_media_type: str | None = None, renderer_context: Mapping[str, Any] | None = None
    ) -> bytes:
        """The body, or nothing."""
        return b"" if data is None else str(data).encode()
