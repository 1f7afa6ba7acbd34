"""Copying the rows of one table to another, in as many statements however many there are."""

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
        cursor.execute(_next_id(source.pk, target.pk))
        if action is CopyAction.REPLACE:
            cursor.execute(f"DELETE FROM {storage.relation(target.pk)}")
        updated = 0
        if action is CopyAction.UPSERT and pairs:
            cursor.execute(_update(target.pk, source.pk, pairs))
            updated = cursor.rowcount
        cursor.execute(_insert(target.pk, source.pk, pairs))
        return updated + cursor.rowcount


def _insert(target: int, source: int, columns: list[tuple[str, str]]) -> str:
    """Rows that are not there yet. The names in it are made of ids alone, see ``storage``.

    Whoever inserts beside it gets a higher id. Without a clause for conflicts it costs what a plain insert does; a row
    that was under way with a copied id before is a unique violation, and the deployment is tried again.
    """
    into = ", ".join(["id", "date_created", "date_updated", *(ours for ours, _ in columns)])
    names = ["id", "date_created", "date_updated", *(theirs for _, theirs in columns)]
    taken = ", ".join(f"s.{name}" for name in names)
    return (
        f"INSERT INTO {storage.relation(target)} ({into}) SELECT {taken} FROM {storage.relation(source)} s "
        f"WHERE NOT EXISTS (SELECT FROM {storage.relation(target)} r WHERE r.id = s.id)"
    )


def _update(target: int, source: int, columns: list[tuple[str, str]]) -> str:
    """Rows that are there and differ."""
    values = ", ".join(f"{ours} = s.{theirs}" for ours, theirs in columns)
    differs = " OR ".join(f"r.{ours} IS DISTINCT FROM s.{theirs}" for ours, theirs in columns)
    return (
        f"UPDATE {storage.relation(target)} r SET {values}, version = r.version + 1, date_updated = s.date_updated "
        f"FROM {storage.relation(source)} s WHERE r.id = s.id AND ({differs})"
    )


def _next_id(source: int, target: int) -> str:
    """New rows come after the copied ones, from this moment on."""
    sequence = f"pg_get_serial_sequence('{storage.relation(target)}', 'id')"
    return f"SELECT setval({sequence}, greatest(max(id), nextval({sequence}))) FROM {storage.relation(source)}"
