"""The job that builds and drops what physical tables need."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection, transaction
from django.utils import timezone

from apps.accounts.models import Role
from apps.core.errors import Conflict
from apps.tables import execution, services, storage, structure
from apps.tables.bounds import unchanged
from apps.tables.execution import tend
from apps.tables.models import Column, IndexState, Table, Upload
from apps.tables.tasks import tend_tables
from tests.conftest import Tenant
from tests.members import person
from tests.tables.conftest import make_table

pytestmark = pytest.mark.django_db(transaction=True)


def query(sql: str, *values: Any) -> list[Any]:
    with connection.cursor() as cursor:
        cursor.execute(sql, values)
        return cursor.fetchall()


def indexes(table: Table) -> dict[str, bool]:
    """Names of a physical table's indexes, and whether they are valid."""
    return dict(
        query(
            "SELECT c.relname, i.indisvalid FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid "
            "WHERE i.indrelid = to_regclass(%s) AND NOT i.indisprimary",
            storage.relation(table.pk),
        )
    )


def state(column: Column) -> tuple[str, str]:
    column.refresh_from_db()
    return column.index_state, column.index_error


@pytest.fixture
def table(acme: Tenant) -> Table:
    """A table with an indexable text, an indexable number and a plain column."""
    return make_table(acme, name={"indexable": True}, age={"kind": "integer", "indexable": True}, note={"kind": "text"})


def test_indexes_are_built_for_columns_that_want_them(table: Table) -> None:
    name, age, note = table.columns.all()
    assert [column.index_state for column in (name, age, note)] == ["wanted", "wanted", "none"]
    tend_tables()
    assert [state(column) for column in (name, age, note)] == [("ready", ""), ("ready", ""), ("none", "")]
    assert indexes(table) == {f"tr_{name.pk}": True, f"tg_{name.pk}": True, f"tr_{age.pk}": True}
    tend()
    assert len(indexes(table)) == 3


def test_an_index_goes_when_nobody_wants_it(acme: Tenant, table: Table) -> None:
    name, age, _ = table.columns.all()
    tend()
    name.indexable = False
    structure.change_column(acme.caller, name)
    assert state(name) == ("unwanted", "")
    tend()
    assert state(name) == ("none", "")
    assert list(indexes(table)) == [f"tr_{age.pk}"]
    name.indexable = True
    structure.change_column(acme.caller, name)
    tend()
    assert (state(name), len(indexes(table))) == (("ready", ""), 3)


def test_an_interrupted_build_is_done_again(table: Table) -> None:
    name, age, _ = table.columns.all()
    tend()
    run("UPDATE pg_index SET indisvalid = false WHERE indexrelid = to_regclass(%s)", f"user_tables.tr_{age.pk}")
    run("DROP INDEX user_tables.tg_" + str(name.pk))
    Column.objects.filter(pk__in=(name.pk, age.pk)).update(
        index_state=IndexState.BUILDING, index_claimed_at=timezone.now()
    )
    tend()
    assert [state(name)[0], state(age)[0]] == ["building", "building"]  # its builder may still be alive
    Column.objects.update(index_claimed_at=timezone.now() - timedelta(minutes=1))
    tend()
    assert [state(name), state(age)] == [("ready", "")] * 2
    assert indexes(table) == {f"tr_{name.pk}": True, f"tg_{name.pk}": True, f"tr_{age.pk}": True}


def run(sql: str, *values: Any) -> None:
    with connection.cursor() as cursor:
        cursor.execute(sql, values)


def test_a_builder_that_was_overtaken_says_nothing(table: Table) -> None:
    name, *_ = table.columns.all()
    claim = execution._claim()
    assert claim is not None
    assert claim.column_id == name.pk
    Column.objects.filter(pk=name.pk).update(index_state=IndexState.UNWANTED)
    execution._build(claim)
    assert state(name) == ("unwanted", "")
    tend()
    assert not {f"tr_{name.pk}", f"tg_{name.pk}"} & set(indexes(table))


def test_an_index_that_cannot_be_built_says_why_and_is_built_when_asked_again(acme: Tenant, table: Table) -> None:
    _, age, _ = table.columns.all()
    run(f"ALTER TABLE {storage.relation(table.pk)} RENAME COLUMN {storage.column(age.pk)} TO elsewhere")
    tend()
    assert state(age) == ("failed", f'column "{storage.column(age.pk)}" does not exist')
    assert f"tr_{age.pk}" not in indexes(table)
    run(f"ALTER TABLE {storage.relation(table.pk)} RENAME COLUMN elsewhere TO {storage.column(age.pk)}")
    tend()
    assert state(age)[0] == "failed"
    structure.build_again(acme.caller, age)
    tend()
    assert state(age) == ("ready", "")


def test_without_the_extension_texts_are_indexed_for_the_rest(table: Table) -> None:
    name, *_ = table.columns.all()
    run("DROP EXTENSION pg_trgm CASCADE")
    try:
        tend()
        assert state(name) == ("ready", execution.NO_TRIGRAMS)
        assert f"tr_{name.pk}" in indexes(table)
    finally:
        run("CREATE EXTENSION pg_trgm")


def test_a_removed_column_is_gone_at_once_and_its_values_soon(acme: Tenant, table: Table) -> None:
    services.insert_row(acme.caller, "people", {"name": "a", "age": 1})
    _, age, _ = table.columns.all()
    removed = storage.column(age.pk)
    tend()
    structure.remove_column(acme.caller, age)
    assert list(services.get_row(acme.caller, "people", 1)[1].values) == ["name", "note"]
    structure.add_column(acme.caller, table, name="age", kind="text")
    assert services.get_row(acme.caller, "people", 1)[1].values["age"] is None
    tend()
    names = {name for (name,) in query(
        "SELECT attname FROM pg_attribute WHERE attrelid = to_regclass(%s) AND attnum > 0 AND NOT attisdropped",
        storage.relation(table.pk),
    )}  # fmt: skip
    assert removed not in names
    assert len(names) == 7


@pytest.mark.parametrize("how", ["table", "project"])
def test_a_removed_table_is_dropped(acme: Tenant, rival: Tenant, table: Table, how: str) -> None:
    gone, kept = storage.relation(table.pk), storage.relation(make_table(rival).pk)
    tend()
    acme.flow.delete()
    (table if how == "table" else acme.project).delete()
    assert not Table.objects.in_workspace(acme.workspace.pk).exists()
    tend()
    assert query("SELECT to_regclass(%s) IS NULL, to_regclass(%s) IS NULL", gone, kept) == [(True, False)]


@contextmanager
def reading(physical: str) -> Iterator[None]:
    """Somebody reads the table meanwhile, in a transaction that goes on."""
    held, ended = threading.Event(), threading.Event()

    def read() -> None:
        with transaction.atomic():
            query(f"SELECT count(*) FROM {physical}")
            held.set()
            ended.wait(10)
        connection.close()

    reader = threading.Thread(target=read)
    reader.start()
    held.wait(5)
    try:
        yield
    finally:
        ended.set()
        reader.join()


def test_a_table_in_use_is_dropped_later(table: Table, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(storage, "_LOCK_SECONDS", 1)
    physical = storage.relation(table.pk)
    with reading(physical):
        table.delete()
        tend()
        assert query("SELECT to_regclass(%s) IS NULL", physical) == [(False,)]
    tend()
    assert query("SELECT to_regclass(%s) IS NULL", physical) == [(True,)]


def test_changes_of_a_table_in_use_are_refused_and_leave_nothing(
    acme: Tenant, table: Table, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(storage, "_LOCK_SECONDS", 1)
    with reading(storage.relation(table.pk)), pytest.raises(Conflict, match="being read or indexed"):
        structure.add_column(acme.caller, table, name="more")
    assert table.columns.count() == 3
    assert structure.add_column(acme.caller, table, name="more").position == 3


def test_a_column_that_goes_while_a_statement_is_on_its_way_is_a_conflict(acme: Tenant, table: Table) -> None:
    with pytest.raises(Conflict, match="changed at this moment"), unchanged():
        query(f"SELECT c0 FROM {storage.relation(table.pk)}")
    with pytest.raises(Conflict, match="changed at this moment"), unchanged():
        query("SELECT id FROM user_tables.t0")


def test_forgotten_uploads_are_removed(acme: Tenant, table: Table) -> None:
    user = person("dev", acme=Role.DEVELOPER)
    old = Upload.objects.create(table=table, user=user, name="a.csv", content=b"a")
    new = Upload.objects.create(table=table, user=user, name="b.csv", content=b"b")
    Upload.objects.filter(pk=old.pk).update(date_created=timezone.now() - timedelta(days=1, seconds=1))
    tend()
    assert list(Upload.objects.all()) == [new]
