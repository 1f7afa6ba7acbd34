"""Upright lanes beside the rows, for lines that are led around: one for each box that such lines lead to."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from .channels import APART
from .mesh import Mesh

BESIDE = 20.0  # from a box to the nearest lane
LEFT, RIGHT = -1, 1


@dataclass(frozen=True, slots=True)
class Lane:
    """It runs at ``x`` from the gap below row ``first`` to the gap below row ``last``."""

    x: float
    first: int
    last: int
    side: int


def sides_of(mesh: Mesh, ordered: Sequence[Sequence[int]]) -> dict[int, int]:
    """The nearer side for each box that lines are led around to; the right one when both are as near."""
    share = {point: (index + 0.5) / len(row) for row in ordered for index, point in enumerate(row)}
    ends: dict[int, list[float]] = {}
    for source, target in mesh.around:
        ends.setdefault(target, []).append(share[source] + share[target])
    return {target: LEFT if sum(found) / len(found) < 1.0 else RIGHT for target, found in ends.items()}


def lanes_of(
    mesh: Mesh, ordered: Sequence[Sequence[int]], sides: Mapping[int, int], x: Sequence[float], widths: Sequence[int]
) -> dict[int, Lane]:
    """The lane to each box: the short ones inside, none on another one."""
    lanes: dict[int, Lane] = {}
    for target, (first, last) in sorted(_gaps(mesh).items(), key=lambda item: (item[1][1] - item[1][0], item)):
        side = sides[target]
        at = max((_extent(row, side, x, widths) for row in ordered[first + 1 : last + 1]), default=0.0) + BESIDE
        for other in sorted((lane for lane in lanes.values() if lane.side == side), key=lambda lane: lane.x * side):
            if other.first <= last and first <= other.last and abs(other.x * side - at) < APART:
                at = other.x * side + APART
        lanes[target] = Lane(at * side, first, last, side)
    return lanes


def _gaps(mesh: Mesh) -> dict[int, tuple[int, int]]:
    """The gaps between which each lane runs: lines come in above their target and leave below their source."""
    gaps: dict[int, tuple[int, int]] = {}
    for source, target in mesh.around:
        above = mesh.row[target] - 1
        first, last = gaps.get(target, (above, above))
        gaps[target] = (min(first, mesh.row[source]), max(last, mesh.row[source]))
    return gaps


def _extent(row: Sequence[int], side: int, x: Sequence[float], widths: Sequence[int]) -> float:
    """How far a row reaches to that side."""
    outer = row[0] if side == LEFT else row[-1]
    return x[outer] * side + (widths[outer] if outer < len(widths) else 0) / 2
