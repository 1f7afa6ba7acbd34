"""From a JSON value to XML that reads back as the same value, whatever its keys and strings hold."""

from typing import Any

from apps.core.jsonio import JSON, write_json
from apps.core.xmlio import marks

DECLARATION = '<?xml version="1.0" encoding="UTF-8"?>\n'


def write_xml(value: JSON, *, root: str = "response") -> bytes:
    """Write compact UTF-8; raises as ``write_json`` does for what is no JSON value."""
    parts = [DECLARATION]
    _write(parts, root, "", value)
    return "".join(parts).encode()


def _write(parts: list[str], tag: str, attributes: str, value: Any) -> None:
    """One element; ``attributes`` are those it has beside its mark."""
    if isinstance(value, str):  # also the members of enumerations
        _write_text(parts, tag, attributes, value)
    elif type(value) is dict:
        _write_object(parts, tag, attributes, value)
    elif type(value) is list:
        parts.append(f'<{tag}{attributes} {marks.TYPE}="{marks.ARRAY}">')
        for item in value:
            _write(parts, marks.ITEM, "", item)
        parts.append(f"</{tag}>")
    else:
        mark, text = _scalar(value)
        parts.append(f'<{tag}{attributes} {marks.TYPE}="{mark}">{text}</{tag}>')


def _scalar(value: Any) -> tuple[str, str]:
    if value is None:
        return marks.NULL, ""
    mark = {bool: marks.BOOLEAN, int: marks.INTEGER, float: marks.NUMBER}.get(type(value), "")
    return mark, write_json(value).decode()


def _write_text(parts: list[str], tag: str, attributes: str, text: str) -> None:
    if not marks.is_writable(text):
        attributes += f' {marks.TYPE}="{marks.ESCAPED}"'
        text = marks.escape(text)
    parts.append(f"<{tag}{attributes}>{content_text(text)}</{tag}>")


def _write_object(parts: list[str], tag: str, attributes: str, members: dict[str, Any]) -> None:
    if not members:
        parts.append(f'<{tag}{attributes} {marks.TYPE}="{marks.OBJECT}"></{tag}>')
        return
    inline = _inline(tag, members)
    pairs = "".join(f' {key[1:]}="{attribute_text(members[key])}"' for key in inline)
    text = _own_text(members)
    parts.append(f"<{tag}{attributes}{pairs}>{content_text(text)}")
    for key, value in members.items():
        if key not in inline and not (text and key == marks.TEXT):
            _write_member(parts, key, value)
    parts.append(f"</{tag}>")


def _write_member(parts: list[str], key: str, value: Any) -> None:
    if key != marks.ENTRY and marks.NAME.fullmatch(key):
        _write(parts, key, "", value)
    elif marks.is_writable(key):
        _write(parts, marks.ENTRY, f' {marks.KEY}="{attribute_text(key)}"', value)
    else:
        _write(parts, marks.ENTRY, f' {marks.ESCAPED_KEY}="{attribute_text(marks.escape(key))}"', value)


def _inline(tag: str, members: dict[str, Any]) -> list[str]:
    """The keys that are written as attributes: those that read back as what they are."""
    taken = (marks.KEY, marks.ESCAPED_KEY) if tag == marks.ENTRY else ()
    fitting = [
        key
        for key, value in members.items()
        if key.startswith(marks.ATTRIBUTE)
        and key[1:] not in taken
        and marks.NAME.fullmatch(key[1:])
        and isinstance(value, str)
        and marks.is_writable(value)
        and not (key[1:] == marks.TYPE and value in marks.MARKS)
    ]
    return fitting[: marks.MOST_ATTRIBUTES]


def _own_text(members: dict[str, Any]) -> str:
    """The ``#text`` that can stand as plain text beside other members; empty when it must be written as an entry."""
    text = members.get(marks.TEXT)
    if len(members) < 2 or type(text) is not str or text != text.strip(marks.BLANK) or not marks.is_writable(text):
        return ""
    return text


def content_text(text: str) -> str:
    """Text as it stands between tags."""
    text = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return text.replace("\r", "&#13;")  # readers turn a plain one into a line feed


def attribute_text(text: str) -> str:
    """Text as it stands between the quotes of an attribute."""
    text = content_text(text).replace('"', "&quot;")
    return text.replace("\n", "&#10;").replace("\t", "&#9;")  # readers turn plain ones into spaces
