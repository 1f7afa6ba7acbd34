"""Where each point stands in its row: as near to its neighbours above and below as the others leave room for."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import pairwise

from .layers import Pair
from .mesh import Mesh

BOX_GAP, BEND_GAP = 36, 20
ROUNDS, ROUNDS_OF_MANY, MANY = 6, 3, 1500
INFINITE = float("inf")
STRAIGHT = 60.0  # so little out of line may be pulled straight

Wish = tuple[float, int, float]


class Columns:
    """The columns of a mesh: ``x`` has the middle of each point, in pixels.

    ``offsets`` says how far from its middle a line leaves a box, by piece.
    """

    def __init__(
        self, mesh: Mesh, ordered: Sequence[Sequence[int]], widths: Sequence[int], offsets: Mapping[Pair, float]
    ) -> None:
        self.mesh = mesh
        self.ordered = ordered
        self.widths = [*widths, *[0] * (len(mesh.row) - mesh.count)]
        # A box with several boxes below stands over their middle, whichever side its lines leave on.
        self.offsets = {piece: 0.0 if piece[1] < mesh.count else offset for piece, offset in offsets.items()}
        self.alone = [ways == 1 for ways in self._boxes_beyond(0)]
        self.single = [ways == 1 for ways in self._boxes_beyond(1)]
        # For each point its neighbours above and below: how much each counts, which it is, how far aside it is wanted.
        self.above: list[list[Wish]] = [[] for _ in mesh.row]
        self.below: list[list[Wish]] = [[] for _ in mesh.row]
        for (upper, lower), offset in self.offsets.items():
            weight = self._weight(upper, lower)
            self.below[upper].append((weight, lower, -offset))
            self.above[lower].append((weight, upper, offset))
        self.both = [[*above, *below] for above, below in zip(self.above, self.below, strict=True)]
        self.rows = [(row, self._shifts(row)) for row in ordered]
        self.x = self._packed()

    def settle(self) -> list[float]:
        """Move every point until all are about where they want to be; returns ``x`` in whole pixels."""
        for _ in range(ROUNDS if len(self.mesh.row) < MANY else ROUNDS_OF_MANY):
            self._sweep(self.rows, self.above)
            self._sweep(reversed(self.rows), self.below)
        for _ in range(2):
            self._sweep(self.rows, self.both)
        for _ in range(2):
            self._straighten()
        return [float(round(x)) for x in self.x]

    def gap(self, left: int, right: int) -> float:
        """The least distance between the middles of two neighbours in a row."""
        room = BOX_GAP if self.widths[left] and self.widths[right] else BEND_GAP
        return (self.widths[left] + self.widths[right]) / 2 + room

    def _packed(self) -> list[float]:
        x = [0.0] * len(self.mesh.row)
        for row, shifts in self.rows:
            for point, shift in zip(row, shifts, strict=False):
                x[point] = shift - shifts[-1] / 2
        return x

    def _weight(self, upper: int, lower: int) -> float:
        """Bends of one trunk hold together most, then boxes that lead to one another and nowhere else."""
        bends = (upper >= self.mesh.count) + (lower >= self.mesh.count)
        if bends:
            return (0.0, 1.0, 8.0)[bends]
        return 4.0 if self.alone[upper] and self.single[lower] else 1.0

    def _boxes_beyond(self, end: int) -> list[int]:
        """How many boxes each point is joined to right below (0) or right above (1)."""
        counts = [0] * len(self.mesh.row)
        for piece in self.offsets:
            counts[piece[end]] += piece[1 - end] < self.mesh.count
        return counts

    def _shifts(self, row: Sequence[int]) -> list[float]:
        """How far each point of a row is from the first one when they stand as close as they may."""
        shifts = [0.0]
        for left, right in pairwise(row):
            shifts.append(shifts[-1] + self.gap(left, right))
        return shifts

    def _sweep(self, rows: Iterable[tuple[Sequence[int], list[float]]], wishes: Sequence[list[Wish]]) -> None:
        """The least squares of all wishes in each row, with the gaps kept."""
        x = self.x
        for row, shifts in rows:
            wanted, weights = [], []
            for point, shift in zip(row, shifts, strict=False):
                total = weight = 0.0
                for one, other, offset in wishes[point]:
                    total += one * (x[other] + offset)
                    weight += one
                wanted.append((total / weight if weight else x[point]) - shift)
                weights.append(weight or 0.1)
            for point, place, shift in zip(row, rising(wanted, weights), shifts, strict=False):
                x[point] = place + shift

    def _straighten(self) -> None:
        """Pull chains of points that are nearly below one another into one line, where their neighbours leave room."""
        beside = self._neighbours()
        for chain in self._chains():
            offsets = [0.0]
            for piece in pairwise(chain):
                offsets.append(offsets[-1] + self.offsets[piece])
            placed = list(zip(chain, offsets, strict=True))
            for low, high, placed in self._runs(zip(chain, offsets, strict=True), beside):
                middle = sorted(self.x[point] - offset for point, offset in placed)[len(placed) // 2]
                for point, offset in placed:
                    self.x[point] = min(max(round(middle), low), high) + offset

    def _runs(
        self, chain: Iterable[tuple[int, float]], beside: Sequence[tuple[int | None, int | None]]
    ) -> Iterator[tuple[float, float, list[tuple[int, float]]]]:
        """The longest pieces of a chain that may stand in one line, with how far that line may be to either side."""
        low, high, placed = -INFINITE, INFINITE, list[tuple[int, float]]()
        for point, offset in chain:
            least = self._least(point, beside[point][0]) - offset
            most = self._most(point, beside[point][1]) - offset
            if placed and max(low, least) > min(high, most):
                yield low, high, placed
                low, high, placed = -INFINITE, INFINITE, []
            low, high = max(low, least), min(high, most)
            placed.append((point, offset))
        yield low, high, placed

    def _neighbours(self) -> list[tuple[int | None, int | None]]:
        beside: list[tuple[int | None, int | None]] = [(None, None)] * len(self.mesh.row)
        for row in self.ordered:
            for left, point, right in zip([None, *row], row, [*row[1:], None], strict=False):
                beside[point] = (left, right)
        return beside

    def _least(self, point: int, left: int | None) -> float:
        return -INFINITE if left is None else self.x[left] + self.gap(left, point)

    def _most(self, point: int, right: int | None) -> float:
        return INFINITE if right is None else self.x[right] - self.gap(point, right)

    def _chains(self) -> list[list[int]]:
        """Each point once, with at most one neighbour above and below; the straightest and heaviest pieces first."""
        down: dict[int, int] = {}
        up: dict[int, int] = {}

        def bent(piece: Pair) -> float:
            return abs(self.x[piece[0]] + self.offsets[piece] - self.x[piece[1]])

        near = [piece for piece in self.mesh.pieces if bent(piece) <= STRAIGHT]
        for upper, lower in sorted(near, key=lambda piece: (-self._weight(*piece), bent(piece))):
            if upper not in down and lower not in up:
                down[upper], up[lower] = lower, upper
        chains = []
        for head in down:
            if head not in up:
                chain = [head]
                while chain[-1] in down:
                    chain.append(down[chain[-1]])
                chains.append(chain)
        return chains


def rising(wanted: Sequence[float], weights: Sequence[float]) -> list[float]:
    """The numbers nearest to ``wanted`` by weighted least squares of which none is smaller than the one before it."""
    blocks: list[tuple[float, float, int]] = []  # value, weight, length
    for value, weight in zip(wanted, weights, strict=True):
        length = 1
        while blocks and blocks[-1][0] > value:
            other, heavy, more = blocks.pop()
            value = (value * weight + other * heavy) / (weight + heavy)
            weight, length = weight + heavy, length + more
        blocks.append((value, weight, length))
    return [value for value, _, length in blocks for _ in range(length)]
