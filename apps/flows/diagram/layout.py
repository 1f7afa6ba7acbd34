"""A layered layout: boxes in rows, lines that lead down through the rows, and lines that are led around them."""

from collections.abc import Sequence
from dataclasses import dataclass

from .columns import Columns
from .exits import exits_of
from .lanes import lanes_of, sides_of
from .mesh import mesh_of
from .order import ordered_rows
from .routing import Point, Router

MARGIN = 24.0
TO_LABEL = 15.0


@dataclass(frozen=True, slots=True)
class Rect:
    """A box as it stands: its upper left corner and its size."""

    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True, slots=True)
class Route:
    """The corners of a line, from its source's lower edge to its target's upper edge, and the middle of its label."""

    points: tuple[Point, ...]
    label: Point


@dataclass(frozen=True, slots=True)
class Layout:
    """Everything in its place, in pixels from the upper left corner."""

    boxes: tuple[Rect, ...]
    routes: tuple[Route, ...]
    width: float
    height: float


def lay_out(sizes: Sequence[tuple[int, int]], lines: Sequence[tuple[int, int, int]]) -> Layout:
    """Place boxes of at least these sizes, the start first, and lines of (source, target, width of the label).

    The same input always gives the same layout. No two lines may have the same source and target.
    """
    if not sizes:
        return Layout((), (), 2 * MARGIN, 2 * MARGIN)
    pairs = [(source, target) for source, target, _ in lines]
    mesh = mesh_of(len(sizes), pairs)
    ordered = ordered_rows(mesh)
    sides = sides_of(mesh, ordered)
    labels = {(source, target): width for source, target, width in lines}
    exits = exits_of(mesh, ordered, sides, [width for width, _ in sizes], labels)
    x = Columns(mesh, ordered, exits.widths, exits.of_pieces(mesh)).settle()
    router = Router(mesh, x, exits, lanes_of(mesh, ordered, sides, x, exits.widths))
    levels = router.levels([height for _, height in sizes])
    rects = [
        Rect(x[box] - exits.widths[box] / 2, levels.boxes[box], exits.widths[box], height)
        for box, (_, height) in enumerate(sizes)
    ]
    routes = [router.route(pair, levels) for pair in pairs]
    return _moved(rects, routes, levels.total)


def _moved(rects: Sequence[Rect], routes: Sequence[Sequence[Point]], height: float) -> Layout:
    """The same, beginning at the margin."""
    xs = [x for points in routes for x, _ in points]
    left = min([rect.x for rect in rects] + xs) - MARGIN
    right = max([rect.x + rect.width for rect in rects] + xs) + MARGIN
    placed = tuple(Rect(_tidy(rect.x - left), rect.y + MARGIN, rect.width, rect.height) for rect in rects)
    lines = []
    for points in routes:
        corners = tuple((_tidy(x - left), _tidy(y + MARGIN)) for x, y in points)
        lines.append(Route(corners, (corners[0][0], corners[0][1] + TO_LABEL)))
    return Layout(placed, tuple(lines), _tidy(right - left), _tidy(height + 2 * MARGIN))


def _tidy(number: float) -> float:
    return round(number, 1)
