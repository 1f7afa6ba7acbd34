from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from apps.flows.engine.schedule import Schedule, ScheduleError, TimezoneError, next_time_of_day, read_timezone

AMSTERDAM = ZoneInfo("Europe/Amsterdam")


def at(text: str) -> datetime:
    return datetime.fromisoformat(text)


@pytest.mark.parametrize(
    ("moment", "time_of_day", "expected"),
    [
        ("2026-05-01T06:59:59Z", time(9), "2026-05-01T07:00:00Z"),
        ("2026-05-01T07:00:00Z", time(9), "2026-05-01T07:00:00Z"),
        ("2026-05-01T07:00:01Z", time(9), "2026-05-02T07:00:00Z"),
        ("2026-05-01T22:30:00Z", time(0, 15), "2026-05-02T22:15:00Z"),
        # Clocks go from 02:00 to 03:00: the time that does not exist is an hour later on the clock.
        ("2026-03-28T23:30:00Z", time(2, 30), "2026-03-29T01:30:00Z"),
        # Clocks go back from 03:00 to 02:00: the first of the two.
        ("2026-10-24T23:30:00Z", time(2, 30), "2026-10-25T00:30:00Z"),
        # The second 02:30 of that night is not waited for again.
        ("2026-10-25T00:45:00Z", time(2, 30), "2026-10-26T01:30:00Z"),
    ],
)
def test_the_next_time_of_day_in_its_zone(moment: str, time_of_day: time, expected: str) -> None:
    assert next_time_of_day(at(moment), time_of_day, AMSTERDAM) == at(expected)


def test_a_duration_then_a_time_of_day() -> None:
    schedule = Schedule(timedelta(days=2), time(9), AMSTERDAM)
    assert schedule.over_at(at("2026-05-01T08:00:00Z"), ZoneInfo("UTC")) == at("2026-05-04T07:00:00Z")


def test_without_a_zone_of_its_own_it_is_that_of_the_host() -> None:
    entered = at("2026-05-01T08:00:00Z")
    assert Schedule(time_of_day=time(9)).over_at(entered, AMSTERDAM) == at("2026-05-02T07:00:00Z")
    assert Schedule().moment("2026-05-02", entered, AMSTERDAM) == at("2026-05-01T22:00:00Z")
    assert Schedule(zone=ZoneInfo("Asia/Tokyo")).moment("2026-05-02T09:00", entered, AMSTERDAM) == at(
        "2026-05-02T00:00Z"
    )


def test_a_date_with_an_offset_keeps_it() -> None:
    entered = at("2026-05-01T08:00:00Z")
    assert Schedule().moment("2026-05-02T09:00:00-05:00", entered, AMSTERDAM) == datetime(2026, 5, 2, 14, tzinfo=UTC)


@pytest.mark.parametrize("text", ["", "tomorrow", None, 20260501, "2026-02-30", "0001-01-01T00:00:00+14:00"])
def test_what_is_no_date_is_refused(text: object) -> None:
    with pytest.raises(ScheduleError, match="is not ISO 8601"):
        Schedule().moment(text, at("2026-05-01T08:00:00Z"), AMSTERDAM)


def test_a_date_beyond_ten_years_is_refused() -> None:
    with pytest.raises(ScheduleError, match="more than ten years away"):
        Schedule().moment("9999-01-01", at("2026-05-01T08:00:00Z"), AMSTERDAM)


@pytest.mark.parametrize("name", ["Mars/Olympus", "", "../../etc/passwd", "Europe", "/etc/passwd", "a\0b"])
def test_an_unknown_zone_is_refused(name: str) -> None:
    with pytest.raises(TimezoneError, match="unknown time zone"):
        read_timezone(name)
