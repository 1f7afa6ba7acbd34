"""The one way a JSON document enters and leaves: every delivery, worker and import reads and writes through here.

What is accepted: UTF-8 (one byte order mark is forgiven), RFC 8259 to the letter, and of that only what PostgreSQL
and every common reader keep unchanged: no NUL, no lone surrogates, no key twice, whole numbers of 64 bits, finite
decimals. A decimal becomes the nearest IEEE 754 double and is written in the shortest form that reads back the same;
one with more than 17 significant digits would not survive that, so it is refused rather than rounded (send it as a
string).
"""

import json
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from math import isfinite
from typing import Any, NoReturn, TypeAlias

from apps.core.errors import BadRequest, Detail

JSON: TypeAlias = dict[str, "JSON"] | list["JSON"] | str | int | float | bool | None

Part: TypeAlias = str | int
"""One step of a path: a key or an index."""

_LONGEST_PATH = 200
_LONGEST_SHOWN_KEY = 24
_MOST_DETAILS = 20
_WIDE = "The whole number does not fit 64 bits."
_SMALLEST, _LARGEST = -(2**63), 2**63 - 1
_SIGNIFICANT_DIGITS = 17
_DIGITS = re.compile(r"-?([0-9]+)(?:\.([0-9]+))?")
_SUSPECT_ESCAPE = re.compile(r"\\u(?:0000|[dD][89a-fA-F])")


@dataclass(frozen=True, slots=True)
class Limits:
    """How large a document's parts may be: ``depth`` in nested containers, ``key_length`` in characters."""

    depth: int = 100
    key_length: int = 512


DEFAULT = Limits()


@dataclass(frozen=True, slots=True)
class _Refused:
    """Stands in the decoded tree where the text held something that has no value, so that its path can be told."""

    message: str


def read_json(body: bytes | str, *, limits: Limits = DEFAULT) -> JSON:
    """Read one document.

    Raises BadRequest with a message below 500 characters and details whose path is a JSON Pointer ("" when the text
    could not be read as far as that).
    """
    text = _decode(body) if isinstance(body, bytes) else body
    text = text.removeprefix("\ufeff")
    try:
        value: JSON = _DECODER.decode(text)
    except json.JSONDecodeError as error:
        reason = "the document is empty" if not text.strip() else error.msg.removesuffix(" at")
        _refuse([Detail("", f"Not valid JSON: {reason} at line {error.lineno}, column {error.colno}.")])
    except RecursionError:
        _refuse([Detail("", _too_deep(limits))])
    # Strings can hold NUL or surrogates only by escape, except that an str may bring its own surrogates.
    strings_are_clean = isinstance(body, bytes) and not _SUSPECT_ESCAPE.search(text)
    if not _is_clean(value, limits, strings_are_clean):
        _refuse(list(islice(_faults(value, limits, ()), _MOST_DETAILS)))
    return value


def check_value(value: object, *, limits: Limits = DEFAULT) -> None:
    """Apply the reader's rules to a value that was decoded elsewhere (SOAP, CSV, a worker's result).

    Raises BadRequest as read_json does, also for anything that is no JSON value at all, such as a tuple or a date.
    """
    if not _is_clean(value, limits, strings_are_clean=False):
        _refuse(list(islice(_faults(value, limits, ()), _MOST_DETAILS)))


def write_json(value: JSON) -> bytes:
    """Write compact UTF-8 without escapes that are not needed.

    Raises ValueError for NaN, infinities, lone surrogates and circular values, TypeError for what is no JSON value.
    """
    return _ENCODER.encode(value).encode()


def pointer(parts: Sequence[Part]) -> str:
    """Spell a path as a JSON Pointer (RFC 6901)."""
    return "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in parts)


def nearest_pointer(parts: Sequence[Part], longest: int = _LONGEST_PATH) -> str:
    """Spell a path as a JSON Pointer of at most ``longest`` characters, naming an ancestor when it would be longer."""
    length = kept = 0
    for part in parts:
        length += len(pointer((part,)))
        if length > longest:
            break
        kept += 1
    return pointer(parts[:kept])


def _decode(body: bytes) -> str:
    try:
        return body.decode()
    except UnicodeDecodeError as error:
        _refuse([Detail("", f"The document is not UTF-8: byte {error.start + 1} cannot be read.")])


def _refuse(details: Sequence[Detail]) -> NoReturn:
    first = details[0]
    where = f"{first.path}: " if first.path else ""
    raise BadRequest(where + first.message, details=details) from None


def _is_clean(value: object, limits: Limits, strings_are_clean: bool) -> bool:
    """Walk level by level without keeping paths: the fast answer for the documents that are in order."""
    level: list[Any] = [[value]]
    for _ in range(limits.depth + 1):
        below = _containers_below(level, limits, strings_are_clean)
        if not below:
            return below is not None
        level = below
    return False


def _containers_below(level: list[Any], limits: Limits, strings_are_clean: bool) -> list[Any] | None:
    """The containers inside those of one level; None when anything in them is at fault."""
    below: list[Any] = []
    for container in level:
        if type(container) is dict:
            if not _are_clean_keys(container, limits, strings_are_clean):
                return None
            container = container.values()
        for item in container:
            kind = type(item)
            if kind is str:
                if not strings_are_clean and not _is_clean_text(item):
                    return None
            elif kind is dict or kind is list:
                below.append(item)
            elif kind is int:
                if not _SMALLEST <= item <= _LARGEST:
                    return None
            elif kind is float:
                if not isfinite(item):
                    return None
            elif item is not None and kind is not bool:
                return None
    return below


def _are_clean_keys(item: dict[Any, Any], limits: Limits, strings_are_clean: bool) -> bool:
    return all(
        type(key) is str and len(key) <= limits.key_length and (strings_are_clean or _is_clean_text(key))
        for key in item
    )


def _is_clean_text(text: str) -> bool:
    return "\0" not in text and (text.isascii() or not _has_lone_surrogate(text))


def _has_lone_surrogate(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return True
    return False


def _faults(value: object, limits: Limits, parts: tuple[Part, ...]) -> Iterator[Detail]:
    """Name each fault with its path; recursion is bounded by the depth that is allowed."""
    if isinstance(value, _Refused):
        yield Detail(nearest_pointer(parts), value.message)
    elif type(value) in (dict, list) and len(parts) >= limits.depth:
        yield Detail(nearest_pointer(parts), _too_deep(limits))
    elif type(value) is dict:
        for key, item in value.items():
            message = _fault_of_key(key, limits)
            if message:
                yield Detail(nearest_pointer(parts), message)
            else:
                yield from _faults(item, limits, (*parts, key))
    elif type(value) is list:
        for index, item in enumerate(value):
            yield from _faults(item, limits, (*parts, index))
    else:
        message = _fault_of_scalar(value)
        if message:
            yield Detail(nearest_pointer(parts), message)


def _fault_of_key(key: object, limits: Limits) -> str | None:
    if type(key) is not str:
        return f"A key is of type {type(key).__name__}, not a string."
    if len(key) > limits.key_length:
        return f"A key has {len(key)} characters; {limits.key_length} are allowed."
    fault = _fault_of_text(key)
    return f"A key {fault}." if fault else None


def _fault_of_scalar(value: object) -> str | None:
    if type(value) is str:
        fault = _fault_of_text(value)
        return f"The string {fault}." if fault else None
    if type(value) is int:
        return None if _SMALLEST <= value <= _LARGEST else _WIDE
    if type(value) is float:
        return None if isfinite(value) else "The number is not finite, or too large for a double."
    if value is None or type(value) is bool:
        return None
    return f"A value of type {type(value).__name__} is no JSON value."


def _fault_of_text(text: str) -> str | None:
    if "\0" in text:
        return "holds a NUL character"
    return "holds half of a surrogate pair" if _has_lone_surrogate(text) else None


def _too_deep(limits: Limits) -> str:
    return f"The document is nested more than {limits.depth} levels deep."


def _read_object(pairs: list[tuple[str, JSON]]) -> dict[str, JSON] | _Refused:
    members = dict(pairs)
    if len(members) == len(pairs):
        return members
    repeated = Counter(key for key, _ in pairs).most_common(1)[0][0]
    shown = repeated if len(repeated) <= _LONGEST_SHOWN_KEY else repeated[:_LONGEST_SHOWN_KEY] + "…"
    return _Refused(f"The key {shown!r} is given twice.")


def _read_integer(text: str) -> int | _Refused:
    # Longer ones cannot fit, and Python would refuse to convert the longest.
    return int(text) if len(text) <= 20 else _Refused(_WIDE)


def _read_decimal(text: str) -> float | _Refused:
    value = float(text)
    if value and len(text) <= _SIGNIFICANT_DIGITS + 1:
        return value
    return _check_digits(text, value)


def _check_digits(text: str, value: float) -> float | _Refused:
    found = _DIGITS.match(text)
    digits = (found.group(1) + (found.group(2) or "")).strip("0") if found else ""
    if digits and not value:
        return _Refused("The number is too small for a double.")
    if len(digits) > _SIGNIFICANT_DIGITS:
        return _Refused(f"The number has more than {_SIGNIFICANT_DIGITS} significant digits; send it as a string.")
    return value


def _read_constant(text: str) -> _Refused:
    return _Refused(f"{text} is no JSON number.")


_DECODER = json.JSONDecoder(
    object_pairs_hook=_read_object,
    parse_int=_read_integer,
    parse_float=_read_decimal,
    parse_constant=_read_constant,
)
_ENCODER = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":"))


class StoredJSONDecoder(json.JSONDecoder):
    """Reads what PostgreSQL kept: it spells the float 1e300 as 301 digits, which here become a float again."""

    def __init__(self) -> None:
        super().__init__(parse_int=_stored_int)


def _stored_int(digits: str) -> int | float:
    return int(digits) if len(digits) < 19 else _within_64_bit(int(digits))


def _within_64_bit(number: int) -> int | float:
    return number if -(2**63) <= number < 2**63 else float(number)
