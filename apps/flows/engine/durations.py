"""Durations: ISO 8601 without months and years (P2D, PT1S, P1DT2H) and the short forms 15s, 10m, 2h and 1d."""

import re
from datetime import timedelta

LONGEST = timedelta(days=3660)

_SHORT = re.compile(r"(?P<count>[0-9]{1,9})(?P<unit>[smhd])", re.ASCII)
_ISO = re.compile(
    r"P(?=.)(?:(?P<weeks>[0-9]{1,9})W)?(?:(?P<days>[0-9]{1,9})D)?"
    r"(?:T(?=.)(?:(?P<hours>[0-9]{1,9})H)?(?:(?P<minutes>[0-9]{1,9})M)?(?:(?P<seconds>[0-9]{1,9}(?:\.[0-9]{1,6})?)S)?)?",
    re.ASCII,
)
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}


class DurationError(ValueError):
    """The text is no duration, or longer than ten years."""


def parse_duration(text: str) -> timedelta:
    """The duration that the text spells; raises DurationError."""
    parts = _parts(text.strip())
    if parts is None:
        raise DurationError(f"'{text[:40]}' is no duration: write 15s, 10m, 2h, 1d or ISO 8601 like P2D or PT1H30M")
    duration = timedelta(**parts)
    if duration > LONGEST:
        raise DurationError(f"'{text[:40]}' is longer than ten years")
    return duration


def _parts(text: str) -> dict[str, float] | None:
    if short := _SHORT.fullmatch(text):
        return {_UNITS[short["unit"]]: int(short["count"])}
    if iso := _ISO.fullmatch(text):
        return {unit: float(count) for unit, count in iso.groupdict().items() if count is not None}
    return None
