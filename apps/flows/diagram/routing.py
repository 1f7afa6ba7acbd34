"""The ways of lines: down through the gaps between the rows, sideways on tracks, around on lanes."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from .channels import APART, Net, assign_tracks
from .exits import Exits
from .lanes import Lane
from .layers import Pair
from .mesh import Mesh

LABEL_ROOM, ARROW_ROOM, EDGE_ROOM = 30.0, 22.0, 8.0

Point = tuple[float, float]
# The gap below a row (-1 is above all), the point or box that the net leads to, whether it leads to the lane there.
Key = tuple[int, int, bool]


@dataclass(frozen=True, slots=True)
class Levels:
    """The upper edge and the height of each row, the upper edge of each box, and the height of all."""

    tops: list[float]
    heights: list[float]
    boxes: list[float]
    total: float

    def bottom(self, row: int) -> float:
        """The lower edge of a row; that of row -1 is where everything begins."""
        return self.tops[row] + self.heights[row] if row >= 0 else 0.0


class Router:
    """Finds the ways of all lines once every point has its column."""

    def __init__(self, mesh: Mesh, x: Sequence[float], exits: Exits, lanes: dict[int, Lane]) -> None:
        self.mesh = mesh
        self.x = x
        self.exits = exits
        self.lanes = lanes
        self.offsets = exits.of_pieces(mesh)
        self.around = set(mesh.around)
        self.nets: dict[Key, Net] = {}
        for upper, lower in mesh.pieces:
            self._net(mesh.row[upper], lower).tops.append(x[upper] + self.offsets[upper, lower])
        for source, target in mesh.around:
            lane = lanes[target]
            self._net(mesh.row[target] - 1, target).sides.append(lane.x)
            away = self._net(mesh.row[source], target, away=True)
            away.tops.append(self._exit((source, target)))
            away.sides.append(lane.x)

    def _net(self, gap: int, lower: int, *, away: bool = False) -> Net:
        key = (gap, lower, away)
        if key not in self.nets:
            bottom = None if away else self.x[lower]
            self.nets[key] = Net(bottom=bottom, may_shift=lower < self.mesh.count)
        return self.nets[key]

    def _exit(self, pair: Pair) -> float:
        return self.x[pair[0]] + self.exits.offsets[pair]

    def levels(self, heights: Sequence[int]) -> Levels:
        """Rows and gaps from the top down; gives the nets their tracks."""
        in_gap: dict[int, list[Net]] = {}
        for (gap, _, _), net in self.nets.items():
            in_gap.setdefault(gap, []).append(net)
        rows = [max((heights[point] for point in row if point < self.mesh.count), default=0) for row in self.mesh.rows]
        tracks = [assign_tracks(in_gap.get(gap, ())) for gap in range(-1, len(rows))]
        tops: list[float] = []
        at = EDGE_ROOM + tracks[0] * APART + ARROW_ROOM if tracks[0] else 0.0
        for height, used in zip(rows, tracks[1:], strict=True):
            tops.append(at)
            at += height + LABEL_ROOM + max(used - 1, 0) * APART + ARROW_ROOM
        last = tops[-1] + rows[-1]
        total = last + (LABEL_ROOM + tracks[-1] * APART if tracks[-1] else 0.0)
        boxes = [tops[row] + rows[row] - height for row, height in zip(self.mesh.row, heights, strict=False)]
        return Levels(tops, [float(height) for height in rows], boxes, total)

    def route(self, pair: Pair, levels: Levels) -> tuple[Point, ...]:
        """The corners of a line, from the lower edge of its source to the upper edge of its target."""
        start = (self._exit(pair), levels.bottom(self.mesh.row[pair[0]]))
        rest = self._around(pair, levels) if pair in self.around else self._through(pair, levels)
        return tuple(_without_straight_corners([start, *rest]))

    def _through(self, pair: Pair, levels: Levels) -> list[Point]:
        points: list[Point] = []
        at = self._exit(pair)
        hops = self.mesh.hops(*pair)
        for upper, lower in pairwise(hops):
            gap = self.mesh.row[upper]
            net = self.nets[gap, lower, False]
            if not net.is_straight:
                points.append((at, self._track(gap, net, levels)))
                points.append((net.entry, points[-1][1]))
            at = net.entry
        return [*points, (at, levels.boxes[pair[1]])]

    def _around(self, pair: Pair, levels: Levels) -> list[Point]:
        source, target = self.mesh.row[pair[0]], self.mesh.row[pair[1]]
        away, into = self.nets[source, pair[1], True], self.nets[target - 1, pair[1], False]
        leaves, comes = self._track(source, away, levels), self._track(target - 1, into, levels)
        lane = self.lanes[pair[1]].x
        end = [(into.entry, comes), (into.entry, levels.boxes[pair[1]])]
        return [(self._exit(pair), leaves), (lane, leaves), (lane, comes), *end]

    def _track(self, gap: int, net: Net, levels: Levels) -> float:
        room = LABEL_ROOM if gap >= 0 else EDGE_ROOM
        return levels.bottom(gap) + room + net.track * APART


def _without_straight_corners(points: Sequence[Point]) -> list[Point]:
    kept: list[Point] = []
    for point in points:
        if kept and abs(kept[-1][0] - point[0]) < 1.0 and abs(kept[-1][1] - point[1]) < 1.0:
            continue
        if len(kept) > 1 and any(kept[-2][axis] == kept[-1][axis] == point[axis] for axis in (0, 1)):
            kept.pop()
        kept.append(point)
    return kept
