"""Writing a drawing as SVG: one text without scripts, styles in attributes or anything fetched from elsewhere."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from .layout import Layout, Rect, Route, lay_out
from .looks import look_of
from .marks import TIMES, Mark, Marks
from .picture import Box, Line, Picture
from .style import STYLE
from .text import fit, measure, shorten, wrap, xml

WIDTH = 176
TEXT_SIZE, SMALL = 13.0, 11.0
LONGEST_LABEL, NARROW_LABEL, MANY_PORTS = 96.0, 60.0, 8
CORNER = 7.0
DASH = "\u2014"
NOTHING = Mark()


@dataclass(frozen=True, slots=True)
class Drawing:
    """What to draw and how to name it; ``prefix`` keeps ids apart where a page holds several drawings.

    ``link`` gives where each object leads, as ``#…`` of the same page.
    """

    picture: Picture
    title: str
    description: str = ""
    marks: Marks = field(default_factory=Marks)
    link: Callable[[str], str] | None = None
    prefix: str = "flow"


def draw(drawing: Drawing) -> str:
    """The drawing as an SVG element that is also a document of its own."""
    picture = drawing.picture
    labels = _labels(drawing)
    sizes = [(WIDTH, look_of(box.kind).height) for box in picture.boxes]
    lines = [
        (line.source, line.target, round(measure(label, SMALL)))
        for line, label in zip(picture.lines, labels, strict=True)
    ]
    layout = lay_out(sizes, lines)
    return "".join(_document(drawing, layout, labels))


def _document(drawing: Drawing, layout: Layout, labels: Sequence[str]) -> Iterator[str]:
    width, height, prefix = layout.width, layout.height, xml(drawing.prefix)
    yield (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="fd" role="img" aria-labelledby="{prefix}-title {prefix}-desc" '
        f'width="{width:g}" height="{height:g}" viewBox="0 0 {width:g} {height:g}">'
    )
    yield f'<title id="{prefix}-title">{xml(drawing.title)}</title>'
    yield f'<desc id="{prefix}-desc">{xml(_description(drawing))}</desc><style>{STYLE}</style>'
    yield f'<rect class="ground" width="{width:g}" height="{height:g}"/>'
    drawn = list(zip(drawing.picture.lines, layout.routes, labels, strict=True))
    # Lines that were taken lie on those that were not.
    for line, route, label in sorted(drawn, key=lambda item: _taken(drawing, item[0])):
        yield from _line(drawing, line, route, label)
    for box, rect in zip(drawing.picture.boxes, layout.boxes, strict=True):
        yield from _box(drawing, box, rect)
    yield "</svg>"


def _description(drawing: Drawing) -> str:
    boxes = drawing.picture.boxes
    if not boxes:
        return "The flow has no objects yet."
    counted = f"{len(boxes)} objects, {len(drawing.picture.lines)} connections."
    cut = "The flow is larger than what is drawn." if drawing.picture.cut else ""
    return " ".join(filter(None, [fit(drawing.description), counted, cut]))


def _labels(drawing: Drawing) -> list[str]:
    """The ports of each line, shorter where many leave one box, and how often it was taken if more than once."""
    leaving = Counter(line.source for line in drawing.picture.lines)
    labels = []
    for line in drawing.picture.lines:
        most = NARROW_LABEL if leaving[line.source] >= MANY_PORTS else LONGEST_LABEL
        ports, times = ", ".join(filter(None, line.ports)), _taken(drawing, line)
        labels.append(" ".join(filter(None, [shorten(ports, most, SMALL), f"{times}{TIMES}" if times > 1 else ""])))
    return labels


# Lines


def _line(drawing: Drawing, line: Line, route: Route, label: str) -> Iterator[str]:
    boxes, times = drawing.picture.boxes, _taken(drawing, line)
    source, target = boxes[line.source], boxes[line.target]
    ports = ", ".join(filter(None, line.ports)) or "any other error"
    words = f"{source.id or 'on_error'}, {ports}: leads to {target.id}" + (f", taken {times}{TIMES}" if times else "")
    names = ["line"]
    names += ["taken"] if times else ["dim"] if drawing.marks.dims else []
    names += [] if source.id else ["handles"]
    yield f'<g class="{" ".join(names)}" role="img" aria-label="{xml(words)}"><title>{xml(words)}</title>'
    yield f'<path class="way" d="{_way(route.points)}"/>{_head(route.points[-1])}'
    if label:
        yield _tag("port", route.label, label)
    yield "</g>"


def _taken(drawing: Drawing, line: Line) -> int:
    boxes = drawing.picture.boxes
    return drawing.marks.taken.get((boxes[line.source].id, boxes[line.target].id), 0)


def _way(points: Sequence[tuple[float, float]]) -> str:
    """Straight pieces with rounded corners; the last one ends where the head begins."""
    (x, y), *rest = points
    rest = [*rest[:-1], (rest[-1][0], rest[-1][1] - 6)]
    parts = [f"M{x:g} {y:g}"]
    for corner, after in pairwise(rest):
        before = _towards(corner, (x, y), after)
        behind = _towards(corner, after, (x, y))
        parts.append(f"L{before[0]:g} {before[1]:g}Q{corner[0]:g} {corner[1]:g} {behind[0]:g} {behind[1]:g}")
        x, y = corner
    parts.append(f"L{rest[-1][0]:g} {rest[-1][1]:g}")
    return "".join(parts)


def _towards(corner: tuple[float, float], end: tuple[float, float], other: tuple[float, float]) -> tuple[float, float]:
    """The point on the way from a corner to one end where its rounding begins."""
    lengths = [abs(corner[0] - point[0]) + abs(corner[1] - point[1]) for point in (end, other)]
    radius = min(CORNER, lengths[0] / 2, lengths[1] / 2)
    share = radius / lengths[0] if lengths[0] else 0.0
    return tuple(round(corner[axis] + (end[axis] - corner[axis]) * share, 1) for axis in (0, 1))  # type: ignore[return-value]


def _head(end: tuple[float, float]) -> str:
    x, y = end
    return f'<path class="head" d="M{x:g} {y:g}l-5-9h10z"/>'


# Boxes


def _box(drawing: Drawing, box: Box, rect: Rect) -> Iterator[str]:
    look, mark = look_of(box.kind), drawing.marks.objects.get(box.id, NOTHING) if box.id else NOTHING
    names = ["object", look.name, *([mark.state] if mark.state else []), *([f"heat-{mark.heat}"] if mark.heat else [])]
    names += ["dim"] if drawing.marks.dims and not mark.state else []
    words = _words(box, mark)
    target = drawing.link(box.id) if drawing.link and box.id and box.kind != "missing" else ""
    yield f'<a href="{xml(target)}">' if target else ""
    place = f"translate({rect.x:g} {rect.y:g})"
    yield f'<g class="{" ".join(names)}" role="img" aria-label="{xml(words)}" transform="{place}">'
    yield f"<title>{xml(words)}</title>"
    yield f'<path class="shape" d="{look.outline(rect.width, rect.height)}"/>'
    yield f'<path class="inner" d="{look.inner(rect.width, rect.height)}"/>' if look.inner else ""
    yield from _texts(box, rect, look.inset)
    if mark.badge:
        yield _tag("badge", (rect.width - _tag_width(mark.badge) / 2 + 6, -3), mark.badge)
    if mark.note:
        yield _tag("note", (_tag_width(mark.note) / 2 - 6, -3), mark.note)
    yield "</g>" + ("</a>" if target else "")


def _words(box: Box, mark: Mark) -> str:
    said = box.text if box.text == box.id or not box.id else f"{box.text} ({box.id})"
    return ", ".join(filter(None, [f"{said}: {box.caption}", mark.words]))


def _texts(box: Box, rect: Rect, inset: float) -> Iterator[str]:
    room, middle = rect.width - 2 * inset, rect.width / 2
    lines = wrap(box.text, room, TEXT_SIZE, 2 if rect.height >= 60 else 1) or [DASH]
    caption = box.caption if box.id in ("", box.text, box.caption) else f"{box.id} · {box.caption}"
    tall = 16 * len(lines) + 14 * bool(caption)
    y = (rect.height - tall) / 2 + 12
    for line in lines:
        yield f'<text x="{middle:g}" y="{y:g}">{xml(line)}</text>'
        y += 16
    yield f'<text class="caption" x="{middle:g}" y="{y - 1:g}">{xml(shorten(caption, room + 6, SMALL))}</text>'


def _tag(name: str, middle: tuple[float, float], text: str) -> str:
    """A text on a ground of its own."""
    width = _tag_width(text)
    x, y = middle
    return (
        f'<g class="{name}"><rect x="{x - width / 2:g}" y="{y - 8:g}" width="{width:g}" height="16" rx="8"/>'
        f'<text x="{x:g}" y="{y + 4:g}">{xml(text)}</text></g>'
    )


def _tag_width(text: str) -> float:
    return round(measure(text, SMALL) + 10)
