"""XML for other people's programs: without the marks of types that our own documents carry."""

import re
from typing import Any

from apps.core.jsonio import JSON, write_json
from apps.core.xmlio import marks
from apps.core.xmlio.writing import DECLARATION, attribute_text, content_text

_NAME = re.compile(r"(?:[A-Za-z_][\w.\-]*:)?[A-Za-z_][\w.\-]*", re.ASCII)


class NotPlain(ValueError):
    """The value has no spelling in plain XML; the text names the place."""


def write_plain_xml(document: JSON) -> bytes:
    """Write an object of one key, the root element, as UTF-8.

    Keys are tags, a list repeats its tag, ``@name`` is an attribute and ``#text`` the text beside them; null is an
    empty element. Raises NotPlain.
    """
    if not isinstance(document, dict) or len(document) != 1:
        raise NotPlain("the document must be an object of one key, the root element")
    ((root, value),) = document.items()
    if isinstance(value, list):
        raise NotPlain(f"{root}: there can be only one root element")
    parts = [DECLARATION]
    _write(parts, root, value, root)
    return "".join(parts).encode()


def _write(parts: list[str], tag: str, value: Any, path: str) -> None:
    name = _name(tag, path)
    if isinstance(value, dict):
        attributes = "".join(
            f' {_name(key[1:], path)}="{attribute_text(_text(item, f"{path}/{key}"))}"'
            for key, item in value.items()
            if key.startswith(marks.ATTRIBUTE)
        )
        parts.append(f"<{name}{attributes}>")
        _write_members(parts, value, path)
    else:
        parts.append(f"<{name}>{content_text(_text(value, path))}")
    parts.append(f"</{name}>")


def _write_members(parts: list[str], members: dict[str, Any], path: str) -> None:
    for key, value in members.items():
        where = f"{path}/{key}"
        if key == marks.TEXT:
            parts.append(content_text(_text(value, where)))
        elif not key.startswith(marks.ATTRIBUTE):
            for item in value if isinstance(value, list) else [value]:
                _write(parts, key, item, where)


def _name(name: str, path: str) -> str:
    if not _NAME.fullmatch(name):
        raise NotPlain(f"{path[:100]}: {name[:40]!r} cannot be the name of an element or attribute")
    return name


def _text(value: Any, path: str) -> str:
    if isinstance(value, dict | list):
        raise NotPlain(f"{path[:100]}: an object or list cannot stand here")
    text = "" if value is None else value if isinstance(value, str) else write_json(value).decode()
    if not marks.is_writable(text):
        raise NotPlain(f"{path[:100]}: XML has no spelling for a character of the text")
    return text
