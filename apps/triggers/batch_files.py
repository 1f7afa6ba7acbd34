"""The items of a batch's file: JSON, XML or CSV.

An item that cannot be read is handed on with what is wrong with it. A file whose very shape is broken, so that nobody
could say where its items are, is refused as a whole.
"""

import csv
import io
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from django.conf import settings

from apps.core.errors import BadRequest
from apps.core.jsonio import JSON, Limits, check_value, read_json
from apps.core.xmlio import read_xml_items
from apps.flows.engine.assignment import AssignmentError, assign
from apps.triggers.columns import Column, ColumnError, read_cell, read_mapping
from apps.triggers.models import Batch, BatchFormat

_LONGEST_CELL = 1_000_000
_BLANK = " \t\r\n"


@dataclass(frozen=True, slots=True)
class Item:
    """One item: the line it begins on, where that is known, and its document or what is wrong with it."""

    line: int | None
    document: JSON = None
    fault: str = ""


Take = Callable[[Item], None]


def read_items(batch: Batch, content: bytes, take: Take) -> None:
    """Hand each item of a file to ``take``, in order; raises ``BadRequest`` for a file that cannot be taken apart."""
    if batch.format == BatchFormat.XML:
        read_xml_items(content, lambda value: take(_checked(None, value)), limits=_limits())
        return
    items = _csv_items(batch, content) if batch.format == BatchFormat.CSV else _json_items(content)
    for item in items:
        take(item)


def _limits() -> Limits:
    return Limits(depth=settings.JSON_DEPTH)


def _checked(line: int | None, value: JSON) -> Item:
    try:
        check_value(value, limits=_limits())
    except BadRequest as error:
        return Item(line, fault=error.message)
    return Item(line, value)


def _read(line: int, text: str) -> Item:
    try:
        return Item(line, read_json(text, limits=_limits()))
    except BadRequest as error:
        return Item(line, fault=error.message)


# --- JSON -------------------------------------------------------------------------------------------------------


def _json_items(content: bytes) -> Iterator[Item]:
    """The items of an array, one document a line, or a single document."""
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise BadRequest(f"The file is not UTF-8: byte {error.start + 1} cannot be read.") from None
    if text.lstrip(_BLANK).startswith("["):
        return _array_items(text)
    first = text.lstrip(_BLANK).partition("\n")[0]
    if _read(1, first).fault and not (whole := _read(1, text)).fault:
        return iter([whole])
    return _line_items(text)


def _line_items(text: str) -> Iterator[Item]:
    # Not splitlines, which also breaks at characters that may stand inside a text.
    for number, line in enumerate(text.split("\n"), 1):
        if line.strip(_BLANK):
            yield _read(number, line)


def _ignored(digits: str) -> int:
    """Numbers are read when the item is: the first pass only looks where it ends."""
    return 0


_SCANNER = json.JSONDecoder(parse_int=_ignored, parse_float=_ignored)


def _array_items(text: str) -> Iterator[Item]:
    places = _Places(text)
    place = places.skip(text.index("[") + 1)
    if text[place : place + 1] != "]":
        while True:
            end = places.end_of(place)
            yield _read(places.line(place), text[place:end])
            place = places.skip(end)
            if text[place : place + 1] != ",":
                break
            place = places.skip(place + 1)
        if text[place : place + 1] != "]":
            raise places.fault(place, "a comma or the end of the array is missing")
    if (place := places.skip(place + 1)) < len(text):
        raise places.fault(place, "there is something after the end of the array")


class _Places:
    """Positions in a text, and the lines they are on; lines are asked for in order."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.seen, self.lines = 0, 1

    def line(self, place: int) -> int:
        self.lines += self.text.count("\n", self.seen, place)
        self.seen = place
        return self.lines

    def skip(self, place: int) -> int:
        while place < len(self.text) and self.text[place] in _BLANK:
            place += 1
        return place

    def end_of(self, place: int) -> int:
        try:
            return _SCANNER.raw_decode(self.text, place)[1]
        except json.JSONDecodeError as error:
            raise self.fault(error.pos, error.msg) from None
        except RecursionError:
            raise self.fault(place, "it is nested too deep") from None

    def fault(self, place: int, reason: str) -> BadRequest:
        return BadRequest(f"The file is no JSON array: {reason}, on line {self.text.count(chr(10), 0, place) + 1}.")


# --- CSV --------------------------------------------------------------------------------------------------------


def _csv_items(batch: Batch, content: bytes) -> Iterator[Item]:
    lines = _csv_lines(batch, content)
    names: list[str] | None = None
    if batch.header:
        names = [name.strip() for name in next(lines, (0, []))[1]]
        _check_names(names)
    columns = read_mapping(batch.mapping, names)
    width = len(names) if names is not None else None
    for number, cells in lines:
        width = width or _width(columns, cells)
        if len(cells) != width:
            yield Item(number, fault=f"The line has {len(cells)} cells instead of {width}.")
        else:
            yield _row(number, columns, cells)


def _check_names(names: list[str]) -> None:
    if not names:
        raise BadRequest("The file is empty.")
    if repeated := sorted({name for name in names if names.count(name) > 1}):
        raise BadRequest(f"The first line names the column {repeated[0][:60]!r} more than once.")


def _width(columns: list[Column], cells: list[str]) -> int:
    """How many cells the first line has, and so all; raises ``BadRequest`` when a column that is named is not there."""
    if missing := [column.name for column in columns if column.place >= len(cells)]:
        raise BadRequest(f"The file has no column {missing[0][:60]!r}. Is the delimiter another?")
    return len(cells)


def _csv_lines(batch: Batch, content: bytes) -> Iterator[tuple[int, list[str]]]:
    csv.field_size_limit(_LONGEST_CELL)
    encoding = "utf-8-sig" if batch.encoding == "utf-8" else batch.encoding
    try:
        text = content.decode(encoding)
    except UnicodeError as error:
        raise BadRequest(f"The file is not {batch.get_encoding_display()}: {str(error)[:200]}.") from None
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=batch.delimiter, strict=True)
    try:
        for cells in reader:
            if any(cells):
                yield reader.line_num, cells
    except csv.Error as error:
        raise BadRequest(f"Line {reader.line_num} is no CSV: {error}.") from None


def _row(line: int, columns: list[Column], cells: list[str]) -> Item:
    document: Any = {}
    try:
        for column in columns:
            if cells[column.place]:
                document = assign(document, column.path, read_cell(column, cells[column.place]))
    except (ColumnError, AssignmentError, BadRequest) as error:
        return Item(line, fault=str(error))
    return _checked(line, document)
