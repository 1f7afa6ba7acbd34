"""A host whose clock, chance and schema are given, so that every walk comes out the same each time."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from apps.flows.engine.walk import Host, Options


class Clock:
    """A clock that stands still until it is moved."""

    def __init__(self) -> None:
        self.moment = datetime(2026, 5, 1, 8, 0, tzinfo=UTC)

    def now(self) -> datetime:
        return self.moment

    def monotonic(self) -> float:
        return self.moment.timestamp()

    def move(self, duration: timedelta) -> None:
        self.moment += duration


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def make_host(clock: Clock) -> Callable[..., Host]:
    """Makes a host on the test's clock; unless said otherwise nothing is retried and every record is valid."""

    def make(
        *,
        retries: int = 0,
        retry_delay: timedelta = timedelta(minutes=5),
        max_executions: int = 10,
        faults: tuple[dict[str, str], ...] = (),
        random: float = 0.5,
        timezone: str = "UTC",
    ) -> Host:
        options = Options(retries, retry_delay, max_executions)
        return Host(clock.now, clock.monotonic, lambda: random, lambda data: list(faults), options, ZoneInfo(timezone))

    return make


@pytest.fixture
def flow() -> Callable[..., dict[str, Any]]:
    """Makes a document whose start leads to the first of the objects given, with an object ``end``."""

    def make(*, on_error: str | None = None, limits: dict[str, Any] | None = None, **objects: Any) -> dict[str, Any]:
        first = next(iter(objects), "end")
        document: dict[str, Any] = {
            "format": "flow/1",
            "start": "start",
            "objects": {"start": {"type": "start", "next": {"ok": first}}, **objects, "end": {"type": "end"}},
        }
        if on_error:
            document["on_error"] = {"next": on_error}
        if limits:
            document["limits"] = limits
        return document

    return make
