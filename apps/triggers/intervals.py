"""Schedules by interval: the same time from one run to the next, whatever the clocks of a zone do."""

from datetime import datetime, timedelta

from apps.flows.engine.durations import DurationError, parse_duration

SHORTEST = timedelta(seconds=10)


class IntervalError(ValueError):
    """The text is no interval that a schedule can keep."""


def read_interval(text: str) -> timedelta:
    """The time between two runs: a duration of flows, ten seconds to ten years; raises ``IntervalError``."""
    try:
        interval = parse_duration(text)
    except DurationError as error:
        raise IntervalError(f"{error}.") from None
    if interval < SHORTEST:
        raise IntervalError(f"An interval is at least {SHORTEST.seconds} seconds.")
    return interval


def next_multiple(begin: datetime, interval: timedelta, after: datetime) -> datetime:
    """The first moment after ``after`` that is whole intervals from ``begin``; ``begin`` itself while it is ahead."""
    if after < begin:
        return begin
    return begin + ((after - begin) // interval + 1) * interval
