"""What a table looks like: its columns with the physical names they are read by."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from apps.core.errors import NotFound
from apps.core.preconditions import Part
from apps.tables import storage
from apps.tables.models import Kind, Table


@dataclass(frozen=True, slots=True)
class Field:
    """A column as a statement knows it: ``sql`` is its physical name, ``column_id`` nothing for system columns."""

    name: str
    kind: str
    sql: str
    column_id: int | None = None
    required: bool = False
    default: str = ""
    indexable: bool = False


SYSTEM = {
    "id": Field("id", Kind.INTEGER, "id", indexable=True),
    "date_created": Field("date_created", Kind.DATETIME, "date_created"),
    "date_updated": Field("date_updated", Kind.DATETIME, "date_updated"),
}


@dataclass(frozen=True, slots=True)
class Definition:
    """One table: ``columns`` by their names, in their order."""

    id: int
    name: str
    revision: int
    modified: datetime
    columns: dict[str, Field]

    @property
    def relation(self) -> str:
        """The physical table."""
        return storage.relation(self.id)

    @property
    def selected(self) -> str:
        """What every statement that reads rows selects, in the order ``Row.of`` expects."""
        return ", ".join(["id", "version", "date_created", "date_updated", *(f.sql for f in self.columns.values())])

    def field(self, name: Any) -> Field | None:
        """A column or system column of that name."""
        return self.columns.get(name) or SYSTEM.get(name) if isinstance(name, str) else None


@dataclass(frozen=True, slots=True)
class Row:
    """One row: ``values`` by the names of columns, as PostgreSQL gives them; ``version`` counts its changes."""

    id: int
    version: int
    date_created: datetime
    date_updated: datetime
    values: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def of(cls, definition: Definition, values: Any) -> "Row":
        """The row of one line of ``Definition.selected``."""
        row_id, version, created, updated, *rest = values
        return cls(row_id, version, created, updated, dict(zip(definition.columns, rest, strict=True)))


def version_of(definition: Definition, row_id: int, row_version: int) -> tuple[Part, ...]:
    """What is different whenever a row is, or looks, different."""
    return ("table_row", definition.id, row_id, row_version, definition.name, definition.revision)


def modified_of(definition: Definition, date_updated: datetime) -> datetime:
    """When a row last changed its looks."""
    return max(date_updated, definition.modified)


_COLUMN = ("id", "name", "kind", "required", "default", "indexable")


def get_definition(workspace_id: int, name: str) -> Definition:
    """The table of that name in the workspace, in one query; raises ``NotFound``."""
    query = (
        Table.objects.in_workspace(workspace_id)
        .filter(name=name)
        .order_by("columns__position", "columns__id")
        .values_list("id", "revision", "date_modified", *(f"columns__{column}" for column in _COLUMN))
    )
    lines = list(query) if "\0" not in name else []
    if not lines:
        raise NotFound(f"There is no table {name[:64]!r}.")
    columns = [_field(*line[3:]) for line in lines if line[3] is not None]
    table_id, revision, modified, *_ = lines[0]
    return Definition(table_id, name, revision, modified, {column.name: column for column in columns})


def _field(column_id: int, name: str, kind: str, required: bool, default: str, indexable: bool) -> Field:
    return Field(name, kind, storage.column(column_id), column_id, required, default, indexable)
