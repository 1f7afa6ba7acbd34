from datetime import timedelta

import pytest

from apps.flows.engine.durations import DurationError, parse_duration


@pytest.mark.parametrize(
    ("text", "duration"),
    [
        ("15s", timedelta(seconds=15)),
        ("10m", timedelta(minutes=10)),
        ("2h", timedelta(hours=2)),
        ("1d", timedelta(days=1)),
        ("0s", timedelta(0)),
        ("P2D", timedelta(days=2)),
        ("PT1S", timedelta(seconds=1)),
        ("PT0.25S", timedelta(milliseconds=250)),
        ("P1DT2H", timedelta(days=1, hours=2)),
        ("P1W", timedelta(weeks=1)),
        ("PT1H30M15S", timedelta(hours=1, minutes=30, seconds=15)),
        (" P3660D ", timedelta(days=3660)),
    ],
)
def test_a_duration_is_read(text: str, duration: timedelta) -> None:
    assert parse_duration(text) == duration


@pytest.mark.parametrize(
    "text",
    [
        "",
        "P",
        "PT",
        "P1DT",
        "15",
        "s",
        "1.5h",
        "-1d",
        "P1M",
        "P1Y",
        "P-1D",
        "1d2h",
        "PT1H1D",
        "p1d",
        "١s",
        "1d\n2h",
        "P1.5D",
    ],
)
def test_what_is_no_duration_is_refused(text: str) -> None:
    with pytest.raises(DurationError, match="is no duration: write 15s, 10m, 2h, 1d or ISO 8601"):
        parse_duration(text)


@pytest.mark.parametrize("text", ["3661d", "P3660DT1S", "999999999d"])
def test_more_than_ten_years_are_refused(text: str) -> None:
    with pytest.raises(DurationError, match="is longer than ten years"):
        parse_duration(text)
