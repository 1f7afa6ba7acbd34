import zoneinfo
from datetime import UTC, datetime

import pytest

from apps.core.dates import read_atom, render
from apps.core.errors import BadRequest

AMSTERDAM = zoneinfo.ZoneInfo("Europe/Amsterdam")


@pytest.mark.parametrize(
    ("moment", "zone", "shown"),
    [
        (datetime(2026, 1, 15, 11, 0, 0, tzinfo=UTC), "Europe/Amsterdam", "2026-01-15 12:00:00"),
        (datetime(2026, 7, 15, 11, 0, 0, tzinfo=UTC), "Europe/Amsterdam", "2026-07-15 13:00:00"),
        (datetime(2026, 1, 15, 23, 30, 59, 999_999, tzinfo=UTC), "Asia/Kolkata", "2026-01-16 05:00:59"),
        (datetime(2026, 1, 15, 11, 0, 0, tzinfo=UTC), "UTC", "2026-01-15 11:00:00"),
        (datetime(7, 1, 15, 11, 0, 0, tzinfo=UTC), "UTC", "0007-01-15 11:00:00"),
    ],
)
def test_dates_are_shown_in_the_zone(moment: datetime, zone: str, shown: str) -> None:
    assert render(moment, zoneinfo.ZoneInfo(zone)) == shown


def test_no_date_is_empty() -> None:
    assert render(None, AMSTERDAM) == ""


@pytest.mark.parametrize(
    "text",
    [
        "2026-08-15T15:52:01+00:00",
        "2026-08-15T15:52:01Z",
        "2026-08-15T17:52:01+02:00",
        "2026-08-15T05:22:01.000-10:30",
        # A plus sign that nobody escaped in a URL arrives as a space.
        "2026-08-15T15:52:01 00:00",
        "2026-08-15T17:52:01 02:00",
    ],
)
def test_atom_dates_become_utc(text: str) -> None:
    moment = read_atom("X-Executiontime", text)
    assert (moment, moment.tzinfo) == (datetime(2026, 8, 15, 15, 52, 1, tzinfo=UTC), UTC)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "now",
        "2026-08-15",
        "2026-08-15T15:52:01",
        "2026-08-15 15:52",
        "2026-13-01T00:00:00Z",
        "2026-02-30T00:00:00Z",
        "0001-01-01T00:00:00+23:59",
        "9999-12-31T23:59:59-23:59",
        "10000-01-01T00:00:00Z",
        "2026-08-15T15:52:01+00:00\n",
    ],
)
def test_other_dates_are_refused_by_name(text: str) -> None:
    with pytest.raises(BadRequest) as caught:
        read_atom("X-Executiontime", text)
    assert caught.value.message == (
        "X-Executiontime is not a date in ATOM format with an offset, such as 2026-08-15T15:52:01+00:00."
    )
