"""How an environment is doing, from what was measured."""

from dataclasses import dataclass
from datetime import timedelta

from django.db.models import Sum
from django.utils import timezone

from apps.environments import quota
from apps.environments.models import Environment, Measure
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
    measure = Measure.objects.filter(environment=environment).first()
    used = measure.used / GIGABYTE if measure else 0.0
    return Storage(round(used, 4), quota.total_gigabytes(environment))


def statistics_of(environment: Environment) -> Statistics:
    """The present statistics."""
    now = timezone.now()
    month = environment.activity.filter(hour__gt=now - timedelta(days=COUNTED_DAYS))
    sums = month.aggregate(**{name: Sum(name, default=0) for name in _COUNTERS})
    day = environment.activity.filter(hour__gt=now - timedelta(hours=PERFORMANCE_HOURS))
    hours = list(day.values_list("busy_ms", "peak_ms", "minutes"))
    minutes = sum(hour[2] for hour in hours)
    capacity = _MINUTE_MS * environment.package.concurrency
    average = sum(hour[0] for hour in hours) / (minutes * capacity) if minutes else 0.0
    peak = max((hour[1] for hour in hours), default=0) / capacity
    return Statistics(storage_of(environment), sums, _percent(average), _percent(peak))


def _percent(share: float) -> float:
    return round(min(100.0, 100 * share), 4)
