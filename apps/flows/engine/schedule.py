"""When a wait is over: after a duration, at a time of day, at a date."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from .durations import LONGEST


class ScheduleError(ValueError):
    """The date of a wait cannot be read, or is further away than ten years."""


class TimezoneError(ValueError):
    """There is no time zone of that name."""


@dataclass(frozen=True, slots=True)
class Schedule:
    """The fixed part of a wait: a duration, then on to a time of day, in a zone (None: the host's)."""

    duration: timedelta = timedelta(0)
    time_of_day: time | None = None
    zone: ZoneInfo | None = None

    def over_at(self, entered: datetime, default_zone: ZoneInfo) -> datetime:
        """The moment, in UTC, when a wait entered at that moment is over."""
        moment = entered.astimezone(UTC) + self.duration
        if self.time_of_day is None:
            return moment
        return next_time_of_day(moment, self.time_of_day, self.zone or default_zone)

    def moment(self, text: object, entered: datetime, default_zone: ZoneInfo) -> datetime:
        """The moment, in UTC, that a date in ISO 8601 names; raises ScheduleError."""
        try:
            moment = datetime.fromisoformat(text if isinstance(text, str) else "")
            if moment.tzinfo is None:
                moment = moment.replace(tzinfo=self.zone or default_zone)
            moment = moment.astimezone(UTC)
        except (ValueError, OverflowError):
            raise ScheduleError("the date of the wait is not ISO 8601, like 2026-05-01T09:00:00Z") from None
        if moment > entered + LONGEST:
            raise ScheduleError("the date of the wait is more than ten years away")
        return moment


def next_time_of_day(moment: datetime, time_of_day: time, zone: ZoneInfo) -> datetime:
    """The first moment, in UTC, at or after ``moment`` when clocks of the zone show that time."""
    day = moment.astimezone(zone).date()
    candidate = _local(day, time_of_day, zone)
    return candidate if candidate >= moment else _local(day + timedelta(days=1), time_of_day, zone)


def read_time_of_day(text: str) -> time:
    """The time that HH:MM spells."""
    return time.fromisoformat(text)


def read_timezone(name: str) -> ZoneInfo:
    """The zone of that name; raises TimezoneError."""
    try:
        return ZoneInfo(name)
    except (ValueError, OSError, KeyError):
        raise TimezoneError(f"unknown time zone '{name[:64]}'") from None


def _local(day: date, time_of_day: time, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, time_of_day, zone).astimezone(UTC)
