"""What reading and writing must agree on: the marks of types, the names, the escapes."""

import re

STRING, INTEGER, NUMBER, BOOLEAN, NULL, ARRAY, OBJECT, ESCAPED = (
    "string", "integer", "number", "boolean", "null", "array", "object", "escaped",
)  # fmt: skip
MARKS = frozenset({STRING, INTEGER, NUMBER, BOOLEAN, NULL, ARRAY, OBJECT, ESCAPED})

TYPE = "type"  # the attribute that holds a mark
ITEM = "item"  # the element of a list's entry
ENTRY = "entry"  # the element of a key that is no name; the key is in one of two attributes
KEY, ESCAPED_KEY = "name", "escaped"
ATTRIBUTE, TEXT = "@", "#text"

BLANK = " \t\r\n"
MOST_ATTRIBUTES = 200  # below what the reader takes; further ones are written as elements

# Letters that every edition of XML takes in names; a name that begins with "xml" belongs to the standard.
NAME = re.compile(r"(?!(?i:xml))[A-Za-z_À-ÖØ-öø-ÿ][A-Za-z0-9_.\-À-ÖØ-öø-ÿ]*")
_UNWRITABLE = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
_TO_ESCAPE = re.compile(r"[\\\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
_ESCAPE = re.compile(r"\\(?:\\|u([0-9A-Fa-f]{4}))?")


def is_writable(text: str) -> bool:
    """Whether XML 1.0 has a spelling for every character."""
    return _UNWRITABLE.search(text) is None


def escape(text: str) -> str:
    r"""Spell the characters that XML lacks as in JSON, ``\u0001``, and the backslash twice."""
    return _TO_ESCAPE.sub(lambda found: r"\\" if found[0] == "\\" else f"\\u{ord(found[0]):04x}", text)


def unescape(text: str) -> str:
    """Undo ``escape``; raises ``ValueError`` for a backslash that begins no escape."""
    return _ESCAPE.sub(_unescaped, text)


def _unescaped(found: re.Match[str]) -> str:
    if found[1]:
        return chr(int(found[1], 16))
    if found[0] == "\\":
        raise ValueError("a backslash begins no escape")
    return "\\"
