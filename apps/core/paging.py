"""Which part of a result is asked for: ``limit`` and ``offset`` as numbers or as texts of digits."""

from dataclasses import dataclass
from typing import Any

from apps.core.errors import BadRequest

MOST_OFFSET = 10_000_000


@dataclass(frozen=True, slots=True)
class Page:
    """At most ``limit`` rows after the first ``offset``."""

    limit: int
    offset: int


def read_page(limit: Any, offset: Any, *, default: int, most: int) -> Page:
    """The page asked for; ``None`` and ``""`` stand for the default, and a limit above ``most`` is cut to it.

    Raises ``BadRequest`` naming what is no whole number, a limit below 1 or an offset below 0.
    """
    return Page(
        limit=min(_number("limit", limit, default, least=1), most),
        offset=_number("offset", offset, 0, least=0),
    )


def _number(name: str, value: Any, default: int, least: int) -> int:
    if value is None or value == "":
        return default
    number = int(value) if isinstance(value, str) and value.isascii() and value.isdecimal() else value
    if isinstance(number, bool) or not isinstance(number, int) or number < least:
        raise BadRequest(f"{name} must be a whole number of at least {least}.")
    if name == "offset" and number > MOST_OFFSET:
        raise BadRequest(f"offset must be at most {MOST_OFFSET}.")
    return number
