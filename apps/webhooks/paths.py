"""Dotted paths into a payload: ``order.lines.0.id`` is a key, a key, an index, a key."""

from typing import Any

from django.core.exceptions import ValidationError

from apps.core.jsonio import JSON

MOST_PARTS = 20
LONGEST_TEXT = 512


def validate_path(path: str) -> None:
    """Refuse a path with an empty part or too many of them."""
    parts = path.split(".")
    if not all(part.strip() for part in parts):
        raise ValidationError("Write the keys with one dot between them, such as order.id.")
    if len(parts) > MOST_PARTS:
        raise ValidationError(f"A path has at most {MOST_PARTS} parts.")


def text_at(path: str, payload: JSON) -> str:
    """The scalar at ``path`` as text: numbers as JSON writes them, truth values as ``true`` and ``false``.

    Empty for no path, for what is missing, null, an object, an array, or longer than 512 characters: a shortened
    identifier would match what it is not.
    """
    found: Any = payload if path else None
    for part in path.split("."):
        found = _step(found, part)
    text = _text(found)
    return text if len(text) <= LONGEST_TEXT else ""


def _step(value: Any, part: str) -> Any:
    if isinstance(value, dict):
        return value.get(part)
    if isinstance(value, list) and part.isascii() and part.isdecimal() and len(part) < 10 and int(part) < len(value):
        return value[int(part)]
    return None


def _text(value: Any) -> str:
    if value is None or isinstance(value, dict | list):
        return ""
    return str(value).lower() if isinstance(value, bool) else str(value)
