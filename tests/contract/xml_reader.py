"""An XML answer read by the published rules, with a reader that shares nothing with the platform's own.

The root is ``response``. A ``type`` marks what is no string and no object with members; a name that is none in XML
stands as ``<entry name="…">``, attributes are keys with an ``@``, text beside them is ``#text``, repeated tags a list.
"""

import json
import re
import xml.etree.ElementTree as ElementTree
from typing import Any

SCALARS = {
    "string": str,
    "integer": int,
    "number": float,
    "boolean": {"true": True, "false": False}.__getitem__,
    "null": {"": None}.__getitem__,
}


def read_answer(body: bytes) -> Any:
    """The value that an answer carries."""
    root = ElementTree.fromstring(body)
    assert root.tag == "response"
    return _value(root)


def _value(element: ElementTree.Element) -> Any:
    attributes = dict(element.attrib)
    kind, text = attributes.pop("type", None), element.text or ""
    if element.tag == "entry":
        attributes.pop("name", attributes.pop("escaped", None))
    if kind in SCALARS:
        return SCALARS[kind](text)
    if kind == "escaped":
        return _unescaped(text)
    if kind == "array":
        assert {child.tag for child in element} <= {"item"}
        return [_value(child) for child in element]
    if kind == "object" or len(element) or attributes:
        return _object(element, attributes)
    return text


def _object(element: ElementTree.Element, attributes: dict[str, str]) -> dict[str, Any]:
    found: dict[str, Any] = {f"@{name}": value for name, value in attributes.items()}
    text = "".join([element.text or "", *(child.tail or "" for child in element)]).strip()
    for key in {_key(child): None for child in element}:
        values = [_value(child) for child in element if _key(child) == key]
        found[key] = values if len(values) > 1 else values[0]
    return found | ({"#text": text} if text else {})


def _key(element: ElementTree.Element) -> str:
    if element.tag != "entry":
        return element.tag
    name = element.get("name")
    return _unescaped(element.attrib["escaped"]) if name is None else name


def _unescaped(text: str) -> str:
    r"""Undo ``\u0001`` and the doubled backslash, as JSON does."""
    return str(json.loads('"' + re.sub(r'["\n\t\r]', lambda found: json.dumps(found[0])[1:-1], text) + '"'))
