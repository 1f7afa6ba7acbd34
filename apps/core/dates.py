"""Dates as callers read and write them."""

import re
import zoneinfo
from datetime import UTC, datetime

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
