"""What the charts of an environment show, as the shapes that a template draws."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.utils import timezone

from apps.environments.models import Environment
from apps.environments.packages import GIGABYTE
from apps.environments.statistics import CRITICAL, OBSERVE, PERFORMANCE_HOURS, Storage

WIDTH, HEIGHT = 480, 96
_GAP = 4


@dataclass(frozen=True, slots=True)
class Bar:
    """One hour: its rectangle, and its words for those who point at it."""

    x: float
    y: float
    width: float
    height: float
    title: str


@dataclass(frozen=True, slots=True)
class Part:
    """One kind of content: its share of what is used, in percent."""

    name: str
    size: str
    share: float


def hours_of(environment: Environment) -> list[Bar]:
    """The busiest minute of each of the last 24 hours, in percent of what the package can do."""
    begin = timezone.now().replace(minute=0, second=0, microsecond=0) - timedelta(hours=PERFORMANCE_HOURS - 1)
    rows = {row.hour: row for row in environment.activity.filter(hour__gte=begin)}
    capacity = 60_000 * environment.package.concurrency
    width = WIDTH / PERFORMANCE_HOURS
    bars = []
    for number in range(PERFORMANCE_HOURS):
        hour = begin + timedelta(hours=number)
        row = rows.get(hour)
        percent = min(100.0, 100 * row.peak_ms / capacity) if row else 0.0
        height = max(2.0, percent / 100 * HEIGHT)
        title = f"{_clock(hour, environment)}: {percent:.2f} %, {row.records if row else 0} records"
        bars.append(Bar(number * width, HEIGHT - height, width - _GAP, height, title))
    return bars


def parts_of(environment: Environment) -> list[Part]:
    """What the used storage consists of, the largest first."""
    measure = getattr(environment, "measure", None)
    parts = measure.parts if measure else {}
    whole = sum(parts.values()) or 1
    found = sorted(parts.items(), key=lambda item: -item[1])
    return [Part(name, size_text(size), round(100 * size / whole, 1)) for name, size in found if size]


def shade_of(storage: Storage) -> str:
    """The colour of the storage bar."""
    used = storage.used_percentage
    return "danger" if used >= CRITICAL else "warning" if used >= OBSERVE else "success"


def size_text(size: float) -> str:
    """Bytes as people read them."""
    for unit, length in (("GB", GIGABYTE), ("MB", 10**6), ("kB", 10**3)):
        if size >= length:
            return f"{size / length:.1f} {unit}"
    return f"{size:.0f} bytes"


def _clock(hour: datetime, environment: Environment) -> str:
    return f"{hour.astimezone(environment.zone):%H:00}"
