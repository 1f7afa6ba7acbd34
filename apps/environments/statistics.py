"""How an environment is doing, from what was measured."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.db.models import Max, Q, Sum
from django.utils import timezone

from apps.environments import quota
from apps.environments.models import ActivityHour, Environment, Measure
from apps.environments.packages import GIGABYTE

OBSERVE, CRITICAL = 70.0, 90.0  # percent of the storage, or of the busiest minute
COUNTED_DAYS = 30
PERFORMANCE_HOURS = 24
_COUNTERS = ("visits", "records", "batches", "webhooks", "tasks")
_MINUTE_MS = 60_000


@dataclass(frozen=True, slots=True)
class Storage:
    """Used and total gigabytes."""

    used: float
    total: int

    @property
    def used_percentage(self) -> float:
        """How much of it is used; more than 100 is possible until it is noticed."""
        return round(100 * self.used / self.total, 2)

    @property
    def available_percentage(self) -> float:
        """What is left."""
        return round(max(0.0, 100 - self.used_percentage), 2)


@dataclass(frozen=True, slots=True)
class Statistics:
    """Counts of the last 30 days, and how busy the workers were in the last 24 hours, in percent of the package.

    The average is over the minutes in which there was work, the peak is the busiest of them.
    """

    storage: Storage
    counts: dict[str, int]
    avg_performance: float
    peak_performance: float

    @property
    def status(self) -> str:
        """``OK``, ``OBSERVE`` from 70 % on, ``CRITICAL`` from 90 %: of the storage or of the busiest minute."""
        worst = max(self.storage.used_percentage, self.peak_performance)
        return "CRITICAL" if worst >= CRITICAL else "OBSERVE" if worst >= OBSERVE else "OK"


def storage_of(environment: Environment) -> Storage:
    """What it was last measured to hold."""
    measure: Measure | None = getattr(environment, "measure", None)
    used = measure.used / GIGABYTE if measure else 0.0
    return Storage(round(used, 4), quota.total_gigabytes(environment))


def statistics_of(environment: Environment) -> Statistics:
    """The present statistics."""
    return statistics_of_all([environment])[environment.pk]


def statistics_of_all(environments: Sequence[Environment]) -> dict[int, Statistics]:
    """The present statistics of each by its id, in one query however many they are."""
    now = timezone.now()
    day = Q(hour__gt=now - timedelta(hours=PERFORMANCE_HOURS))
    hours = ActivityHour.objects.filter(environment__in=environments, hour__gt=now - timedelta(days=COUNTED_DAYS))
    rows = (
        hours.order_by()
        .values("environment")
        .annotate(
            **{f"sum_{name}": Sum(name) for name in _COUNTERS},
            busy=Sum("busy_ms", filter=day, default=0),
            peak=Max("peak_ms", filter=day, default=0),
            working=Sum("minutes", filter=day, default=0),
        )
    )
    found: dict[int, Any] = {row["environment"]: row for row in rows}
    return {environment.pk: _statistics(environment, found.get(environment.pk, {})) for environment in environments}


def _statistics(environment: Environment, row: Mapping[str, int]) -> Statistics:
    counts = {name: row.get(f"sum_{name}", 0) for name in _COUNTERS}
    capacity = _MINUTE_MS * environment.package.concurrency
    minutes = row.get("working", 0)
    average = row["busy"] / (minutes * capacity) if minutes else 0.0
    return Statistics(storage_of(environment), counts, _percent(average), _percent(row.get("peak", 0) / capacity))


def _percent(share: float) -> float:
    return round(min(100.0, 100 * share), 4)
