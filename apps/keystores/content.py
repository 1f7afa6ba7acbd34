"""What a caller wants kept under a key, before it is known what kind of keystore it is for."""

from dataclasses import dataclass

from django.conf import settings

from apps.core.jsonio import JSON, Limits, check_value, read_json, write_json
from apps.keystores.models import Kind


@dataclass(frozen=True, slots=True)
class Document:
    """A document that was read already; ``source`` is what it was read from, where there is that.

    A RAW keystore keeps a document that is a string as that string, and of any other its source.
    """

    value: JSON
    source: bytes | None = None
    likely = Kind.JSON

    def kept_in(self, kind: Kind) -> str:
        """The JSON text to store."""
        if kind is Kind.JSON or isinstance(self.value, str):
            return write_json(self.value).decode()
        return _text((write_json(self.value) if self.source is None else self.source).decode())


@dataclass(frozen=True, slots=True)
class Text:
    """A text as it was sent; a JSON keystore takes it when it is JSON."""

    text: str
    likely = Kind.RAW

    def kept_in(self, kind: Kind) -> str:
        """The JSON text to store; raises ``BadRequest`` for what the keystore cannot keep."""
        if kind is Kind.RAW:
            return _text(self.text)
        return write_json(read_json(self.text, limits=Limits(depth=settings.JSON_DEPTH))).decode()


Content = Document | Text


def _text(text: str) -> str:
    check_value(text)
    return write_json(text).decode()
