"""What there is to draw of a flow document, also of a draft that is not right yet."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

MOST_BOXES = 600
MOST_LINES = 3000
ON_ERROR, MISSING = "on_error", "missing"


@dataclass(frozen=True, slots=True)
class Box:
    """One thing to draw: ``id`` is the object's, "" for the document's ``on_error``; ``kind`` chooses its look.

    ``caption`` says what it is, such as the name of an app.
    """

    id: str
    kind: str
    text: str
    caption: str


@dataclass(frozen=True, slots=True)
class Line:
    """A connection between two boxes by their places in ``Picture.boxes``, with every port that leads the same way."""

    source: int
    target: int
    ports: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Picture:
    """Boxes, the start first, and the lines between them; ``cut`` when the document has more than can be drawn."""

    boxes: tuple[Box, ...]
    lines: tuple[Line, ...]
    cut: bool = False


def picture_of(document: Any) -> Picture:
    """The picture of a document; what is no object of a flow is left out, what is led to and not there is drawn so."""
    objects = document.get("objects") if isinstance(document, dict) else None
    if not isinstance(objects, dict):
        return Picture((), ())
    found = {name: item for name, item in objects.items() if isinstance(item, dict)}
    ways = [(name, port, target) for name, item in found.items() for port, target in connections(item)]
    handler = _handler(document)
    ways += [("", "", handler)] if handler is not None else []
    kept = list(_in_order(found, document.get("start")))[:MOST_BOXES]
    return _picture(found, kept, ways)


def connections(item: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """The ports of an object with the ids they lead to."""
    ports = item.get("next")
    for port, target in (ports if isinstance(ports, dict) else {}).items():
        if isinstance(target, str):
            yield port, target


def _picture(found: Mapping[str, Any], kept: list[str], ways: list[tuple[str, str, str]]) -> Picture:
    boxes = [_box(name, found[name]) for name in kept]
    places = {name: place for place, name in enumerate(kept)}
    joined: dict[tuple[int, int], list[str]] = {}
    cut = len(kept) < len(found)
    for name, port, target in ways:
        if (name and name not in places) or (target in found and target not in places) or len(joined) >= MOST_LINES:
            cut = True
            continue
        if target not in places:
            places[target] = len(boxes)
            boxes.append(Box(target, MISSING, target, "is missing"))
        if name not in places:
            places[name] = len(boxes)
            boxes.append(Box(name, ON_ERROR, "Any other error", "on_error"))
        joined.setdefault((places[name], places[target]), []).append(port)
    lines = tuple(Line(source, target, tuple(ports)) for (source, target), ports in joined.items())
    return Picture(tuple(boxes), lines, cut)


def _box(name: str, item: Mapping[str, Any]) -> Box:
    kind, text, app = (item.get(key) if isinstance(item.get(key), str) else "" for key in ("type", "text", "app"))
    return Box(name, str(kind), str(text or name), str(app or kind or "no type"))


def _handler(document: Mapping[str, Any]) -> str | None:
    on_error = document.get("on_error")
    target = on_error.get("next") if isinstance(on_error, dict) else None
    return target if isinstance(target, str) else None


def _in_order(objects: Mapping[str, Mapping[str, Any]], start: Any) -> Iterator[str]:
    """The start, then the rest as it was written."""
    first = start if isinstance(start, str) and start in objects else None
    if first is not None:
        yield first
    yield from (name for name in objects if name != first)
