"""Which column of a CSV file goes where in a document: lines such as ``Age = client.age as integer``."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from apps.core.errors import BadRequest
from apps.core.jsonio import JSON, read_json

MOST_LINES = 500
TYPES = ("text", "integer", "number", "boolean", "json")
PATH = re.compile(r"[^.\s]+(\.[^.\s]+){0,19}")
_LINE = re.compile(r"(?P<name>.*\S)\s*=\s*(?P<path>\S+)(?:\s+as\s+(?P<type>\S+))?\s*")
_INTEGER = re.compile(r"[+-]?[0-9]{1,19}", re.ASCII)
_TRUTHS = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}


class ColumnError(ValueError):
    """A line of the mapping, or a cell, cannot be read."""


@dataclass(frozen=True, slots=True)
class Column:
    """Takes the cell at ``place`` to ``path`` as a value of ``type``."""

    name: str
    place: int
    path: str
    type: str = "text"


def check_mapping(text: str, header: bool) -> None:
    """Refuse a mapping that no file could fit; raises ``ColumnError`` naming the line."""
    targets = _targets(text)
    if not header and not targets:
        raise ColumnError("Without a first line that names the columns, say what each is, such as 1 = client.name.")
    if not header and (wrong := [name for name, _, _ in targets if not _is_number(name)]):
        raise ColumnError(f"Without names, columns are numbered from 1: {wrong[0][:60]!r} is no number.")


def _is_number(name: str) -> bool:
    return name.isascii() and name.isdecimal() and int(name[:9]) > 0


def read_mapping(text: str, names: Sequence[str] | None) -> list[Column]:
    """The columns of a file whose first line holds ``names``, or is data when there are none.

    Without a mapping each column goes where its name says, as text. Raises ``BadRequest`` for a column that is not
    there.
    """
    targets = _targets(text)
    if not targets:
        return [Column(name, place, _own_path(name)) for place, name in enumerate(names or ())]
    return [Column(name, _place(name, names), path, kind) for name, path, kind in targets]


def read_cell(column: Column, text: str) -> JSON:
    """The value of a cell that is not empty; raises ``ColumnError`` or ``BadRequest`` naming the column."""
    if column.type == "text":
        return text
    bare = text.strip()
    if column.type == "boolean" and bare.lower() in _TRUTHS:
        return _TRUTHS[bare.lower()]
    if column.type == "integer" and _INTEGER.fullmatch(bare):
        return int(bare)
    if column.type in ("number", "json"):
        try:
            value = read_json(bare)
        except BadRequest as error:
            raise ColumnError(f"{column.name}: {error.message}") from None
        if column.type == "json" or type(value) in (int, float):
            return value
    raise ColumnError(f"{column.name}: {text[:40]!r} is no {column.type}.")


def _targets(text: str) -> list[tuple[str, str, str]]:
    """The lines of a mapping as column, path and type."""
    lines = [(number, line) for number, line in enumerate(text.splitlines(), 1) if line.strip()]
    if len(lines) > MOST_LINES:
        raise ColumnError(f"A file has at most {MOST_LINES} columns.")
    return [_target(number, line) for number, line in lines]


def _target(number: int, line: str) -> tuple[str, str, str]:
    found = _LINE.fullmatch(line)
    if found is None:
        raise ColumnError(f"Line {number}: write Column = path or Column = path as integer.")
    path, kind = found["path"], found["type"] or "text"
    if not PATH.fullmatch(path):
        raise ColumnError(f"Line {number}: {path[:60]!r} is no path such as client.name.")
    if kind not in TYPES:
        raise ColumnError(f"Line {number}: {kind[:20]!r} is none of {', '.join(TYPES)}.")
    return found["name"].strip(), path, kind


def _place(name: str, names: Sequence[str] | None) -> int:
    if names is None:
        return int(name[:9]) - 1 if int(name[:9]) else 10**9
    try:
        return names.index(name)
    except ValueError:
        raise BadRequest(f"The file has no column {name[:60]!r}. Is the delimiter another?") from None


def _own_path(name: str) -> str:
    if not PATH.fullmatch(name):
        raise BadRequest(f"The column {name[:60]!r} is no path such as client.name: say where it goes.")
    return name
