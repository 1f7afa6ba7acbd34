"""Tables that are filled anew beside the one in use, and whoever reads, writes and indexes them meanwhile."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import psycopg
import pytest
from django.db import connection, transaction
from django.utils import timezone

from apps.applications.caller import Caller
from apps.core.copy_action import CopyAction
from apps.tables import copying, storage, structure
from apps.tables import services as tables
from apps.tables.copying import RowCopier
from apps.tables.execution import tend
from apps.tables.models import Column, IndexState, Table
from tests.conftest import Tenant
from tests.environments.deployment.conftest import deploy
from tests.environments.deployment.test_copying import people

pytestmark = pytest.mark.django_db(transaction=True)

OLDER = {"rules": [{"field": "age", "operator": ">", "value": 25}]}
UPSERT, REPLACE = CopyAction.UPSERT, CopyAction.REPLACE


@pytest.fixture(autouse=True)
def always_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(copying, "WORTH_REWRITING", 1)
    monkeypatch.setattr(storage, "_LOCK_SECONDS", 1)


@pytest.fixture
def source(stocked: Tenant) -> Table:
    """Three rows in the Designer."""
    for row in ({"username": "ann", "age": 20}, {"username": "bob", "age": 30}, {"username": "cat", "age": 40}):
        tables.insert_row(stocked.caller, "people", row)
    return Table.objects.in_workspace(stocked.workspace.pk).get()


@pytest.fixture
def target(source: Table, stocked: Tenant, copy: Caller) -> Table:
    """Four rows in the copy: the first is the same, two differ, one is only there."""
    deploy(stocked, copy)
    found = Table.objects.in_workspace(copy.workspace_id).get()
    structure.add_column(copy, found, name="note")
    for row in ({"username": "ann", "age": 20}, {"age": 0, "note": "kept"}, {"age": 1}, {"username": "dan"}):
        tables.insert_row(copy, "people", row)
    run(f"UPDATE {storage.relation(found.pk)} SET version = 7")
    tend()
    return found


def run(statement: str, *values: Any) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        return cursor.fetchall() if cursor.description else []


def oid(table: Table) -> int:
    """The physical table that is in use."""
    return int(run("SELECT to_regclass(%s)::oid", storage.relation(table.pk))[0][0])


NAMES = """
SELECT relname FROM pg_class WHERE relnamespace = 'user_tables'::regnamespace AND (
    relname LIKE 'n%%' OR oid = to_regclass(%(table)s) OR oid = pg_get_serial_sequence(%(table)s, 'id')::regclass
    OR oid IN (SELECT indexrelid FROM pg_index WHERE indrelid = to_regclass(%(table)s)))
ORDER BY relname
"""


def names(table: Table) -> list[str]:
    """The table, its sequence and its indexes, and whatever is named like a table that is being filled."""
    with connection.cursor() as cursor:
        cursor.execute(NAMES, {"table": storage.relation(table.pk)})
        return [name for (name,) in cursor.fetchall()]


def copy_all(source: Table, target: Table, action: CopyAction) -> int:
    with transaction.atomic():
        copier = RowCopier()
        written = copier.copy(source, target, action)
        copier.finish()
    return written


@contextmanager
def elsewhere(statement: str) -> Iterator[None]:
    """Another connection that has run a statement in a transaction, which lasts."""
    with psycopg.connect(**_coordinates()) as other:
        other.execute(statement)
        yield


def _coordinates() -> dict[str, Any]:
    wanted = ("dbname", "host", "port", "user", "password")
    return {key: value for key, value in connection.get_connection_params().items() if key in wanted}


def test_the_new_table_has_the_names_indexes_and_rows_of_the_old_one(
    source: Table, target: Table, copy: Caller
) -> None:
    before, expected = oid(target), names(target)
    keys = [f"t{target.pk}", f"t{target.pk}_id_seq", f"t{target.pk}_pkey"]
    assert expected == sorted([*keys, f"tr_{target.columns.get(name='age').pk}"])
    assert copy_all(source, target, UPSERT) == 2
    assert oid(target) != before
    assert names(target) == expected
    assert people(copy) == [(1, "ann", 20), (2, "bob", 30), (3, "cat", 40), (4, "dan", None)]
    rows = tables.search_rows(copy, "people", where=OLDER).rows
    assert [(row.id, row.version, row.values["note"]) for row in rows] == [(2, 8, "kept"), (3, 8, None)]
    assert [tables.get_row(copy, "people", number)[1].version for number in (1, 4)] == [7, 7]
    assert copy_all(source, target, REPLACE) == 3
    assert names(target) == expected


def test_ids_go_on_after_all_there_ever_were(source: Table, target: Table, copy: Caller) -> None:
    copy_all(source, target, REPLACE)
    assert people(copy) == [(1, "ann", 20), (2, "bob", 30), (3, "cat", 40)]
    _, row = tables.insert_row(copy, "people", {"username": "new"})
    assert row.id > 4


def test_whatever_fails_later_leaves_the_old_table(source: Table, target: Table, copy: Caller) -> None:
    before, rows, expected = oid(target), people(copy), names(target)
    with transaction.atomic():
        copier = RowCopier()
        copier.copy(source, target, UPSERT)
        copier.finish()
        transaction.set_rollback(True)
    assert (oid(target), people(copy), names(target)) == (before, rows, expected)


@pytest.mark.parametrize("action", [UPSERT, REPLACE])
def test_readers_read_until_the_end_and_find_the_new_rows_afterwards(
    source: Table, target: Table, copy: Caller, action: CopyAction
) -> None:
    with psycopg.connect(**_coordinates(), autocommit=True, prepare_threshold=0) as reader:
        count = f"SELECT sum({storage.column(target.columns.get(name='age').pk)}) FROM {storage.relation(target.pk)}"
        reader.execute("SET lock_timeout = '1ms'")
        with transaction.atomic():
            copier = RowCopier()
            copier.copy(source, target, action)
            assert reader.execute(count).fetchone() == (21,)
            copier.finish()
        assert reader.execute(count).fetchone() == (90,)


def test_a_writer_waits_and_then_writes_to_the_new_table(source: Table, target: Table, copy: Caller) -> None:
    with transaction.atomic():
        copier = RowCopier()
        copier.copy(source, target, UPSERT)
        writer = threading.Thread(target=_insert, args=(copy,))
        writer.start()
        writer.join(0.5)
        assert writer.is_alive()
        copier.finish()
    writer.join(10)
    assert [name for _, name, _ in people(copy)] == ["ann", "bob", "cat", "dan", "late"]


def _insert(caller: Caller) -> None:
    try:
        tables.insert_row(caller, "people", {"username": "late"})
    finally:
        connection.close()


def test_a_table_that_is_written_to_is_not_filled_anew(source: Table, target: Table, copy: Caller) -> None:
    before, expected = oid(target), names(target)
    with elsewhere(f"UPDATE {storage.relation(target.pk)} SET version = 9 WHERE id = 4"):
        assert copy_all(source, target, UPSERT) == 2
    assert (oid(target), names(target)) == (before, expected)
    assert people(copy) == [(1, "ann", 20), (2, "bob", 30), (3, "cat", 40), (4, "dan", None)]


@pytest.mark.parametrize("action", [UPSERT, REPLACE])
def test_a_table_that_is_read_for_long_is_changed_in_place_at_last(
    source: Table, target: Table, copy: Caller, action: CopyAction
) -> None:
    before, expected = oid(target), names(target)
    with elsewhere(f"SELECT FROM {storage.relation(target.pk)}"):
        copy_all(source, target, action)
    assert (oid(target), names(target)) == (before, expected)
    assert people(copy)[:3] == [(1, "ann", 20), (2, "bob", 30), (3, "cat", 40)]


@pytest.mark.parametrize("action", [UPSERT, REPLACE])
def test_a_table_that_a_view_shows_is_changed_in_place_at_last(
    source: Table, target: Table, copy: Caller, action: CopyAction
) -> None:
    before, expected = oid(target), names(target)
    run(f"CREATE VIEW shown AS SELECT id FROM {storage.relation(target.pk)}")
    try:
        copy_all(source, target, action)
        assert (oid(target), names(target)) == (before, expected)
        assert people(copy)[:3] == [(1, "ann", 20), (2, "bob", 30), (3, "cat", 40)]
    finally:
        run("DROP VIEW shown")


def test_whoever_was_allowed_to_read_the_table_still_is(source: Table, target: Table) -> None:
    run(f"GRANT SELECT ON {storage.relation(target.pk)} TO pg_monitor, PUBLIC")
    allowed = "SELECT a.grantee, a.privilege_type FROM pg_class, aclexplode(relacl) a WHERE oid = %s ORDER BY 1, 2"
    before, rights = oid(target), run(allowed, oid(target))
    copy_all(source, target, REPLACE)
    assert oid(target) != before
    assert run(allowed, oid(target)) == rights


def test_an_index_that_was_being_built_is_built_again(source: Table, target: Table) -> None:
    age = target.columns.get(name="age")
    Column.objects.filter(pk=age.pk).update(index_state=IndexState.BUILDING, index_claimed_at=timezone.now())
    copy_all(source, target, REPLACE)
    assert Column.objects.get(pk=age.pk).index_state == IndexState.WANTED
    assert f"tr_{age.pk}" not in names(target)
    Column.objects.update(index_claimed_at=timezone.now() - timedelta(minutes=1))
    tend()
    assert f"tr_{age.pk}" in names(target)


def test_what_was_removed_from_the_table_stays_removed(source: Table, target: Table, copy: Caller) -> None:
    structure.remove_column(copy, target.columns.get(name="note"))
    copy_all(source, target, UPSERT)
    tend()
    (columns,) = run(
        "SELECT array_agg(attname::text ORDER BY attnum) FROM pg_attribute"
        " WHERE attrelid = %s AND attnum > 0 AND NOT attisdropped",
        oid(target),
    )
    physical = [storage.column(column.pk) for column in target.columns.order_by("pk")]
    assert columns[0] == ["id", "version", "date_created", "date_updated", *physical]


def test_few_changes_are_made_in_place(stocked: Tenant, source: Table, target: Table) -> None:
    copy_all(source, target, UPSERT)
    before = oid(target)
    tables.update_rows(stocked.caller, "people", {"age": 99}, row_id=1)
    assert copy_all(source, target, UPSERT) == 1  # one of four
    assert oid(target) == before


def test_versions_of_replaced_rows_are_stale(source: Table, target: Table) -> None:
    before = Table.objects.get(pk=target.pk).revision
    copy_all(source, target, UPSERT)
    assert Table.objects.get(pk=target.pk).revision == before
    copy_all(source, target, REPLACE)
    assert Table.objects.get(pk=target.pk).revision == before + 1
