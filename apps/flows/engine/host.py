"""What the walker needs of the world."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from .values import JSON


@dataclass(frozen=True, slots=True)
class Options:
    """A project's flow options.

    Attempts after the first and the time between them, where an object says nothing itself; the most executions of one
    object in a run (0: no limit but the flow's ``max_steps``).
    """

    retries: int
    retry_delay: timedelta
    max_executions: int


def _nothing(keystore: str, key: str) -> JSON:
    """The keystores of a host that has none."""
    return None


@dataclass(frozen=True, slots=True)
class Host:
    """The world of a walk.

    ``now`` gives an aware moment, ``monotonic`` seconds, ``random`` a number from 0 to 1; ``validate`` gives the faults
    of a record's data as ``{path, message}``, [] when it fits the workspace's schema or there is none. ``keystore``
    gives what a keystore holds under a key, null for one that is not there, ``static`` the workspace's static data;
    both as they are at this moment.
    """

    now: Callable[[], datetime]
    monotonic: Callable[[], float]
    random: Callable[[], float]
    validate: Callable[[JSON], list[dict[str, str]]]
    options: Options
    timezone: ZoneInfo
    keystore: Callable[[str, str], JSON] = _nothing
    static: Callable[[], JSON] = dict
