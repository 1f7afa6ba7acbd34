"""A physical table that is filled beside the one in use, and takes its place.

Rows that are written into an empty table leave no dead ones behind, and indexes that are built afterwards cost a part
of what growing them does. All of it happens in the caller's transaction, so that no such table is left over.
"""

from collections.abc import Iterator

from django.db import InternalError, connection
from psycopg.errors import DependentObjectsStillExist

from apps.core.errors import Conflict
from apps.tables import indexes, storage
from apps.tables.models import Column, IndexState

_GRANTS = """
SELECT format('GRANT %%s ON %%s TO %%s', privilege_type, %s::text,
              CASE grantee WHEN 0 THEN 'PUBLIC' ELSE grantee::regrole::text END)
FROM pg_class, aclexplode(relacl) WHERE pg_class.oid = to_regclass(%s) AND grantee <> relowner
"""
_ALIKE = "INCLUDING IDENTITY INCLUDING DEFAULTS INCLUDING STORAGE"


def successor(table_id: int) -> str:
    """The physical table that is being filled."""
    return f"{storage.SCHEMA}.n{table_id:d}"


def begin(table_id: int) -> bool:
    """Make an empty table with the same columns; until the transaction ends, the one in use is only read.

    False, and nothing done, when others write to it or build an index just now.
    """
    try:
        with storage.briefly_locked():
            storage.execute(f"LOCK TABLE {storage.relation(table_id)} IN EXCLUSIVE MODE")
            storage.execute(f"CREATE TABLE {successor(table_id)} (LIKE {storage.relation(table_id)} {_ALIKE})")
            _grant_alike(table_id)
    except Conflict:
        return False
    # Whoever is building an index has not noted it yet, and must begin again: the next table has none of it.
    Column.objects.filter(table=table_id, index_state=IndexState.BUILDING).update(index_state=IndexState.WANTED)
    return True


def complete(table_id: int) -> list[str]:
    """Give the filled table its indexes, and the planner its numbers; the names that the indexes are to have."""
    storage.execute(f"ALTER TABLE {successor(table_id)} ADD PRIMARY KEY (id)")
    built = list(_indexes(table_id))
    for index in built:
        storage.execute(f"CREATE INDEX n{index.name} ON {successor(table_id)} {index.keys}")
    storage.execute(f"ANALYZE {successor(table_id)}")
    return [index.name for index in built]


def put_in_place(table_id: int, built: list[str]) -> bool:
    """Let the filled table be the one in use; readers wait until the transaction ends.

    False, and nothing done, when somebody reads the old one for long, or a view shows it.
    """
    try:
        with storage.briefly_locked():
            storage.execute(f"DROP TABLE {storage.relation(table_id)}")
            storage.execute(f"ALTER TABLE {successor(table_id)} RENAME TO t{table_id:d}")
            storage.execute(f"ALTER SEQUENCE {storage.SCHEMA}.n{table_id:d}_id_seq RENAME TO t{table_id:d}_id_seq")
            storage.execute(f"ALTER INDEX {storage.SCHEMA}.n{table_id:d}_pkey RENAME TO t{table_id:d}_pkey")
            for name in built:
                storage.execute(f"ALTER INDEX {storage.SCHEMA}.n{name} RENAME TO {name}")
    except Conflict:
        return False
    except InternalError as error:
        if isinstance(error.__cause__, DependentObjectsStillExist):
            return False
        raise
    return True


def discard(table_id: int) -> None:
    """Forget the filled table; the one in use stays."""
    storage.execute(f"DROP TABLE {successor(table_id)}")


def _indexes(table_id: int) -> Iterator[indexes.Index]:
    columns = Column.objects.filter(table=table_id, index_state=IndexState.READY)
    for column_id, kind in columns.values_list("pk", "kind"):
        yield from indexes.wanted(column_id, kind)


def _grant_alike(table_id: int) -> None:
    """Let everybody read the next table who was allowed to read this one."""
    with connection.cursor() as cursor:
        cursor.execute(_GRANTS, [successor(table_id), storage.relation(table_id)])
        for (statement,) in cursor.fetchall():
            cursor.execute(statement)
