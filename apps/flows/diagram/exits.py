"""Where lines leave their boxes: side by side, in the order in which they lead on, with room for their labels."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from .layers import Pair
from .mesh import Mesh

SLOT_GAP = 14.0


Slot = tuple[Pair, float]  # a line and the room its label needs


@dataclass(frozen=True, slots=True)
class Exits:
    """How far from the middle of its box each line leaves it, and how wide that makes the boxes."""

    offsets: dict[Pair, float]
    widths: list[int]

    def of_pieces(self, mesh: Mesh) -> dict[Pair, float]:
        """The same for the pieces of the mesh; bends are left where they are."""
        offsets = dict.fromkeys(mesh.pieces, 0.0)
        offsets |= {(pair[0], mesh.first_hop(*pair)): self.offsets[pair] for pair in mesh.through}
        return offsets


def exits_of(
    mesh: Mesh,
    ordered: Sequence[Sequence[int]],
    sides: Mapping[int, int],
    widths: Sequence[int],
    labels: Mapping[Pair, int],
) -> Exits:
    """``labels`` has the lines with the widths of their labels, ``sides`` the side of those that are led around."""
    place = {point: index for row in ordered for index, point in enumerate(row)}
    around = set(mesh.around)

    def direction(pair: Pair) -> tuple[int, int]:
        return (sides[pair[1]], 0) if pair in around else (0, place[mesh.first_hop(*pair)])

    leaving: dict[int, list[Pair]] = {}
    for pair in labels:
        leaving.setdefault(pair[0], []).append(pair)
    exits = Exits({}, list(widths))
    for box, pairs in leaving.items():
        pairs.sort(key=direction)
        straight = [pair for pair in pairs if pair not in around and mesh.first_hop(*pair) < mesh.count]
        slots = [(pair, labels[pair] + SLOT_GAP) for pair in pairs]
        exits.widths[box] = max(exits.widths[box], _spread(exits.offsets, slots, straight, exits.widths[box]))
    return exits


def _spread(offsets: dict[Pair, float], slots: list[Slot], straight: Sequence[Pair], width: int) -> int:
    """Set the offsets of one box's lines and return the width they need.

    The line that leads right to the only box below leaves in the middle, so that the main way is straight; so does the
    middle one of an odd number.
    """
    middle = next((place for place, (pair, _) in enumerate(slots) if [pair] == straight), None)
    if middle is None and len(slots) % 2:
        middle = len(slots) // 2
    if middle is None:
        return _side_by_side(offsets, slots, width)
    pair, slot = slots[middle]
    offsets[pair] = 0.0
    left = _outwards(offsets, slots[:middle][::-1], slot, -1)
    right = _outwards(offsets, slots[middle + 1 :], slot, 1)
    return round(2 * max(left, right))


def _side_by_side(offsets: dict[Pair, float], slots: Sequence[Slot], width: int) -> int:
    needed = sum(slot for _, slot in slots)
    spare = max(width - needed, 0) / len(slots)
    at = -max(width, needed) / 2
    for pair, slot in slots:
        offsets[pair] = round(at + (slot + spare) / 2)
        at += slot + spare
    return round(needed)


def _outwards(offsets: dict[Pair, float], slots: Sequence[Slot], middle: float, side: int) -> float:
    at = middle / 2
    for pair, slot in slots:
        offsets[pair] = side * round(at + slot / 2)
        at += slot
    return at
