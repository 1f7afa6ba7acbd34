"""A flow document as a table: its objects in the order a record meets them, and where each leads."""

import json
from dataclasses import dataclass
from typing import Any

_SHOWN_APART = {"type", "text", "next", "app"}


@dataclass(frozen=True, slots=True)
class Line:
    """One object: ``leads_to`` pairs ports with the objects they are connected to, ``settings`` is all the rest."""

    id: str
    kind: str
    text: str
    leads_to: list[tuple[str, str]]
    settings: str


def outline(document: Any) -> list[Line]:
    """The objects of a document, also of a draft that is not right yet; what is no object of a flow is left out."""
    objects = document.get("objects") if isinstance(document, dict) else None
    if not isinstance(objects, dict):
        return []
    found = {name: item for name, item in objects.items() if isinstance(item, dict)}
    return [_line(name, found[name]) for name in _in_order(found, document.get("start"))]


def _in_order(objects: dict[str, dict[str, Any]], start: Any) -> list[str]:
    """From the start along the connections, then what cannot be reached, as it was written."""
    waiting = [start] if isinstance(start, str) else []
    ordered: dict[str, None] = {}
    while waiting:
        name = waiting.pop(0)
        if name in objects and name not in ordered:
            ordered[name] = None
            waiting += [target for _, target in _leads_to(objects[name])]
    return list(ordered | dict.fromkeys(objects))


def _line(name: str, item: dict[str, Any]) -> Line:
    kind = str(item.get("app") or item.get("type", ""))
    rest = {key: value for key, value in item.items() if key not in _SHOWN_APART}
    settings = json.dumps(rest, indent=2, ensure_ascii=False) if rest else ""
    return Line(name, kind, str(item.get("text", "")), _leads_to(item), settings)


def _leads_to(item: dict[str, Any]) -> list[tuple[str, str]]:
    connections = item.get("next")
    return [(port, str(target)) for port, target in connections.items()] if isinstance(connections, dict) else []
