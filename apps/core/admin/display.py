"""How values look on the admin's pages."""

import json
import zoneinfo
from datetime import datetime
from typing import Any

from apps.core import dates

# The colours of the theme's labels.
NEUTRAL, GOOD, BUSY, ATTENTION, BAD = "default", "success", "info", "warning", "danger"
DASH = "—"


def moment(when: datetime | None, zone: zoneinfo.ZoneInfo) -> str:
    """A date in a workspace's zone, a dash for none."""
    return dates.render(when, zone) or DASH


def pretty(value: Any) -> str:
    """A JSON value as people read it."""
    return json.dumps(value, indent=2, ensure_ascii=False)


def utc(when: datetime | None) -> str:
    """A date of a row that belongs to no workspace, "Never" for none."""
    return f"{dates.render(when, zoneinfo.ZoneInfo('UTC'))} UTC" if when else "Never"
