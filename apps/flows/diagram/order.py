"""The order of the points in each row: few crossings, by moving every point to the mean place of its neighbours."""

from bisect import bisect_right, insort
from collections.abc import Sequence
from itertools import pairwise

from .layers import successors
from .mesh import Mesh

SWEEPS = 12
SWEEPS_OF_MANY, MANY = 4, 1500


def ordered_rows(mesh: Mesh) -> list[list[int]]:
    """The points of each row from left to right."""
    total = len(mesh.row)
    below = successors(total, mesh.pieces)
    above = successors(total, [(lower, upper) for upper, lower in mesh.pieces])
    current = _first_order(mesh, below)
    best, fewest = current, _crossings(current, below)
    for sweep in range(SWEEPS if total < MANY else SWEEPS_OF_MANY):
        if not fewest:
            break
        current = [list(row) for row in current]
        _sweep(current, above if sweep % 2 == 0 else below, downwards=sweep % 2 == 0)
        crossings = _crossings(current, below)
        if crossings < fewest:
            best, fewest = current, crossings
    return best


def _first_order(mesh: Mesh, below: Sequence[Sequence[int]]) -> list[list[int]]:
    """As a depth-first search from the first box on meets them: whole branches stand side by side."""
    found: list[list[int]] = [[] for _ in range(max(mesh.row, default=-1) + 1)]
    seen = bytearray(len(mesh.row))
    for root in range(mesh.count):
        pending = [root]
        while pending:
            point = pending.pop()
            if not seen[point]:
                seen[point] = 1
                found[mesh.row[point]].append(point)
                pending.extend(reversed(below[point]))
    return found


def _sweep(current: list[list[int]], neighbours: Sequence[Sequence[int]], *, downwards: bool) -> None:
    place: dict[int, float] = {}
    for row in current if downwards else reversed(current):
        for index, point in enumerate(row):
            places = [place[other] for other in neighbours[point]]
            place[point] = sum(places) / len(places) if places else float(index)
        row.sort(key=place.__getitem__)
        place.update((point, float(index)) for index, point in enumerate(row))


def _crossings(current: Sequence[Sequence[int]], below: Sequence[Sequence[int]]) -> int:
    return sum(_crossings_between(*pair, below) for pair in pairwise(current))


def _crossings_between(upper: Sequence[int], lower: Sequence[int], below: Sequence[Sequence[int]]) -> int:
    place = {point: index for index, point in enumerate(lower)}
    seen: list[int] = []
    crossings = 0
    for point in upper:
        ends = sorted(place[target] for target in below[point])
        crossings += sum(len(seen) - bisect_right(seen, end) for end in ends)
        for end in ends:
            insort(seen, end)
    return crossings
