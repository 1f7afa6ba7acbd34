"""Copying the rows of one table to another, in one statement however many there are."""

from django.db import connection

from apps.core.copy_action import CopyAction
from apps.tables import storage
from apps.tables.models import Table


def copy_rows(source: Table, target: Table, action: CopyAction) -> int:
    """The rows of a table, with their ids, to another whose columns have the same names; how many were written.

    Columns that only one of the two has are left out. Rows never pass through this process. Runs in the caller's
    transaction.
    """
    theirs = {column.name: storage.column(column.pk) for column in source.columns.all()}
    pairs = [
        (storage.column(column.pk), theirs[column.name]) for column in target.columns.all() if column.name in theirs
    ]
    with connection.cursor() as cursor:
        if action is CopyAction.REPLACE:
            cursor.execute(f"DELETE FROM {storage.relation(target.pk)}")
        cursor.execute(_rows_statement(target.pk, source.pk, pairs, action))
        written = cursor.rowcount
        cursor.execute(_next_id(target.pk))
    return written


def _rows_statement(target: int, source: int, columns: list[tuple[str, str]], action: CopyAction) -> str:
    """The names in it are made of ids alone, see ``storage``."""
    into = ", ".join(["id", "date_created", "date_updated", *(ours for ours, _ in columns)])
    taken = ", ".join(["id", "date_created", "date_updated", *(theirs for _, theirs in columns)])
    return (
        f"INSERT INTO {storage.relation(target)} AS r ({into}) SELECT {taken} FROM {storage.relation(source)} "
        f"ON CONFLICT (id) DO {_rows_conflict(columns, action)}"
    )


def _rows_conflict(columns: list[tuple[str, str]], action: CopyAction) -> str:
    if action is not CopyAction.UPSERT or not columns:
        return "NOTHING"
    names = [ours for ours, _ in columns]
    values = ", ".join(f"{name} = excluded.{name}" for name in names)
    differs = " OR ".join(f"r.{name} IS DISTINCT FROM excluded.{name}" for name in names)
    return f"UPDATE SET {values}, version = r.version + 1, date_updated = excluded.date_updated WHERE {differs}"


def _next_id(table: int) -> str:
    """New rows come after the copied ones."""
    relation = storage.relation(table)
    return (
        f"SELECT setval(pg_get_serial_sequence('{relation}', 'id'), greatest(max(id), nextval("
        f"pg_get_serial_sequence('{relation}', 'id')))) FROM {relation}"
    )
