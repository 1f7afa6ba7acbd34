"""Named places where a test may make a process stall or die; nothing at all unless FLOWIZE_FAILPOINTS is set.

``after-claim=kill,before-walk@poison-=allocate:4e9``: what to do at a place, or only there for subjects (uuids of
records, names of steps) that begin with the text behind the ``@``. The acts are ``kill``, ``exit``, ``raise``,
``sleep:SECONDS`` and ``allocate:BYTES``. A name or an act that does not exist ends the process at its start.
"""

import os
import signal
import time
from collections.abc import Callable

PLACES = frozenset(
    {
        "after-claim",  # leased, nothing done
        "before-walk",  # one record's turn has come
        "before-effect",  # the lease was checked, the call begins
        "after-effect",  # the call was made, nothing of it is written down
        "before-checkpoint",
        "after-checkpoint",  # written down, or found that the lease was lost
        "before-nudge",  # committed, nobody has been told
        "after-batch-claim",
        "before-batch-commit",
        "before-schedule-commit",
        "after-job-claim",  # an environment's job is leased, nothing done
        "before-job-step",
        "before-job-checkpoint",  # a step is done, nothing of it is written down
        "after-job-step",  # written down, the next one has not begun
    }
)


def _kill(argument: str) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def _exit(argument: str) -> None:
    os._exit(int(argument or 1))


def _raise(argument: str) -> None:
    raise RuntimeError("failpoint")


def _sleep(argument: str) -> None:
    time.sleep(float(argument))


def _allocate(argument: str) -> None:
    bytearray(int(float(argument)))


ACTS: dict[str, Callable[[str], None]] = {
    "kill": _kill,
    "exit": _exit,
    "raise": _raise,
    "sleep": _sleep,
    "allocate": _allocate,
}

Order = tuple[str, str, Callable[[str], None], str]


def parse(text: str) -> list[Order]:
    """The orders of a text: place, beginning of the subject, act, its argument; raises ValueError."""
    return [_order(item) for item in text.split(",") if item]


def _order(item: str) -> Order:
    where, _, what = item.partition("=")
    place, _, subject = where.partition("@")
    act, _, argument = what.partition(":")
    if place not in PLACES or act not in ACTS:
        raise ValueError(f"FLOWIZE_FAILPOINTS: there is no {item!r}.")
    return place, subject, ACTS[act], argument


def _obey(place: str, subject: str = "") -> None:
    for wanted, beginning, act, argument in _ORDERS:
        if place == wanted and subject.startswith(beginning):
            act(argument)


def _pass(place: str, subject: str = "") -> None:
    """The switched-off form: one call that does nothing."""


_ORDERS = parse(os.environ.get("FLOWIZE_FAILPOINTS", ""))
failpoint: Callable[..., None] = _obey if _ORDERS else _pass
