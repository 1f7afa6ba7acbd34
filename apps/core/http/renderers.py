"""Writers of response bodies."""

from collections.abc import Mapping
from typing import Any

from rest_framework.renderers import BaseRenderer

from apps.core.jsonio import write_json


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
