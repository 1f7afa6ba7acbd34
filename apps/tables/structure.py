"""Making tables and changing their columns; the rows of what is taken away go later, by the job of ``execution``."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import IntegrityError, transaction
from django.db.models import F
from django.utils import timezone

from apps.applications.caller import Caller
from apps.core.errors import BadRequest, Conflict, Detail
from apps.tables import kinds, storage
from apps.tables.kinds import Unreadable, Zone
from apps.tables.models import Column, IndexState, Kind, Table

MOST_COLUMNS = 200


def create_table(caller: Caller, *, name: str, description: str = "") -> Table:
    """An empty table without columns in the caller's workspace; raises ``Conflict`` when the name is taken."""
    caller.require("tables")
    try:
        with transaction.atomic():
            table = Table.objects.create(workspace_id=caller.workspace_id, name=name, description=description)
            storage.create(table.pk)
    except IntegrityError:
        raise Conflict(f"There is a table {name!r} already.") from None
    return table


def add_column(
    caller: Caller,
    table: Table,
    *,
    name: str,
    kind: str = Kind.TEXT,
    default: str = "",
    required: bool = False,
    indexable: bool = False,
    position: int | None = None,
) -> Column:
    """A column, empty in every row there is.

    Raises ``BadRequest`` for a default that is not of the type and for a required column where there are rows.
    """
    column = Column(table=table, name=name, kind=kind, default=default, required=required, indexable=indexable)
    column.position = table.columns.count() if position is None else position
    return save_new_column(caller, column)


def save_new_column(caller: Caller, column: Column, *, emptied: bool = False) -> Column:
    """``add_column`` for a column that is filled in already; ``emptied`` when the rows there are will be deleted."""
    caller.require("tables")
    check_column(column, caller.zone, any_rows=emptied)
    column.index_state = IndexState.WANTED if column.indexable else IndexState.NONE
    with _named_once(column):
        _count_change(column.table)
        if column.table.columns.count() >= MOST_COLUMNS:
            raise BadRequest(f"A table has at most {MOST_COLUMNS} columns.")
        column.save(force_insert=True)
        storage.add_column(column.table_id, column.pk, column.kind)
    return column


def change_column(caller: Caller, column: Column, *, emptied: bool = False) -> None:
    """Keep the new name, default, switches and position of a column; its type stays what it is.

    ``emptied`` when the rows there are will be deleted.
    """
    caller.require("tables")
    with _named_once(column):
        _count_change(column.table)
        stored = Column.objects.select_for_update().get(pk=column.pk)
        column.kind = stored.kind
        check_column(column, caller.zone, any_rows=emptied or stored.required)
        column.index_state = _index_state(stored, column.indexable)
        column.save(
            update_fields=["name", "default", "required", "indexable", "position", "index_state"],
        )


def remove_column(caller: Caller, column: Column) -> None:
    """Take a column away; its values cannot be read from this moment on."""
    caller.require("tables")
    with transaction.atomic():
        _count_change(column.table)
        column.delete()


def build_again(caller: Caller, column: Column) -> None:
    """Have the index of a column built once more, after it failed."""
    caller.require("tables")
    Column.objects.filter(pk=column.pk, indexable=True).update(index_state=IndexState.WANTED, index_error="")


def check_column(column: Column, zone: Zone, any_rows: bool = False) -> None:
    """Raise ``BadRequest`` for switches and a default that do not suit the type, or the rows unless ``any_rows`` do."""
    if column.indexable and column.kind == Kind.JSON:
        raise _refuse("indexable", "Columns of type JSON cannot be indexed.")
    try:
        kinds.read_text(column.kind, column.default, zone)
    except Unreadable as error:
        raise _refuse("default", f"The default must be {error}.") from None
    if column.required and not any_rows and not _is_filled(column):
        raise _refuse("required", "There are rows without a value in this column: it cannot be required.")


@contextmanager
def _named_once(column: Column) -> Iterator[None]:
    """A transaction; raises ``Conflict`` when the name is taken."""
    try:
        with transaction.atomic():
            yield
    except IntegrityError:
        raise Conflict(f"There is a column {column.name!r} already.") from None


def _is_filled(column: Column) -> bool:
    if column.table_id is None:
        return True
    return storage.is_filled(column.table_id, column.pk)


def _refuse(field: str, message: str) -> BadRequest:
    return BadRequest(message, details=[Detail(f"/{field}", message)])


def _index_state(stored: Column, indexable: bool) -> str:
    if indexable == stored.indexable:
        return stored.index_state
    return IndexState.WANTED if indexable else IndexState.UNWANTED


def _count_change(table: Table) -> None:
    """One change of a table's columns at a time; row versions that callers hold are stale after it."""
    Table.objects.filter(pk=table.pk).update(revision=F("revision") + 1, date_modified=timezone.now())
