"""The JSON values of the engine: measured, and written as text."""

import json
import math
from decimal import Decimal
from typing import Any

JSON = Any
MAX_DEPTH = 100
INTEGER_MIN, INTEGER_MAX = -(2**63), 2**63 - 1


class ValueRefused(ValueError):
    """The value cannot be kept as JSON, or is larger than its place allows."""


def measure(value: JSON, limit: int) -> int:
    """The size of a value in characters, about as long as its JSON.

    Raises ValueRefused when it is over ``limit``, nested more than 100 deep or not JSON that PostgreSQL can keep (NUL,
    lone surrogates, NaN, integers beyond 64 bit, other types). A value that occurs twice counts twice.
    """
    size = 0
    stack = [(value, 0)]
    while stack:
        item, depth = stack.pop()
        if isinstance(item, dict | list):
            if depth >= MAX_DEPTH:
                raise ValueRefused(f"nested more than {MAX_DEPTH} deep")
            size += 2 + len(item)
            stack.extend((child, depth + 1) for child in (item.values() if isinstance(item, dict) else item))
            if isinstance(item, dict):
                size += sum(_measure_key(key) for key in item)
        else:
            size += _measure_scalar(item)
        if size > limit:
            raise ValueRefused(f"larger than {limit:,} characters")
    return size


def to_text(value: JSON) -> str:
    """A value as people write it: "" for null, true/false, numbers without an exponent, lists and objects as JSON."""
    if isinstance(value, str):
        return value
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return format(Decimal(repr(value)), "f")
    if isinstance(value, int):
        return str(value)
    return encode(value)


def encode(value: JSON) -> str:
    """Compact JSON text."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)


def check_text(text: str) -> None:
    """Raises ValueRefused for text that PostgreSQL cannot keep: NUL characters and lone surrogates."""
    if "\0" in text:
        raise ValueRefused("a NUL character")
    if not text.isascii():
        try:
            text.encode()
        except UnicodeEncodeError:
            raise ValueRefused("a lone surrogate") from None


def check_number(number: int | float) -> None:
    """Raises ValueRefused for integers beyond 64 bit, NaN and infinity."""
    if isinstance(number, float):
        if not math.isfinite(number):
            raise ValueRefused("a number that is not finite")
    elif not INTEGER_MIN <= number <= INTEGER_MAX:
        raise ValueRefused("an integer beyond 64 bit")


def _measure_key(key: object) -> int:
    if not isinstance(key, str):
        raise ValueRefused(f"a key of type {type(key).__name__}")
    check_text(key)
    return len(key) + 3


def _measure_scalar(value: object) -> int:
    if isinstance(value, str):
        check_text(value)
        return len(value) + 2
    if value is None or isinstance(value, bool):
        return 4
    if isinstance(value, int | float):
        check_number(value)
        return 8
    raise ValueRefused(f"a value of type {type(value).__name__}")
