"""The types of columns: how a value of each is read, written, and what PostgreSQL keeps it as."""

import json
import re
import zoneinfo
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Context, Decimal
from typing import Any

from psycopg.types.json import Jsonb

from apps.core import dates
from apps.core.errors import BadRequest
from apps.core.jsonio import JSON, StoredJSONDecoder, check_value, read_json, write_json
from apps.tables.models import Kind

MOST_CHARACTERS = 65_535
MOST_DIGITS = 15  # what every reader of JSON numbers keeps exactly
_WHOLE = re.compile(r"[+-]?[0-9]{1,19}\Z")
_DECIMAL = re.compile(r"[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]{1,3})?\Z")
_LONGEST_NUMBER = 64
_WIDE = Context(prec=2 * _LONGEST_NUMBER)
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}\Z")
_MOMENT = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}([ T][0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]{1,6})?)?(Z|[+-][0-9:]{4,6})?)?\Z"
)
_DAY_FIRST = re.compile(r"([0-9]{2})-([0-9]{2})-([0-9]{4})")
_END_OF_DAY = re.compile(r"(?<=[ T])24:00(:00)?(?=\Z|[Z+-])")
_YES = frozenset({"true", "yes", "1"})
_NO = frozenset({"false", "no", "0"})

Value = str | int | Decimal | bool | date | datetime | Jsonb | None
Zone = zoneinfo.ZoneInfo


class Unreadable(ValueError):
    """A value that is not of the column's type; its text says what would be, as the end of "… must be"."""


@dataclass(frozen=True, slots=True)
class Type:
    """One type: its name in PostgreSQL, what it must be in words, its reader and writer."""

    sql: str
    read: Callable[[Any, Zone], Value]
    show: Callable[[Any, Zone], JSON]


def read(kind: str, value: Any, zone: Zone) -> Value:
    """The value as the column keeps it, ``None`` for none; texts of numbers and dates are understood.

    An empty text is no value for every type but text. Raises ``Unreadable``.
    """
    if value is None and kind != Kind.JSON:
        return None
    if isinstance(value, str) and kind not in (Kind.TEXT, Kind.JSON):
        value = value.strip()
        if not value:
            return None
    return TYPES[Kind(kind)].read(value, zone)


def from_text(kind: str, text: str) -> JSON:
    """The value, as callers would send it, that people wrote as text; an empty one is none.

    Raises ``Unreadable`` for a text that is no JSON where it should be.
    """
    if not text or (kind != Kind.TEXT and not text.strip()):
        return None
    if kind != Kind.JSON:
        return text
    try:
        return read_json(text)
    except BadRequest as error:
        raise Unreadable(f"a JSON document: {error.message}") from None


def read_text(kind: str, text: str, zone: Zone) -> Value:
    """The value of a text in a form, a default or a CSV file as the column keeps it; raises ``Unreadable``."""
    return read(kind, from_text(kind, text), zone)


def show(kind: str, value: Any, zone: Zone) -> JSON:
    """The value as callers see it."""
    return None if value is None else TYPES[Kind(kind)].show(value, zone)


def show_text(kind: str, value: Any, zone: Zone) -> str:
    """The value as ``read_text`` reads it back."""
    shown = show(kind, value, zone)
    if shown is None:
        return ""
    return shown if isinstance(shown, str) and kind != Kind.JSON else write_json(shown).decode()


def _read_text(value: Any, zone: Zone) -> str:
    if isinstance(value, bool):
        value = "true" if value else "false"
    elif isinstance(value, int | float):
        value = write_json(value).decode()
    if not isinstance(value, str):
        raise Unreadable("a text")
    return _storable(value)


def _storable(text: str) -> str:
    if len(text) > MOST_CHARACTERS:
        raise Unreadable(f"a text of at most {MOST_CHARACTERS} characters")
    if "\0" in text or any("\ud800" <= character <= "\udfff" for character in text):
        raise Unreadable("a text without NUL characters and lone surrogates")
    return text


def _read_integer(value: Any, zone: Zone) -> int:
    if isinstance(value, str) and _WHOLE.match(value):
        value = int(value)
    if isinstance(value, float) and value.is_integer() and abs(value) <= 2**53:
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int) or not -(2**63) <= value < 2**63:
        raise Unreadable("a whole number of 64 bits")
    return value


def _read_decimal(value: Any, zone: Zone) -> Decimal:
    if isinstance(value, bool) or not isinstance(value, str | int | float | Decimal):
        raise Unreadable("a number")
    text = str(value)
    if len(text) > _LONGEST_NUMBER or not _DECIMAL.match(text):
        raise Unreadable("a number")
    return _exact(Decimal(text))


def _exact(number: Decimal) -> Decimal:
    """Without zeros that say nothing; raises ``Unreadable`` for digits that a JSON number would lose."""
    number = number.normalize(_WIDE)
    _, digits, exponent = number.as_tuple()
    lowest, highest = int(exponent), int(exponent) + len(digits)
    if number and (len(digits) > MOST_DIGITS or lowest < -MOST_DIGITS or highest > MOST_DIGITS):
        raise Unreadable(f"a number of at most {MOST_DIGITS} digits, before and after the point together")
    return number or Decimal(0)


def _show_decimal(value: Decimal, zone: Zone) -> int | float:
    return int(value) if value == value.to_integral_value() else float(value)


def _read_boolean(value: Any, zone: Zone) -> bool:
    if isinstance(value, bool):
        return value
    word = str(value).lower() if isinstance(value, str | int) else ""
    if word in _YES | _NO:
        return word in _YES
    raise Unreadable("true or false")


def _read_date(value: Any, zone: Zone) -> date:
    if isinstance(value, date) and not isinstance(value, datetime):
        return value
    try:
        if isinstance(value, str) and _DATE.match(text := _year_first(value)):
            return date.fromisoformat(text)
    except ValueError:
        pass
    raise Unreadable("a date such as 2026-08-15")


def _read_datetime(value: Any, zone: Zone) -> datetime:
    try:
        moment = value if isinstance(value, datetime) else _parse_datetime(value)
        local = moment if moment.tzinfo else moment.replace(tzinfo=zone)
        moment = local.astimezone(UTC)
    except (TypeError, ValueError, OverflowError):
        raise Unreadable("a date and time such as 2026-08-15 15:52:01 or 2026-08-15T15:52:01+02:00") from None
    if not 2 <= moment.year <= dates.LATEST_YEAR:
        raise Unreadable(f"a date of the years 2 to {dates.LATEST_YEAR}")
    return moment.replace(microsecond=0)


def _parse_datetime(text: Any) -> datetime:
    """ATOM, or without an offset, or a date alone; day first is understood, and 24:00 is the next midnight."""
    text = _year_first(text)
    midnight = _END_OF_DAY.sub(r"00:00\1", text)
    if not _MOMENT.match(midnight):
        raise ValueError
    return datetime.fromisoformat(midnight) + timedelta(days=midnight != text)


def _year_first(text: str) -> str:
    return _DAY_FIRST.sub(r"\3-\2-\1", text, count=1) if _DAY_FIRST.match(text) else text


def _read_json(value: Any, zone: Zone) -> Jsonb | None:
    if value is None:
        return None
    try:
        check_value(value)
    except BadRequest as error:
        raise Unreadable(f"a JSON document: {error.message}") from None
    if len(write_json(value)) > MOST_CHARACTERS:
        raise Unreadable(f"a JSON document of at most {MOST_CHARACTERS} bytes")
    return Jsonb(value)


def _show_json(value: Any, zone: Zone) -> JSON:
    if isinstance(value, Jsonb):
        return value.obj
    stored: JSON = json.loads(value, cls=StoredJSONDecoder)
    return stored


def _as_it_is(value: Any, zone: Zone) -> Any:
    return value


TYPES: dict[Kind, Type] = {
    Kind.TEXT: Type("text", _read_text, _as_it_is),
    Kind.INTEGER: Type("bigint", _read_integer, _as_it_is),
    Kind.DECIMAL: Type("numeric", _read_decimal, _show_decimal),
    Kind.BOOLEAN: Type("boolean", _read_boolean, _as_it_is),
    Kind.DATE: Type("date", _read_date, lambda value, zone: value.isoformat()),
    Kind.DATETIME: Type("timestamptz", _read_datetime, dates.render),
    Kind.JSON: Type("jsonb", _read_json, _show_json),
}
