"""The space between two rows, where lines run sideways: each group of lines to one place gets a track of its own."""

from collections.abc import Sequence
from dataclasses import dataclass, field

APART = 14.0  # between lines side by side
ASIDE = 12.0
TOUCHING = 7.0  # so near to each other two upright lines look like one


@dataclass(slots=True)
class Net:
    """What runs sideways to one place: ``tops`` come from above, ``bottom`` leads down, ``sides`` are lanes.

    One that leads into a box ``may_shift`` the place where it comes down.
    """

    tops: list[float] = field(default_factory=list)
    sides: list[float] = field(default_factory=list)
    bottom: float | None = None
    may_shift: bool = False
    track: int = 0
    shifted: bool = False

    @property
    def entry(self) -> float:
        """Where it comes down."""
        return (self.bottom or 0.0) + (ASIDE if self.shifted else 0.0)

    @property
    def reach(self) -> tuple[float, float]:
        """From where to where it runs."""
        ends = [*self.tops, *self.sides, *([] if self.bottom is None else [self.bottom])]
        return min(ends), max(ends)

    @property
    def is_straight(self) -> bool:
        """Whether nothing of it runs sideways."""
        low, high = self.reach
        return not self.sides and high - low < 1.0


def assign_tracks(nets: Sequence[Net]) -> int:
    """Give every net that runs sideways a ``track``, from 0 at the top, and return how many there are.

    Nets on one track do not touch. A net that comes down where another one goes down lies above it; where that goes
    round, somebody has to give way.
    """
    waiting = sorted((net for net in nets if not net.is_straight), key=lambda net: net.reach)
    above = {id(net): _must_be_above(net, waiting) for net in waiting}
    track = 0
    while waiting:
        undone = {id(net) for net in waiting}
        free = [net for net in waiting if not above[id(net)] & undone]
        taken = _side_by_side(free) or _one_gives_way(waiting)
        for net in taken:
            net.track = track
        done = {id(net) for net in taken}
        waiting = [net for net in waiting if id(net) not in done]
        track += 1
    return track


def _must_be_above(net: Net, others: Sequence[Net]) -> set[int]:
    """Those that come down where this one goes down."""
    if net.bottom is None:
        return set()
    return {
        id(other)
        for other in others
        if other is not net and any(abs(top - net.bottom) < TOUCHING for top in other.tops)
    }


def _one_gives_way(waiting: Sequence[Net]) -> list[Net]:
    """One whose way down can be moved a little, where there is one."""
    net = next((net for net in waiting if net.may_shift), waiting[0])
    net.shifted = net.may_shift
    return [net]


def _side_by_side(free: Sequence[Net]) -> list[Net]:
    taken: list[Net] = []
    for net in free:
        if not taken or net.reach[0] > taken[-1].reach[1] + APART:
            taken.append(net)
    return taken
