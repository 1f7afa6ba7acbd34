"""Rows in and out as CSV files."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

from django.db import transaction

from apps.applications.caller import Caller
from apps.core import dates
from apps.core.errors import BadRequest, Detail
from apps.tables import kinds, rows
from apps.tables.kinds import Unreadable, Value
from apps.tables.models import SYSTEM_COLUMNS, Kind
from apps.tables.selectors import Definition, Field, Row, get_definition
from apps.tables.spreadsheets import Format, defuse, read_lines, restore, write_lines

MOST_PREVIEWED = 20
MOST_FAULTS = 20
_QUOTED = (Kind.TEXT, Kind.JSON)  # columns whose cells a spreadsheet program could take for formulas


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell of a preview; ``fault`` says what is wrong with it, or nothing."""

    column: str
    text: str
    fault: str = ""


@dataclass(frozen=True, slots=True)
class Preview:
    """The first lines of a file as they would be stored: ``lines`` pairs line numbers with cells."""

    columns: Sequence[str]
    ignored: Sequence[str]
    lines: Sequence[tuple[int, Sequence[Cell]]]
    fault: str = ""

    @property
    def faults(self) -> int:
        """How many cells cannot be stored."""
        return sum(bool(cell.fault) for _, cells in self.lines for cell in cells)


@dataclass(frozen=True, slots=True)
class _Plan:
    """Which cell goes where: ``places`` gives a column, or nothing, for each cell; ``constant`` defaults for others."""

    names: Sequence[str]
    places: Sequence[Field | None]
    constant: dict[Field, Value]

    @property
    def columns(self) -> list[Field]:
        return [column for column in self.places if column] + list(self.constant)


def preview(caller: Caller, table: str, content: bytes, layout: Format) -> Preview:
    """The first lines of a file with what is wrong in them; raises ``BadRequest`` for what cannot be read at all."""
    caller.require("tables")
    definition = get_definition(caller.workspace_id, table)
    plan, lines = _begin(caller, definition, content, layout)
    shown = [(number, _cells(caller, plan, cells)) for number, cells in islice(lines, MOST_PREVIEWED)]
    ignored = [name for name, column in zip(plan.names, plan.places, strict=True) if column is None]
    return Preview([column.name for column in plan.places if column], ignored, shown)


def import_rows(caller: Caller, table: str, content: bytes, layout: Format) -> int:
    """Store every line of a file, or none of them; returns how many.

    Columns the file does not have get their defaults, empty cells are empty values. Raises ``BadRequest`` whose
    details name line and column of the first faults.
    """
    caller.require("tables")
    caller.require_room()
    definition = get_definition(caller.workspace_id, table)
    plan, lines = _begin(caller, definition, content, layout)
    with transaction.atomic():
        count = rows.copy(definition, plan.columns, _values(caller, plan, lines))
    if not count:
        raise BadRequest("The file holds no rows.")
    return count


def export_rows(caller: Caller, table: str, layout: Format) -> Iterator[str]:
    """The text of a CSV file with all rows, system columns first, piece by piece."""
    caller.require("tables.read")
    definition = get_definition(caller.workspace_id, table)
    return write_lines(_written(caller, definition, layout), layout.delimiter)


def _written(caller: Caller, definition: Definition, layout: Format) -> Iterator[list[str]]:
    if layout.header:
        yield [*SYSTEM_COLUMNS, *map(defuse, definition.columns)]
    for row in rows.walk(definition):
        yield _line(caller, definition, row)


def _line(caller: Caller, definition: Definition, row: Row) -> list[str]:
    zone = caller.zone
    moments = [dates.render(row.date_created, zone), dates.render(row.date_updated, zone)]
    texts = [kinds.show_text(column.kind, row.values[name], zone) for name, column in definition.columns.items()]
    cells = [
        defuse(text) if column.kind in _QUOTED else text
        for text, column in zip(texts, definition.columns.values(), strict=True)
    ]
    return [str(row.id), *moments, *cells]


def _begin(
    caller: Caller, definition: Definition, content: bytes, layout: Format
) -> tuple[_Plan, Iterator[tuple[int, list[str]]]]:
    """The plan of a file, and the lines that are rows."""
    lines = read_lines(content, layout.delimiter)
    if layout.header:
        _, names = next(lines, (0, []))
        if not names:
            raise BadRequest("The file is empty.")
        return _plan(caller, definition, [restore(name.strip()) for name in names]), lines
    return _plan(caller, definition, list(definition.columns)), lines


def _plan(caller: Caller, definition: Definition, names: list[str]) -> _Plan:
    unknown = [name for name in names if name not in definition.columns and name not in SYSTEM_COLUMNS]
    if unknown:
        shown = ", ".join(repr(name[:64]) for name in unknown[:5])
        raise BadRequest(f"The table has no column {shown}. Is the first line no header, or the delimiter another?")
    if repeated := sorted({name for name in names if names.count(name) > 1}):
        raise BadRequest(f"The first line names {repeated[0]!r} more than once.")
    others = [column for name, column in definition.columns.items() if name not in names]
    if lacking := [column.name for column in others if column.required and not column.default]:
        raise BadRequest(f"The file lacks the column {lacking[0]!r}, which is required.")
    defaults = {
        column: kinds.read_text(column.kind, column.default, caller.zone) for column in others if column.default
    }
    plan = _Plan(names, [definition.columns.get(name) for name in names], defaults)
    if not any(plan.places):
        raise BadRequest("The file names no column of the table.")
    return plan


def _read(caller: Caller, column: Field, text: str) -> Value:
    """The value of one cell; raises ``Unreadable``."""
    value = kinds.read_text(column.kind, restore(text) if column.kind in _QUOTED else text, caller.zone)
    if value is None and column.required:
        raise Unreadable("given: the column is required")
    return value


def _cells(caller: Caller, plan: _Plan, texts: list[str]) -> list[Cell]:
    cells = []
    for column, text in zip(plan.places, texts, strict=False):
        if column:
            try:
                _read(caller, column, text)
                cells.append(Cell(column.name, text))
            except Unreadable as error:
                cells.append(Cell(column.name, text, f"Must be {error}."))
    if fault := _miscounted(plan, texts):
        cells.append(Cell("", "", fault))
    return cells


def _miscounted(plan: _Plan, texts: list[str]) -> str:
    if len(texts) == len(plan.places):
        return ""
    return f"The line has {len(texts)} cells instead of {len(plan.places)}."


def _values(caller: Caller, plan: _Plan, lines: Iterator[tuple[int, list[str]]]) -> Iterator[list[Value]]:
    """The values of every line; after the first fault only faults are looked for."""
    constants = list(plan.constant.values())
    faults: list[Detail] = []
    for number, texts in lines:
        found = _line_values(caller, plan, number, texts, faults)
        if not faults:
            yield found + constants
        elif len(faults) >= MOST_FAULTS:
            break
    if faults:
        first = faults[0]
        raise BadRequest(f"Nothing was imported. {first.path}: {first.message}", details=faults[:MOST_FAULTS])


def _line_values(caller: Caller, plan: _Plan, number: int, texts: list[str], faults: list[Detail]) -> list[Value]:
    if fault := _miscounted(plan, texts):
        faults.append(Detail(f"line {number}", fault))
        return []
    found: list[Value] = []
    for column, text in zip(plan.places, texts, strict=True):
        if column:
            try:
                found.append(_read(caller, column, text))
            except Unreadable as error:
                faults.append(Detail(f"line {number}, {column.name}", f"Must be {error}."))
    return found
