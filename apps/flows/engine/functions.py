"""The functions of the expression language; nothing else can be called.

Text functions read null as empty text. Dates are ISO 8601 text; a time without an offset counts as UTC.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote

from . import operators
from .operators import MAX_LIST, MAX_TEXT, OperationError, bounded_number, bounded_size, is_number, kind
from .values import ValueRefused, measure, to_text


@dataclass(frozen=True, slots=True)
class Function:
    """One function of the language and how many arguments it takes."""

    call: Callable[..., Any]
    least: int
    most: int
    usage: str


def _text(value: Any) -> str:
    if value is None:
        return ""
    if not isinstance(value, str):
        raise OperationError(f"needs text, not {kind(value)}")
    bounded_size(len(value), MAX_TEXT)
    return value


def _number(value: Any) -> Any:
    if not is_number(value):
        raise OperationError(f"needs a number, not {kind(value)}")
    return value


def _list(value: Any) -> list[Any]:
    if value is None:
        return []
    if not isinstance(value, list):
        raise OperationError(f"needs a list, not {kind(value)}")
    bounded_size(len(value), MAX_LIST)
    return value


def _len(value: Any) -> int:
    if value is None:
        return 0
    if isinstance(value, str | list | dict):
        return len(value)
    raise OperationError(f"needs text, a list or an object, not {kind(value)}")


def _cased(change: Callable[[str], str]) -> Callable[[Any], str]:
    def apply(value: Any) -> str:
        text = change(_text(value))
        bounded_size(len(text), MAX_TEXT)
        return text

    return apply


def _int(value: Any) -> Any:
    if not (is_number(value) or isinstance(value, str)):
        raise OperationError(f"needs a number or text, not {kind(value)}")
    try:
        number = int(value)
    except (ValueError, OverflowError):
        raise OperationError("is no whole number") from None
    return bounded_number(number)


def _float(value: Any) -> Any:
    if not (is_number(value) or isinstance(value, str)):
        raise OperationError(f"needs a number or text, not {kind(value)}")
    try:
        number = float(value)
    except ValueError:
        raise OperationError("is no number") from None
    if not math.isfinite(number):
        raise OperationError("is no finite number")
    return number


def _str(value: Any) -> str:
    try:
        measure(value, MAX_TEXT)
    except ValueRefused as refusal:
        raise OperationError(str(refusal)) from None
    return to_text(value)


def _round(value: Any, digits: Any = 0) -> Any:
    if not isinstance(digits, int) or isinstance(digits, bool) or not 0 <= digits <= 15:
        raise OperationError("takes 0 to 15 decimals")
    number = _number(value)
    return bounded_number(round(number, digits) if digits else round(number))


def _abs(value: Any) -> Any:
    return bounded_number(abs(_number(value)))


def _comparable(values: tuple[Any, ...]) -> list[Any]:
    items = _list(values[0]) if len(values) == 1 else list(values)
    if all(map(is_number, items)) or all(isinstance(item, str) for item in items):
        return items
    raise OperationError("needs numbers only, or texts only")


def _min(*values: Any) -> Any:
    return min(_comparable(values), default=None)


def _max(*values: Any) -> Any:
    return max(_comparable(values), default=None)


def _sum(*values: Any) -> Any:
    items = _list(values[0]) if len(values) == 1 else list(values)
    return bounded_number(sum(_number(item) for item in items))


def _starts_with(text: Any, start: Any) -> bool:
    return _text(text).startswith(_text(start))


def _ends_with(text: Any, end: Any) -> bool:
    return _text(text).endswith(_text(end))


def _replace(text: Any, old: Any, new: Any) -> str:
    text, old, new = _text(text), _text(old), _text(new)
    bounded_size(len(text) + text.count(old) * (len(new) - len(old)), MAX_TEXT)
    return text.replace(old, new)


def _split(text: Any, separator: Any) -> list[str]:
    text, separator = _text(text), _text(separator)
    if not separator:
        raise OperationError("needs a separator")
    bounded_size(text.count(separator) + 1, MAX_LIST)
    return text.split(separator) if text else []


def _join(items: Any, separator: Any = "") -> str:
    parts = _list(items)
    if any(isinstance(part, list | dict) for part in parts):
        raise OperationError("joins texts, numbers, booleans and nulls only")
    texts = [to_text(part) for part in parts]
    bounded_size(sum(map(len, texts)) + len(_text(separator)) * len(texts), MAX_TEXT)
    return _text(separator).join(texts)


def _default(value: Any, fallback: Any) -> Any:
    return fallback if value is None or value == "" else value


def _moment(value: Any) -> datetime:
    try:
        moment = datetime.fromisoformat(_text(value))
    except ValueError:
        raise OperationError("needs a date in ISO 8601, like 2026-05-01 or 2026-05-01T09:00:00Z") from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _date(value: Any, days: Any = 0) -> str:
    try:
        return (_moment(value).date() + timedelta(days=_number(days))).isoformat()
    except OverflowError:
        raise OperationError("the result is beyond the calendar") from None


def _timestamp(value: Any) -> Any:
    try:
        seconds = (_moment(value) - datetime.fromtimestamp(0, UTC)).total_seconds()
    except OverflowError:
        raise OperationError("the result is beyond the calendar") from None
    return int(seconds) if seconds.is_integer() else seconds


def _urlencode(value: Any) -> str:
    text = quote(_str(value), safe="")
    bounded_size(len(text), MAX_TEXT)
    return text


MANY = 100

FUNCTIONS: dict[str, Function] = {
    "len": Function(_len, 1, 1, "len(x): length of a text, list or object; 0 for null"),
    "lower": Function(_cased(str.lower), 1, 1, "lower(text)"),
    "upper": Function(_cased(str.upper), 1, 1, "upper(text)"),
    "strip": Function(_cased(str.strip), 1, 1, "strip(text): without space at both ends"),
    "int": Function(_int, 1, 1, "int(x): whole number of a number (cut) or a text"),
    "float": Function(_float, 1, 1, "float(x): number of a number or a text"),
    "str": Function(_str, 1, 1, "str(x): any value as text, as a template writes it"),
    "bool": Function(bool, 1, 1, "bool(x): false for null, false, 0 and what is empty"),
    "round": Function(_round, 1, 2, "round(number[, decimals]): half to even"),
    "abs": Function(_abs, 1, 1, "abs(number)"),
    "min": Function(_min, 1, MANY, "min(list) or min(a, b, …): null for an empty list"),
    "max": Function(_max, 1, MANY, "max(list) or max(a, b, …): null for an empty list"),
    "sum": Function(_sum, 1, MANY, "sum(list) or sum(a, b, …)"),
    "contains": Function(operators.contains, 2, 2, "contains(x, y): the same as y in x"),
    "starts_with": Function(_starts_with, 2, 2, "starts_with(text, start)"),
    "ends_with": Function(_ends_with, 2, 2, "ends_with(text, end)"),
    "replace": Function(_replace, 3, 3, "replace(text, old, new)"),
    "split": Function(_split, 2, 2, "split(text, separator): a list, empty for empty text"),
    "join": Function(_join, 1, 2, "join(list[, separator])"),
    "default": Function(_default, 2, 2, "default(x, y): y when x is null or empty text"),
    "date": Function(_date, 1, 2, "date(text[, days]): the day, as 2026-05-01, moved by so many days"),
    "timestamp": Function(_timestamp, 1, 1, "timestamp(text): seconds since 1970-01-01 UTC"),
    "urlencode": Function(_urlencode, 1, 1, "urlencode(x): as text that is safe inside a URL"),
}
