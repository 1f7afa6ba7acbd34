"""The mesh of a layout: boxes and the bends of long lines in rows, joined by pieces that span one row each.

Lines to the same box share their bends, so that a hundred ways to one end are one trunk with a hundred branches and not
a hundred lines side by side. That also bounds the work: a flow where every object leads to one handler has one bend a
row. Lines that would still need too many bends are led around everything, as ways back are.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

from .layers import Pair, rows, ways_back

MOST_BENDS = 3000


@dataclass(slots=True)
class Mesh:
    """Points 0 to ``count`` - 1 are boxes, the others bends; ``pieces`` join points of neighbouring rows, downwards.

    ``trunks`` has the bend of each target and row; ``around`` the lines that are led around.
    """

    count: int
    row: list[int]
    around: list[Pair]
    through: list[Pair]
    trunks: dict[Pair, int] = field(default_factory=dict)
    pieces: list[Pair] = field(default_factory=list)

    def hops(self, source: int, target: int) -> list[int]:
        """The points that a line through the rows passes."""
        bends = [self.trunks[target, row] for row in range(self.row[source] + 1, self.row[target])]
        return [source, *bends, target]

    def first_hop(self, source: int, target: int) -> int:
        """The point below the source that a line through the rows leads to."""
        return self.trunks.get((target, self.row[source] + 1), target)

    @property
    def rows(self) -> list[list[int]]:
        """The points of each row, as they were made."""
        found: list[list[int]] = [[] for _ in range(max(self.row, default=-1) + 1)]
        for point, row in enumerate(self.row):
            found[row].append(point)
        return found


def mesh_of(count: int, pairs: Sequence[Pair]) -> Mesh:
    """The mesh of ``count`` boxes and the lines between them; no pair may be there twice."""
    back = ways_back(count, pairs)
    forward = [pair for pair in pairs if pair not in back]
    row = rows(count, forward)
    crowded = _crowded(row, forward)
    around = [pair for pair in pairs if pair in back or (pair[1] in crowded and _spans(row, pair))]
    apart = set(around)
    mesh = Mesh(count, row, around, [pair for pair in forward if pair not in apart])
    _bend(mesh)
    return mesh


def _spans(row: Sequence[int], pair: Pair) -> bool:
    return row[pair[1]] - row[pair[0]] > 1


def _crowded(row: Sequence[int], forward: Sequence[Pair]) -> set[int]:
    """The targets whose trunks are too much, the longest first."""
    longest: dict[int, int] = {}
    for source, target in forward:
        longest[target] = max(longest.get(target, 0), row[target] - row[source] - 1)
    room = MOST_BENDS
    crowded = set()
    for bends, target in sorted((bends, target) for target, bends in longest.items()):
        room -= bends
        if room < 0:
            crowded.add(target)
    return crowded


def _bend(mesh: Mesh) -> None:
    joined: dict[Pair, None] = {}
    for source, target in mesh.through:
        for row in range(mesh.row[source] + 1, mesh.row[target]):
            if (target, row) not in mesh.trunks:
                mesh.trunks[target, row] = len(mesh.row)
                mesh.row.append(row)
        above = source
        for row in range(mesh.row[source] + 1, mesh.row[target] + 1):
            below = mesh.trunks.get((target, row), target) if row < mesh.row[target] else target
            if (above, below) in joined:  # the rest of the trunk is there already
                break
            joined[above, below] = None
            above = below
    mesh.pieces = list(joined)
