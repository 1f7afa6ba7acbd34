"""The columns of one row: as callers send them, turned into what the physical table keeps, and the way back."""

from collections.abc import Mapping
from typing import Any

from apps.core import dates
from apps.core.errors import BadRequest, Detail
from apps.core.jsonio import pointer
from apps.tables import kinds
from apps.tables.kinds import Unreadable, Value, Zone
from apps.tables.models import SYSTEM_COLUMNS
from apps.tables.selectors import Definition, Field, Row

MOST_DETAILS = 20


def for_insert(definition: Definition, sent: Mapping[str, Any], zone: Zone) -> dict[Field, Value]:
    """Every column that gets a value, defaults included; raises ``BadRequest`` naming each fault."""
    found = _read(definition, sent, zone)
    for column in definition.columns.values():
        if column not in found and column.default:
            found[column] = kinds.read_text(column.kind, column.default, zone)
    missing = [column for column in definition.columns.values() if column.required and found.get(column) is None]
    _refuse([Detail(pointer((column.name,)), f"{column.name} is required.") for column in missing])
    return found


def for_update(definition: Definition, sent: Mapping[str, Any], zone: Zone) -> dict[Field, Value]:
    """The columns that change; raises ``BadRequest`` naming each fault."""
    found = _read(definition, sent, zone)
    emptied = [column for column, value in found.items() if column.required and value is None]
    _refuse([Detail(pointer((column.name,)), f"{column.name} is required.") for column in emptied])
    return found


def for_caller(definition: Definition, row: Row, zone: Zone) -> dict[str, Any]:
    """A row as callers get it: its id as a text, dates in ``zone``, the values of its columns."""
    shown = {
        "id": str(row.id),
        "date_created": dates.render(row.date_created, zone),
        "date_updated": dates.render(row.date_updated, zone),
    }
    return shown | {
        name: kinds.show(column.kind, row.values[name], zone) for name, column in definition.columns.items()
    }


def _read(definition: Definition, sent: Mapping[str, Any], zone: Zone) -> dict[Field, Value]:
    if not sent:
        raise BadRequest("The body names no column.")
    found: dict[Field, Value] = {}
    faults: list[Detail] = []
    for name, value in sent.items():
        column = definition.columns.get(name)
        if column is None:
            faults.append(Detail(pointer((name[:64],)), _unknown(name, definition)))
            continue
        try:
            found[column] = kinds.read(column.kind, value, zone)
        except Unreadable as error:
            faults.append(Detail(pointer((name,)), f"{name} must be {error}."))
    _refuse(faults)
    return found


def _unknown(name: str, definition: Definition) -> str:
    if name in SYSTEM_COLUMNS:
        return f"{name} is set by the system and cannot be written."
    return f"The table {definition.name} has no column {name[:64]!r}."


def _refuse(faults: list[Detail]) -> None:
    if faults:
        raise BadRequest(faults[0].message, details=faults[:MOST_DETAILS])
