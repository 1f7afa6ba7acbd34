"""Reading the forms that some senders deliver."""

from collections.abc import Mapping
from typing import IO, Any
from urllib.parse import parse_qsl

from django.conf import settings
from rest_framework.parsers import BaseParser

from apps.core.errors import BadRequest
from apps.core.http.parsers import read_body, require_utf8
from apps.core.jsonio import Limits, check_value

MOST_FIELDS = 1000


class FormParser(BaseParser):
    """A form as an object: each name with its text, one that comes several times with the list of its texts."""

    media_type = "application/x-www-form-urlencoded"

    def parse(
        self,
        stream: IO[bytes],
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> dict[str, Any]:
        """The object; raises ``BadRequest`` for what is not UTF-8, holds NUL or has over a thousand fields."""
        require_utf8(media_type)
        form: dict[str, list[str]] = {}
        for name, text in _pairs(read_body(stream)):
            form.setdefault(name, []).append(text)
        document = {name: texts[0] if len(texts) == 1 else texts for name, texts in form.items()}
        check_value(document, limits=Limits(depth=settings.JSON_DEPTH))
        return document


def _pairs(body: bytes) -> list[tuple[str, str]]:
    try:
        return parse_qsl(body.decode(), keep_blank_values=True, errors="strict", max_num_fields=MOST_FIELDS)
    except UnicodeDecodeError:
        raise BadRequest("The form is not UTF-8.") from None
    except ValueError:
        raise BadRequest(f"The form has more than {MOST_FIELDS} fields.") from None
