"""Dates as callers read and write them."""

import re
import zoneinfo
from datetime import UTC, date, datetime, time, timedelta

from apps.core.errors import BadRequest

LATEST_YEAR = 9998  # a later date could not be shown in every zone
# A plus sign that was not escaped in a URL arrives as a space.
_LOST_PLUS = re.compile(r"(?<=T)([0-9:.]{5,20}) (?=\d\d:\d\d\Z)")


def render(moment: datetime | None, zone: zoneinfo.ZoneInfo) -> str:
    """``Y-m-d H:i:s`` in the workspace's zone, empty for no date."""
    # Not strftime, which writes years before 1000 without their zeros.
    return moment.astimezone(zone).replace(tzinfo=None, microsecond=0).isoformat(" ") if moment else ""


def render_atom(moment: datetime, zone: zoneinfo.ZoneInfo) -> str:
    """ATOM, to the second and with the zone's offset: ``2016-05-03T14:27:20+02:00``."""
    return moment.astimezone(zone).isoformat(timespec="seconds")


def read_atom(name: str, text: str) -> datetime:
    """An RFC 3339 date (ATOM): with an offset or ``Z``; raises ``BadRequest`` naming the parameter."""
    try:
        moment = datetime.fromisoformat(_LOST_PLUS.sub(r"\1+", text))
        if moment.tzinfo is None or moment.year > LATEST_YEAR:
            raise ValueError
        return moment.astimezone(UTC)
    except (ValueError, OverflowError):
        raise BadRequest(
            f"{name} is not a date in ATOM format with an offset, such as 2026-08-15T15:52:01+00:00."
        ) from None


_DAY = r"(?:(?P<y>\d{4})-(?P<m>\d\d)-(?P<d>\d\d)|(?P<d2>\d\d)-(?P<m2>\d\d)-(?P<y2>\d{4}))"
_LOCAL = re.compile(rf"{_DAY}(?:[ T](?P<h>\d\d):(?P<min>\d\d)(?::(?P<s>\d\d))?)?", re.ASCII)


def read_first(name: str, text: str, zone: zoneinfo.ZoneInfo) -> datetime:
    """The moment a period begins: a day or local time of ``zone`` (``Y-m-d`` or ``d-m-Y``), or a date in ATOM format.

    ``24:00:00`` is the midnight after. Raises ``BadRequest`` naming the parameter.
    """
    return _period(name, text, zone)[0]


def read_last(name: str, text: str, zone: zoneinfo.ZoneInfo) -> datetime:
    """The moment just after the period that ``text`` ends: a day counts in full, a time to the end of its second."""
    return _period(name, text, zone)[1]


def _period(name: str, text: str, zone: zoneinfo.ZoneInfo) -> tuple[datetime, datetime]:
    """When the day, minute, second or moment of ``text`` begins, and when the next one does."""
    found = _LOCAL.fullmatch(text)
    if found is None:
        moment = read_atom(name, text)
        return moment, moment + timedelta(microseconds=1) if moment.microsecond else moment + timedelta(seconds=1)
    try:
        begin, end = _local_period(found)
        # An hour that a change of the clocks repeats belongs to the period both times.
        return begin.replace(tzinfo=zone).astimezone(UTC), end.replace(tzinfo=zone, fold=1).astimezone(UTC)
    except (ValueError, OverflowError):
        raise BadRequest(
            f"{name} is no date such as 2026-08-15, 15-08-2026, 2026-08-15 15:52:01 or 2026-08-15T15:52:01+00:00."
        ) from None


def _local_period(found: re.Match[str]) -> tuple[datetime, datetime]:
    part = {key: int(value) for key, value in found.groupdict().items() if value is not None}
    day = date(*(part[name] if name in part else part[f"{name}2"] for name in ("y", "m", "d")))
    if day.year > LATEST_YEAR:
        raise ValueError
    midnight = datetime.combine(day, time())
    if "h" not in part:
        return midnight, midnight + timedelta(days=1)
    if (part["h"], part["min"], part.get("s", 0)) == (24, 0, 0):
        midnight, part["h"] = midnight + timedelta(days=1), 0
    begin = midnight.replace(hour=part["h"], minute=part["min"], second=part.get("s", 0))
    return begin, begin + (timedelta(seconds=1) if "s" in part else timedelta(minutes=1))
