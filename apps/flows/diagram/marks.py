"""What a drawing may say about its objects beside their names: what a record did there, how many records are there."""

from collections.abc import Mapping
from dataclasses import dataclass, field

DONE, FAILED, CURRENT, STUCK = "done", "failed", "current", "stuck"
HEATS = 5
TIMES = "\u00d7"


@dataclass(frozen=True, slots=True)
class Mark:
    """``state`` is "" or one of ``DONE``, ``FAILED``, ``CURRENT``, ``STUCK`` (failed, and the record is still there).

    ``heat`` is from 0 to ``HEATS``.
    ``badge`` stands at the upper right of the box and ``note`` at its upper left; ``words`` says both in a sentence.
    """

    state: str = ""
    heat: int = 0
    badge: str = ""
    note: str = ""
    words: str = ""


@dataclass(frozen=True, slots=True)
class Marks:
    """Marks by object id, and how often each connection (source, target) was taken.

    With ``dims`` what has no mark recedes.
    """

    objects: Mapping[str, Mark] = field(default_factory=dict)
    taken: Mapping[tuple[str, str], int] = field(default_factory=dict)
    dims: bool = False


@dataclass(frozen=True, slots=True)
class Passage:
    """What a record did at one object: ``done`` times left, ``failed`` attempts; ``current`` while it stands there."""

    done: int = 0
    failed: int = 0
    current: bool = False
    stays_failed: bool = False


@dataclass(frozen=True, slots=True)
class Crowd:
    """How many records stand at one object now, how many passes it had lately; ``more_…`` where not all are counted."""

    here: int = 0
    passed: int = 0
    more_here: bool = False
    more_passed: bool = False


def path_marks(passages: Mapping[str, Passage], taken: Mapping[tuple[str, str], int]) -> Marks:
    """The marks of a record's path."""
    return Marks({name: _path_mark(passage) for name, passage in passages.items()}, taken, dims=True)


def _path_mark(passage: Passage) -> Mark:
    state = STUCK if passage.stays_failed else CURRENT if passage.current else DONE if passage.done else FAILED
    words = [f"passed {_times(passage.done)}"] if passage.done else []
    words += [f"failed {_times(passage.failed)}"] if passage.failed else []
    words += ["the record has failed here"] if passage.stays_failed else []
    words += ["the record is here"] if passage.current and not passage.stays_failed else []
    sign = {DONE: "✓", FAILED: "✕", CURRENT: "●", STUCK: "✕ here"}[state]
    number = passage.failed if state in (FAILED, STUCK) else passage.done
    badge = f"{sign} {number}{TIMES}" if number > 1 else sign
    note = f"✕ {passage.failed}{TIMES}" if passage.failed and state in (DONE, CURRENT) else ""
    return Mark(state, 0, badge, note, ", ".join(words))


def heat_marks(crowds: Mapping[str, Crowd]) -> Marks:
    """The marks of a heat map: the more records stand at an object, the hotter it is."""
    most = max((crowd.here for crowd in crowds.values()), default=0)
    return Marks({name: _heat_mark(crowd, most) for name, crowd in crowds.items() if crowd.here or crowd.passed})


def _heat_mark(crowd: Crowd, most: int) -> Mark:
    heat = -(-crowd.here * HEATS // most) if crowd.here else 0
    here = f"{crowd.here:,}{'+' if crowd.more_here else ''}"
    passed = f"{crowd.passed:,}{'+' if crowd.more_passed else ''}"
    words = f"{here} records here now, {passed} passes lately"
    return Mark("", heat, f"{here} here" if crowd.here else "", f"{passed} passed" if crowd.passed else "", words)


def _times(number: int) -> str:
    return "once" if number == 1 else f"{number} times"
