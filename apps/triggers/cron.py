"""Cron expressions: five fields, and the moments they mean in a time zone.

``minute hour day month weekday``, each a ``*``, a number, a name of a month or weekday, a range ``a-b``, a ``*`` or a
range with a step ``/n`` behind it, or several of these with commas. When day and weekday are both restricted, a day
that fits either counts. Where clocks change, an expression that names its hours runs once for each of them: in a
skipped hour at the moment the clocks go forward, in a repeated one the first time. One whose hour begins with ``*``
keeps its pace through both.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

MACROS = {
    "@hourly": "0 * * * *",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@weekly": "0 0 * * 0",
    "@monthly": "0 0 1 * *",
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
}
MONTH_NAMES = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
MONTHS = {name: n for n, name in enumerate(MONTH_NAMES, 1)}
WEEKDAYS = {name: n for n, name in enumerate(["sun", "mon", "tue", "wed", "thu", "fri", "sat"])}
HORIZON = timedelta(days=366 * 9)  # the 29th of February comes within eight years
MOST_PARTS = 60
_RANGE = re.compile(r"(?P<first>[0-9a-z]{1,4})(?:-(?P<last>[0-9a-z]{1,4}))?", re.ASCII)


class CronError(ValueError):
    """The text is no cron expression; the message says which field is wrong."""


@dataclass(frozen=True, slots=True)
class Field:
    """What one field may hold: its bounds, and words for numbers."""

    name: str
    low: int
    high: int
    names: dict[str, int]


FIELDS = (
    Field("minute", 0, 59, {}),
    Field("hour", 0, 23, {}),
    Field("day", 1, 31, {}),
    Field("month", 1, 12, MONTHS),
    Field("weekday", 0, 7, WEEKDAYS),
)


@dataclass(frozen=True, slots=True)
class Cron:
    """A cron expression, read: the numbers each field allows; ``steady`` ones keep their pace when clocks change."""

    minutes: tuple[int, ...]
    hours: tuple[int, ...]
    days: frozenset[int]
    months: frozenset[int]
    weekdays: frozenset[int]
    any_day: bool
    any_weekday: bool
    steady: bool

    def includes(self, day: date) -> bool:
        """Whether it runs on that day at all."""
        if day.month not in self.months:
            return False
        by_day, by_weekday = day.day in self.days, day.isoweekday() % 7 in self.weekdays
        return by_day and by_weekday if self.any_day or self.any_weekday else by_day or by_weekday

    def next_after(self, after: datetime, zone: ZoneInfo) -> datetime | None:
        """The first moment after ``after``, in UTC; none when nine years pass without one."""
        local = after.astimezone(zone).date()
        try:
            days = (local + timedelta(days=n) for n in range(-1, HORIZON.days))
            for day in filter(self.includes, days):
                if found := min((moment for moment in self._moments(day, zone, after) if moment > after), default=None):
                    return found
        except OverflowError:
            pass
        return None

    def _moments(self, day: date, zone: ZoneInfo, after: datetime) -> Iterator[datetime]:
        """The moments of one day, in no order; those long before ``after`` are left out."""
        earliest = after.astimezone(zone).replace(tzinfo=None) - timedelta(hours=3)
        for hour in self.hours:
            for minute in self.minutes:
                local = datetime(day.year, day.month, day.day, hour, minute)
                if local >= earliest:
                    yield from self._moments_of(local, zone)

    def _moments_of(self, local: datetime, zone: ZoneInfo) -> Iterator[datetime]:
        first = local.replace(tzinfo=zone).astimezone(UTC)
        second = local.replace(tzinfo=zone, fold=1).astimezone(UTC)
        if first == second:
            yield first
        elif first < second:  # the clocks show this time twice
            yield first
            if self.steady:
                yield second
        elif not self.steady:  # or never
            yield _change_between(second, first, zone)


def read_cron(text: str) -> Cron:
    """The expression that a text spells; raises ``CronError`` naming the field that cannot be read, or never comes."""
    words = MACROS.get(text.strip().lower(), text).lower().split()
    if len(words) != len(FIELDS):
        raise CronError(f"Write five fields (minute hour day month weekday), not {len(words)}.")
    minutes, hours, days, months, weekdays = (_read(field, word) for field, word in zip(FIELDS, words, strict=True))
    cron = Cron(
        minutes=tuple(sorted(minutes)),
        hours=tuple(sorted(hours)),
        days=frozenset(days),
        months=frozenset(months),
        weekdays=frozenset(number % 7 for number in weekdays),
        any_day=words[2].startswith("*"),
        any_weekday=words[4].startswith("*"),
        steady=words[1].startswith("*"),
    )
    if cron.next_after(datetime(2024, 1, 1, tzinfo=UTC), ZoneInfo("UTC")) is None:
        raise CronError("The day never comes: no month it names has it.")
    return cron


def _read(field: Field, word: str) -> set[int]:
    parts = word.split(",")
    if len(parts) > MOST_PARTS:
        raise CronError(f"The {field.name} has more than {MOST_PARTS} parts.")
    return {number for part in parts for number in _numbers(field, part)}


def _numbers(field: Field, part: str) -> range:
    """The numbers of one part between commas."""
    span, slash, step = part.partition("/")
    if slash and not (step.isascii() and step.isdecimal() and len(step) < 4 and int(step)):
        raise _unreadable(field, part)
    every = int(step) if slash else 1
    if span == "*":
        return range(field.low, field.high + 1, every)
    found = _RANGE.fullmatch(span)
    if found is None:
        raise _unreadable(field, part)
    first = _number(field, found["first"], part)
    last = _number(field, found["last"], part) if found["last"] else first
    if field.names is WEEKDAYS and found["last"] == "sun":
        last = 7  # fri-sun
    if slash and not found["last"]:
        raise CronError(f"The {field.name} {part!r} has a step but no range: write {span}-{field.high}/{step}.")
    if last < first:
        raise CronError(f"The {field.name} {part!r} ends before it begins.")
    return range(first, last + 1, every)


def _number(field: Field, word: str, part: str) -> int:
    if word in field.names:
        return field.names[word]
    if not word.isdecimal():
        raise _unreadable(field, part)
    if not field.low <= int(word) <= field.high:
        raise CronError(f"The {field.name} {part!r} is not between {field.low} and {field.high}.")
    return int(word)


def _unreadable(field: Field, part: str) -> CronError:
    return CronError(f"The {field.name} {part[:20]!r} cannot be read.")


def _change_between(before: datetime, after: datetime, zone: ZoneInfo) -> datetime:
    """The second at which the zone's clocks change between two moments."""
    offset = before.astimezone(zone).utcoffset()
    low, high = int(before.timestamp()), int(after.timestamp())
    while high - low > 1:
        middle = (low + high) // 2
        if datetime.fromtimestamp(middle, zone).utcoffset() == offset:
            low = middle
        else:
            high = middle
    return datetime.fromtimestamp(high, UTC)
