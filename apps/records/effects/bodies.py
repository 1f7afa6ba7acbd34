"""Bodies of HTTP calls: what is sent, and what is made of what comes back."""

import base64
import json
from collections.abc import Callable, Mapping
from email.message import Message
from typing import Any
from urllib.parse import parse_qsl, urlencode

from apps.core.errors import BadRequest
from apps.core.jsonio import JSON, check_value, read_json
from apps.core.xmlio import NotPlain, read_xml, write_plain_xml
from apps.flows.engine.values import to_text
from apps.records.effects.unsendable import Unsendable

MOST_TEXT = 100_000
MOST_FIELDS = 10_000
# Not every codec of Python: some take long for what a stranger sends.
_CHARSETS = frozenset({"utf-8", "utf8", "us-ascii", "iso-8859-1", "latin-1", "iso-8859-15", "windows-1252", "utf-16"})


class BadAnswer(Exception):
    """The answer is not what its content type says; ``detail`` may repeat parts of it."""

    def __init__(self, kind: str, detail: str = "") -> None:
        self.message = f"The service says that it answers {kind}, which cannot be read."
        self.detail = detail
        super().__init__(self.message)


def write_body(config: Mapping[str, Any]) -> tuple[bytes, str]:
    """The body that a config asks for and its content type, both empty without one; raises Unsendable."""
    if "json" in config:
        return json.dumps(config["json"], ensure_ascii=False, allow_nan=False).encode(), "application/json"
    if "xml" in config:
        try:
            return write_plain_xml(config["xml"]), "application/xml"
        except NotPlain as fault:
            raise Unsendable("config", f"xml: {fault}.") from None
    if "form" in config:
        return encode_pairs(config["form"]).encode(), "application/x-www-form-urlencoded"
    return (config["text"].encode(), "text/plain; charset=utf-8") if "text" in config else (b"", "")


def encode_pairs(pairs: Mapping[str, Any]) -> str:
    """Parameters of a query or a form: null is left out, a list is repeated."""
    found = [
        (name, to_text(item))
        for name, value in pairs.items()
        if value is not None
        for item in (value if isinstance(value, list) else [value])
    ]
    return urlencode(found)


def read_answer(content_type: str | None, body: bytes) -> JSON:
    """The value of an answer, after its content type; None for an empty one.

    JSON, XML and forms are read, texts kept as texts and other bytes as base64, both cut at 100,000 characters;
    without a content type it is JSON if it can be. Raises BadAnswer.
    """
    if not body:
        return None
    header = Message()
    header["Content-Type"] = content_type or "application/octet-stream"
    kind, charset = header.get_content_type(), str(header.get_param("charset", "utf-8")).lower()
    reader = _reader(kind if content_type else "")
    return reader(body, charset)


def _reader(kind: str) -> Callable[[bytes, str], JSON]:
    if kind in ("application/json", "text/json") or kind.endswith("+json"):
        return _json
    if kind in ("application/xml", "text/xml") or (kind.startswith("application/") and kind.endswith("+xml")):
        return _xml
    if kind == "application/x-www-form-urlencoded":
        return _form
    return _text if kind else _guess


def _json(body: bytes, charset: str) -> JSON:
    try:
        return read_json(body)
    except BadRequest as fault:
        raise BadAnswer("JSON", fault.message) from None


def _xml(body: bytes, charset: str) -> JSON:
    try:
        return read_xml(body if charset in ("utf-8", "utf8") else _decoded(body, charset))
    except UnicodeDecodeError:
        raise BadAnswer("XML", "Its charset is none that is read.") from None
    except BadRequest as fault:
        raise BadAnswer("XML", fault.message) from None


def _form(body: bytes, charset: str) -> JSON:
    found: dict[str, Any] = {}
    try:
        for name, value in parse_qsl(
            body.decode(), keep_blank_values=True, errors="strict", max_num_fields=MOST_FIELDS
        ):
            if name in found:
                found[name] = [*found[name], value] if isinstance(found[name], list) else [found[name], value]
            else:
                found[name] = value
        check_value(found)
    except (ValueError, BadRequest):
        raise BadAnswer("a form") from None
    return found


def _text(body: bytes, charset: str) -> JSON:
    try:
        return _decoded(body, charset).replace("\x00", "")[:MOST_TEXT]
    except UnicodeDecodeError:
        return base64.b64encode(body).decode()[:MOST_TEXT]


def _guess(body: bytes, charset: str) -> JSON:
    try:
        return read_json(body)
    except BadRequest:
        return _text(body, charset)


def _decoded(body: bytes, charset: str) -> str:
    if charset not in _CHARSETS:
        raise UnicodeDecodeError(charset[:40], body[:1], 0, 1, "not a charset that is read")
    return body.decode(charset)
