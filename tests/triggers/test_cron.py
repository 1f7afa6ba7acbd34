"""Cron expressions: what can be read, and when they run, also where clocks change."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from apps.triggers.cron import CronError, read_cron
from apps.triggers.intervals import IntervalError, next_multiple, read_interval

AMSTERDAM = ZoneInfo("Europe/Amsterdam")  # 2026: forward on 29 March at 02:00, back on 25 October at 03:00


def runs(text: str, after: str, count: int, zone: ZoneInfo = AMSTERDAM) -> list[str]:
    """The next dates as the zone's clocks show them, with their offset."""
    cron, moment, found = read_cron(text), datetime.fromisoformat(after).astimezone(UTC), []
    for _ in range(count):
        following = cron.next_after(moment, zone)
        assert following is not None
        assert following > moment
        moment = following
        found.append(moment.astimezone(zone).strftime("%Y-%m-%d %H:%M%z"))
    return found


@pytest.mark.parametrize(
    ("text", "after", "expected"),
    [
        ("* * * * *", "2026-06-01T10:00:00+02:00", ["2026-06-01 10:01+0200", "2026-06-01 10:02+0200"]),
        ("*/20 * * * *", "2026-06-01T10:50:30+02:00", ["2026-06-01 11:00+0200", "2026-06-01 11:20+0200"]),
        ("0 9 * * mon-fri", "2026-06-05T09:00:00+02:00", ["2026-06-08 09:00+0200", "2026-06-09 09:00+0200"]),
        ("30 8,17 * * 1-5/2", "2026-06-05T08:30:00+02:00", ["2026-06-05 17:30+0200", "2026-06-08 08:30+0200"]),
        ("0 0 1 jan *", "2026-06-01T00:00:00+02:00", ["2027-01-01 00:00+0100", "2028-01-01 00:00+0100"]),
        ("0 0 29 feb *", "2026-06-01T00:00:00+02:00", ["2028-02-29 00:00+0100", "2032-02-29 00:00+0100"]),
        ("0 12 31 * *", "2026-06-01T00:00:00+02:00", ["2026-07-31 12:00+0200", "2026-08-31 12:00+0200"]),
        ("0 0 * * 0", "2026-06-01T00:00:00+02:00", ["2026-06-07 00:00+0200", "2026-06-14 00:00+0200"]),
        ("0 0 * * 7", "2026-06-01T00:00:00+02:00", ["2026-06-07 00:00+0200", "2026-06-14 00:00+0200"]),
        ("0 0 * * FRI-SUN", "2026-06-05T00:00:00+02:00", ["2026-06-06 00:00+0200", "2026-06-07 00:00+0200"]),
        ("0 0 13 * fri", "2026-06-01T00:00:00+02:00", ["2026-06-05 00:00+0200", "2026-06-12 00:00+0200"]),
        ("0 0 13 * */7", "2026-06-01T00:00:00+02:00", ["2026-09-13 00:00+0200", "2026-12-13 00:00+0100"]),
        ("0 0 */2 * mon", "2026-06-01T00:00:00+02:00", ["2026-06-15 00:00+0200", "2026-06-29 00:00+0200"]),
        ("@weekly", "2026-06-01T00:00:00+02:00", ["2026-06-07 00:00+0200", "2026-06-14 00:00+0200"]),
        (" @Daily ", "2026-06-01T00:00:00+02:00", ["2026-06-02 00:00+0200", "2026-06-03 00:00+0200"]),
    ],
)
def test_when_it_runs(text: str, after: str, expected: list[str]) -> None:
    assert runs(text, after, 2) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        # Hours that are named run once for each of them, a skipped one when the clocks go forward.
        ("30 2 * * *", ["2026-03-28 02:30+0100", "2026-03-29 03:00+0200", "2026-03-30 02:30+0200"]),
        ("*/15 2 * * *", ["2026-03-28 02:45+0100", "2026-03-29 03:00+0200", "2026-03-30 02:00+0200"]),
        ("0 2,3 * * *", ["2026-03-28 03:00+0100", "2026-03-29 03:00+0200", "2026-03-30 02:00+0200"]),
        # A star keeps its pace.
        ("0 * * * *", ["2026-03-28 03:00+0100", "2026-03-28 04:00+0100", "2026-03-28 05:00+0100"]),
    ],
)
def test_clocks_that_go_forward(text: str, expected: list[str]) -> None:
    assert (
        runs(text, "2026-03-28T02:30:00+01:00" if text != "30 2 * * *" else "2026-03-28T02:00:00+01:00", 3) == expected
    )


def test_a_star_passes_over_the_hour_that_is_not_there() -> None:
    assert runs("0,30 * * * *", "2026-03-29T01:30:00+01:00", 2) == ["2026-03-29 03:00+0200", "2026-03-29 03:30+0200"]


def test_clocks_that_go_back() -> None:
    start = "2026-10-25T01:59:00+02:00"
    assert runs("30 2 * * *", start, 2) == ["2026-10-25 02:30+0200", "2026-10-26 02:30+0100"]
    assert runs("*/30 * * * *", start, 5) == [
        "2026-10-25 02:00+0200",
        "2026-10-25 02:30+0200",
        "2026-10-25 02:00+0100",
        "2026-10-25 02:30+0100",
        "2026-10-25 03:00+0100",
    ]
    # Asked in the middle of the repeated hour, what has run does not run again.
    assert runs("30 2 * * *", "2026-10-25T02:10:00+01:00", 1) == ["2026-10-26 02:30+0100"]


@pytest.mark.parametrize(
    ("zone", "after", "text", "expected"),
    [
        ("America/Sao_Paulo", "2018-11-03T12:00:00-03:00", "0 0 * * *", "2018-11-04 01:00-0200"),  # midnight is skipped
        ("Pacific/Apia", "2011-12-29T12:00:00-10:00", "0 9 * * *", "2011-12-31 00:00+1400"),  # a day is skipped
        ("Australia/Lord_Howe", "2026-10-03T12:00:00+10:30", "15 2 * * *", "2026-10-04 02:30+1100"),  # half an hour
        ("Asia/Kathmandu", "2026-01-01T00:00:00+05:45", "0 0 * * *", "2026-01-02 00:00+0545"),
        ("UTC", "2026-01-01T00:00:00+00:00", "0 0 1 1 *", "2027-01-01 00:00+0000"),
    ],
)
def test_other_zones(zone: str, after: str, text: str, expected: str) -> None:
    assert runs(text, after, 1, ZoneInfo(zone)) == [expected]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "Write five fields (minute hour day month weekday), not 0."),
        ("* * * *", "Write five fields (minute hour day month weekday), not 4."),
        ("* * * * * *", "Write five fields (minute hour day month weekday), not 6."),
        ("@reboot", "Write five fields (minute hour day month weekday), not 1."),
        ("60 * * * *", "The minute '60' is not between 0 and 59."),
        ("* 24 * * *", "The hour '24' is not between 0 and 23."),
        ("* * 0 * *", "The day '0' is not between 1 and 31."),
        ("* * * 13 *", "The month '13' is not between 1 and 12."),
        ("* * * * 8", "The weekday '8' is not between 0 and 7."),
        ("* * * mon *", "The month 'mon' cannot be read."),
        ("5/15 * * * *", "The minute '5/15' has a step but no range: write 5-59/15."),
        ("*/0 * * * *", "The minute '*/0' cannot be read."),
        ("*/ * * * *", "The minute '*/' cannot be read."),
        ("1-5-9 * * * *", "The minute '1-5-9' cannot be read."),
        ("9-5 * * * *", "The minute '9-5' ends before it begins."),
        ("1,,2 * * * *", "The minute '' cannot be read."),
        ("-1 * * * *", "The minute '-1' cannot be read."),
        ("1.5 * * * *", "The minute '1.5' cannot be read."),
        ("٣ * * * *", "The minute '٣' cannot be read."),
        ("? * * * *", "The minute '?' cannot be read."),
        ("* * L * *", "The day 'l' cannot be read."),
        ("* * * * fri#2", "The weekday 'fri#2' cannot be read."),
        ("0 0 30 feb *", "The day never comes: no month it names has it."),
        ("0 0 31 4,6,9,11 *", "The day never comes: no month it names has it."),
        (",".join(["1"] * 61) + " * * * *", "The minute has more than 60 parts."),
    ],
)
def test_what_cannot_be_read(text: str, message: str) -> None:
    with pytest.raises(CronError) as caught:
        read_cron(text)
    assert str(caught.value) == message


def test_nothing_is_promised_beyond_the_last_year() -> None:
    assert read_cron("0 0 1 1 *").next_after(datetime(9999, 6, 1, tzinfo=UTC), ZoneInfo("UTC")) is None


FIELDS = st.tuples(
    st.sampled_from(["*", "0", "*/7", "13,47", "5-25/10"]),
    st.sampled_from(["*", "*/5", "2", "0,2,3", "22-23"]),
    st.sampled_from(["*", "1", "25,29", "*/3"]),
    st.sampled_from(["*", "3", "mar,oct"]),
    st.sampled_from(["*", "sun", "1-5", "*/2"]),
)


@given(FIELDS, st.sampled_from(["2026-03-27", "2026-10-23"]), st.integers(0, 3 * 24 * 60))
@settings(max_examples=150)
def test_a_slow_clock_finds_the_same(fields: tuple[str, ...], day: str, minutes: int) -> None:
    """Minute by minute through days on which clocks change."""
    cron = read_cron(" ".join(fields))

    def fits(moment: datetime) -> bool:
        local = moment.astimezone(AMSTERDAM)
        shown = cron.includes(local.date()) and local.hour in cron.hours and local.minute in cron.minutes
        return shown and (cron.steady or local.fold == 0)

    def goes_forward(moment: datetime) -> bool:
        offsets = [when.astimezone(AMSTERDAM).utcoffset() for when in (moment, moment - timedelta(minutes=1))]
        return offsets[0] > offsets[1]

    after = datetime.fromisoformat(day).replace(tzinfo=UTC) + timedelta(minutes=minutes)
    found = cron.next_after(after, AMSTERDAM)
    assert found is not None
    assert fits(found) or (goes_forward(found) and not cron.steady)
    moment = after + timedelta(minutes=1)
    while moment < min(found, after + timedelta(days=2)):
        assert not fits(moment)
        moment += timedelta(minutes=1)


# --- Intervals --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "seconds"), [("10s", 10), ("15m", 900), ("2h", 7200), ("1d", 86400), ("PT1H30M", 5400), ("P1W", 604800)]
)
def test_intervals(text: str, seconds: int) -> None:
    assert read_interval(text) == timedelta(seconds=seconds)


@pytest.mark.parametrize("text", ["", "9s", "0s", "-1h", "1", "1 h", "P1M", "1y", "9999999d"])
def test_intervals_that_cannot_be_kept(text: str) -> None:
    with pytest.raises(IntervalError):
        read_interval(text)


def test_multiples_count_from_the_beginning() -> None:
    begin = datetime(2026, 1, 1, 12, tzinfo=UTC)
    step = timedelta(minutes=15)
    for after, expected in ((-1000, 0), (-1, 0), (0, 15), (14, 15), (15, 30), (1000, 1005)):
        found = next_multiple(begin, step, begin + timedelta(minutes=after))
        assert found == begin + timedelta(minutes=expected)
