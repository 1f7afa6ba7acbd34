"""An XML answer read by the published rules, with a reader that shares nothing with the platform's own.

The root is ``response``; a list's entries are ``item``, a name that is none in XML stands as ``<entry name="…">``, and
``type`` marks a value whose text alone would be read as something else.
"""

import xml.etree.ElementTree as ElementTree
from typing import Any

NUMBERS = {"integer": int, "number": float}


def read_answer(body: bytes) -> Any:
    """The value that an answer carries."""
    root = ElementTree.fromstring(body)
    assert root.tag == "response"
    return _value(root)


def _value(element: ElementTree.Element) -> Any:
    kind, text = element.get("type"), element.text or ""
    if kind in NUMBERS:
        return NUMBERS[kind](text)
    if kind == "boolean":
        return text == "true"
    if kind == "null":
        return None
    if kind == "array":
        return [_value(child) for child in element]
    if kind == "object" or len(element):
        return _children(element)
    return text


def _children(element: ElementTree.Element) -> Any:
    if all(child.tag == "item" for child in element) and len(element):
        return [_value(child) for child in element]
    return {child.get("name") if child.tag == "entry" else child.tag: _value(child) for child in element}
