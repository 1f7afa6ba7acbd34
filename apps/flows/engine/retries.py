"""How often, and after what time, a failed object is tried again."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from .durations import parse_duration
from .results import code_matches

LONGEST_DELAY = timedelta(days=1)
NEVER = frozenset({"crashed"})
NOT_BY_DEFAULT = frozenset({"run_failed", "run_removed"})


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """The ``retry`` of an object; None stands for the project's option."""

    max: int | None = None
    delay: timedelta | None = None
    factor: float = 1.0
    max_delay: timedelta | None = None
    jitter: bool = False
    on: tuple[str, ...] | None = None

    def allows(self, attempt: int, code: str, retries: int) -> bool:
        """Whether another attempt follows the failed one, counted from 1; ``retries`` is the project's option.

        What was launched and failed has been tried again by its own flow, so only an object's own ``max`` repeats it.
        """
        if code in NEVER:
            return False
        most = (0 if code in NOT_BY_DEFAULT else retries) if self.max is None else self.max
        return attempt <= most and (self.on is None or code_matches(code, self.on))

    def delay_after(self, attempt: int, retry_delay: timedelta, random: Callable[[], float]) -> timedelta:
        """The wait after the failed attempt; ``random`` gives numbers from 0 to 1, ``retry_delay`` is the project's."""
        first = retry_delay if self.delay is None else self.delay
        longest = self.max_delay or max(first, LONGEST_DELAY)
        # Grown as a float: a timedelta overflows long before a hundred attempts at factor 10.
        seconds = min(first.total_seconds() * self.factor ** (attempt - 1), longest.total_seconds())
        return timedelta(seconds=seconds * (0.5 + random() / 2) if self.jitter else seconds)


def read_retry(retry: dict[str, Any]) -> RetryPolicy:
    """The policy that an object's ``retry`` describes; raises DurationError."""
    return RetryPolicy(
        max=retry.get("max"),
        delay=_duration(retry, "delay"),
        factor=float(retry.get("factor", 1)),
        max_delay=_duration(retry, "max_delay"),
        jitter=retry.get("jitter", False),
        on=tuple(retry["on"]) if "on" in retry else None,
    )


def _duration(retry: dict[str, Any], name: str) -> timedelta | None:
    return parse_duration(retry[name]) if name in retry else None
