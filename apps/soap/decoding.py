"""From nodes to texts and structures: references are followed, types and nulls understood, as rpc/encoded has them."""

import base64
import binascii
from collections.abc import Collection
from typing import NoReturn

from apps.core.errors import BadRequest
from apps.core.jsonio import JSON
from apps.soap.envelope import YES, shown
from apps.soap.namespaces import ENCODING_12, XSI
from apps.soap.nodes import LIMITS, Node

BINARY = frozenset({"base64Binary", "base64"})


class Decoder:
    """Reads the elements of one message."""

    def __init__(self, root: Node) -> None:
        self.targets: dict[str, Node] = {}
        self.refers = False
        for node in root.walk():
            if not node.attributes:
                continue
            self.refers = self.refers or _reference(node) is not None
            if (name := node.get("id") or node.get("id", ENCODING_12)) is not None:
                if name in self.targets:
                    raise BadRequest("Two elements have the same id.")
                self.targets[name] = node

    def check(self, call: Node) -> None:
        """Raise ``BadRequest`` unless everything the call refers to is there, and its whole within the limits.

        Written out in full, references can go round in a circle, or double with each step.
        """
        if self.refers:
            self._count(call, 1, LIMITS.elements)

    def _count(self, node: Node, depth: int, left: int) -> int:
        if depth > LIMITS.depth:
            raise BadRequest(f"References are nested more than {LIMITS.depth} deep, or go round in a circle.")
        for child in self.follow(node).children:
            left = self._count(child, depth + 1, left - 1)
        if left < 0:
            raise BadRequest(f"With its references written out the call has more than {LIMITS.elements} elements.")
        return left

    def follow(self, node: Node) -> Node:
        """The node that holds the content: the one referred to, if there is a reference."""
        passed: list[Node] = []
        while (reference := _reference(node)) is not None:
            passed.append(node)
            target = self.targets.get(reference[1:] if reference.startswith("#") else reference)
            if target is None or "/" in reference:
                raise BadRequest(f"The element {shown(node)} refers to nothing in this message.")
            if target in passed:
                raise BadRequest(f"The reference of {shown(node)} goes round in a circle.")
            node = target
        return node

    def members(self, node: Node, known: Collection[str], path: str) -> dict[str, Node]:
        """The members of a structure that are known, by their names; others are passed over."""
        content = self.follow(node)
        if content.text.strip():
            _refuse(path, "holds text; it must hold elements")
        found: dict[str, Node] = {}
        for child in content.children:
            name = child.name.local
            if name not in known:
                continue
            if name in found:
                _refuse(f"{path}/{name}", "is given more than once")
            found[name] = child
        return found

    def text(self, node: Node, path: str, *, base64_expected: bool = False) -> str:
        """The text of a plain element without the blanks around it; "" for null.

        Some clients type texts as base64 by themselves: those are decoded. ``base64_expected`` tells that the text is
        base64 by its meaning, so that what such a type stands for depends on what is in it.
        """
        content = self.follow(node)
        if content.children:
            _refuse(path, "holds elements; it must hold text")
        if (content.get("nil", XSI) or "").strip() in YES:
            return ""
        text = content.text.strip()
        if not _is_binary(content):
            return text
        decoded = _from_base64(text, path)
        return text if base64_expected and decoded.lstrip()[:1] in ("{", "[", '"') else decoded.strip()

    def json(self, node: Node) -> JSON:
        """Any structure as a JSON value: repeated elements make a list, text between elements is passed over."""
        content = self.follow(node)
        if not content.children:
            return self.text(content, shown(node))
        found: dict[str, list[JSON]] = {}
        for child in content.children:
            found.setdefault(child.name.local, []).append(self.json(child))
        return {name: values[0] if len(values) == 1 else values for name, values in found.items()}


def _reference(node: Node) -> str | None:
    if not node.attributes:
        return None
    reference = node.get("href")
    return reference if reference is not None else node.get("ref", ENCODING_12)


def _is_binary(node: Node) -> bool:
    return (node.get("type", XSI) or "").rpartition(":")[2].strip() in BINARY


def _from_base64(text: str, path: str) -> str:
    try:
        return base64.b64decode("".join(text.split()), validate=True).decode()
    except (binascii.Error, ValueError):
        _refuse(path, "is not base64 of text in UTF-8, as its type says")


def _refuse(path: str, reason: str) -> NoReturn:
    raise BadRequest(f"{path} {reason}.")
