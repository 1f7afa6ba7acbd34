"""What keystores and tables hold, copied from one workspace of a project to another."""

import json
from typing import Any

import pytest

from apps.applications.caller import Caller
from apps.core.copy_action import CopyAction
from apps.keystores.copying import copy_items
from apps.keystores.models import Keystore, KeystoreItem
from apps.tables import copying, structure
from apps.tables import services as tables
from apps.tables.copying import RowCopier
from apps.tables.models import Table
from tests.conftest import Tenant
from tests.environments.deployment.conftest import deploy

pytestmark = pytest.mark.django_db

# From how many rows on a table is filled anew instead of being written in place.
WAYS = pytest.mark.parametrize("worth", [1, 1000], ids=["anew", "in place"])
ROWS = [{"username": "ann", "age": 20}, {"username": "bob", "age": 30}]


@pytest.fixture
def deployed(stocked: Tenant, copy: Caller) -> Tenant:
    """Both workspaces defined alike, the Designer's with two keys and two rows."""
    for row in ROWS:
        tables.insert_row(stocked.caller, "people", row)
    deploy(stocked, copy)
    return stocked


def keys(workspace_id: int) -> dict[str, Any]:
    rows = KeystoreItem.objects.in_workspace(workspace_id).values_list("key", "data")
    return {key: json.loads(data) for key, data in rows}


def put(workspace_id: int, key: str, value: Any) -> None:
    keystore = Keystore.objects.in_workspace(workspace_id).get(identifier="weather")
    KeystoreItem.objects.update_or_create(keystore=keystore, key=key, defaults={"data": json.dumps(value)})


def copy_keys(deployed: Tenant, copy: Caller, action: CopyAction) -> int:
    weather = Keystore.objects.filter(identifier="weather")
    return copy_items(weather.get(workspace=deployed.workspace).pk, weather.get(workspace=copy.workspace_id).pk, action)


def copy_people(deployed: Tenant, copy: Caller, action: CopyAction) -> int:
    table = Table.objects.filter(name="people")
    copier = RowCopier()
    written = copier.copy(table.get(workspace=deployed.workspace), table.get(workspace=copy.workspace_id), action)
    copier.finish()
    return written


def people(caller: Caller) -> list[tuple[int, str, int]]:
    return [(row.id, row.values["username"], row.values["age"]) for row in tables.search_rows(caller, "people").rows]


def test_a_definition_alone_copies_neither_keys_nor_rows(deployed: Tenant, copy: Caller) -> None:
    assert keys(copy.workspace_id) == {}
    assert people(copy) == []


@pytest.mark.parametrize(
    ("action", "expected", "written"),
    [
        (CopyAction.INSERT, {"London": {"temp": -1}, "Paris": {"temp": 1}, "Madrid": {"temp": 24}}, 1),
        (CopyAction.UPSERT, {"London": {"temp": 15}, "Paris": {"temp": 1}, "Madrid": {"temp": 24}}, 2),
        (CopyAction.REPLACE, {"London": {"temp": 15}, "Madrid": {"temp": 24}}, 2),
    ],
)
def test_keys_that_are_there_already(
    deployed: Tenant, copy: Caller, action: CopyAction, expected: dict[str, Any], written: int
) -> None:
    put(copy.workspace_id, "London", {"temp": -1})
    put(copy.workspace_id, "Paris", {"temp": 1})
    before = keys(deployed.workspace.pk)
    assert copy_keys(deployed, copy, action) == written
    assert keys(copy.workspace_id) == expected
    assert keys(deployed.workspace.pk) == before


def test_keys_that_are_the_same_keep_their_version(deployed: Tenant, copy: Caller) -> None:
    copy_keys(deployed, copy, CopyAction.INSERT)
    put(deployed.workspace.pk, "London", {"temp": 16})
    assert copy_keys(deployed, copy, CopyAction.UPSERT) == 1
    versions = dict(KeystoreItem.objects.in_workspace(copy.workspace_id).values_list("key", "version"))
    assert versions == {"London": 2, "Madrid": 1}


@WAYS
@pytest.mark.parametrize(
    ("action", "expected", "written"),
    [
        (CopyAction.INSERT, [(1, "eve", 40), (2, "bob", 30), (3, "dan", 50)], 1),
        (CopyAction.UPSERT, [(1, "ann", 20), (2, "bob", 30), (3, "dan", 50)], 2),
        (CopyAction.REPLACE, [(1, "ann", 20), (2, "bob", 30)], 2),
    ],
)
def test_rows_that_are_there_already(
    deployed: Tenant,
    copy: Caller,
    action: CopyAction,
    expected: list[Any],
    written: int,
    worth: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(copying, "WORTH_REWRITING", worth)
    for row in ({"username": "eve", "age": 40}, {"username": "x", "age": 0}, {"username": "dan", "age": 50}):
        tables.insert_row(copy, "people", row)
    tables.delete_row(copy, "people", 2)
    assert copy_people(deployed, copy, action) == written
    assert people(copy) == expected


def test_a_new_row_never_takes_the_id_of_a_copied_one(deployed: Tenant, copy: Caller) -> None:
    copy_people(deployed, copy, CopyAction.INSERT)
    _, row = tables.insert_row(copy, "people", {"username": "new", "age": 1})
    assert row.id > 2
    assert len(people(copy)) == 3


def test_columns_are_found_by_their_names(deployed: Tenant, copy: Caller) -> None:
    table = Table.objects.in_workspace(copy.workspace_id).get(name="people")
    structure.add_column(copy, table, name="note", kind="text", default="")
    structure.remove_column(copy, table.columns.get(name="username"))
    copy_people(deployed, copy, CopyAction.INSERT)
    found = tables.search_rows(copy, "people")
    assert [row.values for row in found.rows] == [{"age": 20, "note": None}, {"age": 30, "note": None}]
