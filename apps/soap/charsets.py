"""A message in UTF-8, whatever it came in: a mark tells the charset, else the Content-Type, else the declaration."""

import codecs
import re

from apps.core.errors import BadRequest, UnsupportedMediaType

# Each name that is read, with Python's codec for it; nothing else is, whatever Python might know.
CODECS = {
    "utf-8": "utf-8",
    "utf8": "utf-8",
    "us-ascii": "ascii",
    "ascii": "ascii",
    "iso-8859-1": "latin-1",
    "latin1": "latin-1",
    "utf-16": "utf-16",
    "utf-16le": "utf-16-le",
    "utf-16be": "utf-16-be",
}
_MARKS = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))
_DECLARATION = re.compile(rb"<\?xml\s[^>]{0,200}?\sencoding\s*=\s*[\"']([^\"'>]{0,80})[\"']")


def recode(body: bytes, charset: str | None) -> bytes:
    """The message in UTF-8; ``charset`` is what its Content-Type says.

    Raises ``UnsupportedMediaType`` for a charset in the Content-Type that is not read, ``BadRequest`` for one in the
    declaration, and for bytes that are not of it.
    """
    named = _codec_of_type(charset)
    for mark, codec in _MARKS:
        if body.startswith(mark):
            return _recoded(body[len(mark) :], codec)
    codec = named or _codec_of_declaration(body)
    return _recoded(body, _byte_order(body) if codec == "utf-16" else codec)


def _codec_of_type(charset: str | None) -> str | None:
    if charset is None:
        return None
    try:
        return CODECS[charset.strip().strip("\"'").lower()]
    except KeyError:
        raise UnsupportedMediaType("Supported charsets: utf-8, us-ascii, iso-8859-1, utf-16.") from None


def _codec_of_declaration(body: bytes) -> str:
    if body.startswith((b"<\0", b"\0<")):  # only utf-16 begins so
        return "utf-16"
    found = _DECLARATION.match(body)
    if found is None:
        return "utf-8"
    codec = CODECS.get(found[1].decode("latin-1").lower())
    if codec is None or codec.startswith("utf-16"):  # whose declaration could not have been read as bytes
        raise BadRequest("The document declares an encoding that is not read: use utf-8, us-ascii or iso-8859-1.")
    return codec


def _byte_order(body: bytes) -> str:
    return "utf-16-le" if body.startswith(b"<\0") else "utf-16-be"


def _recoded(body: bytes, codec: str) -> bytes:
    if body.isascii() and not codec.startswith("utf-16"):
        return body
    try:
        text = body.decode(codec)
    except UnicodeDecodeError as error:
        raise BadRequest(f"The document is not {codec}: byte {error.start + 1} cannot be read.") from None
    return body if codec == "utf-8" else text.encode()
