"""Reads the documented calls and answers of ``reference/*.toml``.

An exchange has its calls by the style of their credentials, each a curl command line, and the one answer to all of
them: ``status`` with ``message`` and ``resource``, or the ``bare`` document. A text in angle brackets stands for every
value of that shape (``SHAPES``), every other value for itself.
"""

import base64
import json
import re
import tomllib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from apps.core.http import envelope
from tests.contract.builders import filled

FOLDER = Path(__file__).parent / "reference"
Named = Callable[[str], str]


@dataclass(frozen=True)
class Exchange:
    """One documented call in all its styles, with its answer."""

    name: str
    calls: dict[str, str]
    status: int
    message: str = ""
    resource: str = ""
    bare: str = ""
    given: list[str] = field(default_factory=list)
    slip: str = ""


def all_exchanges() -> list[Exchange]:
    """Every exchange, in the order of the files."""
    return [Exchange(**item) for file in sorted(FOLDER.glob("*.toml")) for item in _read(file)]


def answer_of(exchange: Exchange, named: Named, address: str = "127.0.0.1") -> Any:
    """The document that is answered, with shapes in place of what differs from call to call."""
    if exchange.bare:
        return json.loads(filled(exchange.bare, named))
    return {
        "id": envelope.slug(exchange.status),
        "code": exchange.status,
        "request-ip": address,
        "resource": json.loads(filled(exchange.resource, named)),
        "message": filled(exchange.message, named),
        "error": None,
    }


def _read(file: Path) -> Iterator[dict[str, Any]]:
    yield from tomllib.loads(file.read_text())["exchange"]


def _is_base64(value: Any) -> bool:
    return isinstance(value, str) and base64.b64encode(base64.b64decode(value, validate=True)).decode() == value


def _is_json_text(value: Any) -> bool:
    return isinstance(value, str) and isinstance(json.loads(value), dict)


def _pattern(text: str) -> Callable[[Any], bool]:
    form = re.compile(text)
    return lambda value: isinstance(value, str) and form.fullmatch(value) is not None


DATE = r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d"
SHAPES: dict[str, Callable[[Any], bool]] = {
    "<token>": _pattern(r"[0-9a-f]{64}"),
    "<epoch>": lambda value: type(value) is int and value > 1_700_000_000,
    "<date>": _pattern(DATE),
    "<date?>": _pattern(f"({DATE})?"),
    "<atom>": _pattern(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[+-]\d\d:\d\d"),
    "<digits>": _pattern(r"\d+"),
    "<uuid>": _pattern(r"[\x21-\x7e]{1,128}"),
    "<hex24>": _pattern(r"[0-9a-f]{24}"),
    "<base64>": _is_base64,
    "<json>": _is_json_text,
    "<string>": lambda value: isinstance(value, str),
    "<number>": lambda value: type(value) is int,
    "<amount>": lambda value: type(value) in (int, float) and value >= 0,
    "<host>": _pattern(r"(www|api|web)-[a-z0-9]{24}\.localhost"),
    "<list>": lambda value: isinstance(value, list) and bool(value),
}


def differences(expected: Any, given: Any, at: str = "") -> list[str]:
    """Where an answer is not what is documented: keys, types and values."""
    if isinstance(expected, str) and expected in SHAPES:
        return [] if SHAPES[expected](given) else [f"{at}: {given!r} is no {expected}"]
    if isinstance(expected, dict) and isinstance(given, dict):
        found = [f"{at}: keys differ by {sorted(expected.keys() ^ given.keys())}"] * (expected.keys() != given.keys())
        return found + [
            one for key in expected if key in given for one in differences(expected[key], given[key], f"{at}/{key}")
        ]
    if isinstance(expected, list) and isinstance(given, list) and len(expected) == len(given):
        pairs = enumerate(zip(expected, given, strict=True))
        return [one for number, pair in pairs for one in differences(*pair, f"{at}/{number}")]
    same = type(expected) is type(given) and expected == given
    return [] if same else [f"{at}: {given!r} instead of {expected!r}"]
