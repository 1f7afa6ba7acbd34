"""Dates as callers read and write them."""

import zoneinfo
from datetime import UTC, datetime

from apps.core.errors import BadRequest

OUT = "%Y-%m-%d %H:%M:%S"


def render(moment: datetime | None, zone: zoneinfo.ZoneInfo) -> str:
    """``Y-m-d H:i:s`` in the workspace's zone, empty for no date."""
    return moment.astimezone(zone).strftime(OUT) if moment else ""


def read_atom(name: str, text: str) -> datetime:
    """An RFC 3339 date (ATOM): with an offset or ``Z``; raises ``BadRequest`` naming the parameter."""
    try:
        moment = datetime.fromisoformat(text)
        if moment.tzinfo is None:
            raise ValueError
        return moment.astimezone(UTC)
    except (ValueError, OverflowError):
        raise BadRequest(
            f"{name} is not a date in ATOM format with an offset, such as 2026-08-15T15:52:01+00:00."
        ) from None
