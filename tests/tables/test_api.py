"""``/v1/tables``: rows that are added and read, and who may."""

from datetime import UTC, datetime
from typing import Any

import pytest
from django.test import Client

from apps.tables.models import Table
from tests.conftest import Tenant
from tests.tables.calls import EMPTY, MOMENT, PAGE, ages, call, count_rows, dated, insert, refused
from tests.tables.conftest import make_table

# --- Insert -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["people", "people/", "people/17", "people/17/"])
@pytest.mark.parametrize(
    "body",
    [
        {"username": "newuser", "age": 23},
        {
            "columns": [
                {"column_name": "username", "column_value": "newuser"},
                {"column_name": "age", "column_value": 23},
            ]
        },
    ],
    ids=["flat", "columns"],
)
def test_insert(client: Client, acme: Tenant, people: Table, path: str, body: Any) -> None:
    response = call(client, acme, "post", path, body)
    document = response.json()
    (row,) = document.pop("data")
    assert (response.status_code, document) == (200, PAGE)
    assert MOMENT.match(row.pop("date_created"))
    assert MOMENT.match(row.pop("date_updated"))
    assert row == EMPTY | {"id": "1", "username": "newuser", "age": 23}


def test_ids_count_in_each_table_by_itself(client: Client, acme: Tenant, rival: Tenant, people: Table) -> None:
    make_table(acme, "other", note="text")
    make_table(rival)
    assert insert(acme, {"age": 1}, {"age": 2}) == [1, 2]
    assert insert(acme, {"note": "x"}, table="other") == [1]
    assert insert(rival, {"age": 3}) == [1]


def test_every_type_comes_back_as_it_was_sent(client: Client, acme: Tenant, people: Table) -> None:
    sent = {
        "username": "Zoë 🙂",
        "age": -(2**63),
        "balance": 149.95,
        "active": False,
        "born": "1999-12-31",
        "seen": "2026-07-15T20:30:05Z",
        "extra": {"a": [1, 2.5, None, "x"], "e": 1e300},
    }
    (row,) = call(client, acme, "post", "people", sent).json()["data"]
    assert {name: row[name] for name in sent} == sent | {"seen": "2026-07-15 22:30:05"}
    assert call(client, acme, "get", f"people/{row['id']}").json()["data"] == [row]


def test_defaults_hold_for_columns_that_are_not_named(client: Client, acme: Tenant) -> None:
    make_table(
        acme,
        "defaults",
        kind={"default": "user"},
        level={"kind": "integer", "default": "7"},
        since={"kind": "date", "default": "2026-01-01"},
        extra={"kind": "json", "default": '{"a": 1}'},
        note={},
    )
    (row,) = call(client, acme, "post", "defaults", {"note": "x", "level": None}).json()["data"]
    assert {name: row[name] for name in ("kind", "level", "since", "extra", "note")} == {
        "kind": "user",
        "level": None,
        "since": "2026-01-01",
        "extra": {"a": 1},
        "note": "x",
    }


def test_required_columns(client: Client, acme: Tenant) -> None:
    table = make_table(acme, "strict", name={"required": True}, level={"kind": "integer"})
    refused(call(client, acme, "post", "strict", {"level": 1}), 400, "name is required.", "/name")
    refused(call(client, acme, "post", "strict", {"name": None}), 400, "name is required.", "/name")
    assert call(client, acme, "post", "strict", {"name": "x"}).status_code == 200
    refused(call(client, acme, "put", "strict/1", {"name": None}), 400, "name is required.", "/name")
    assert count_rows(table) == 1


@pytest.mark.parametrize(
    ("body", "message", "path"),
    [
        ([{"age": 1}], "The body must be an object with the columns of one row.", None),
        (5, "The body must be an object with the columns of one row.", None),
        ({}, "The body names no column.", None),
        ({"columns": []}, "The body names no column.", None),
        ({"nope": 1}, "The table people has no column 'nope'.", "/nope"),
        ({"a/b~": 1}, "The table people has no column 'a/b~'.", "/a~1b~0"),
        ({"where": {}}, "The table people has no column 'where'.", "/where"),
        ({"id": 1, "age": 1}, "id is set by the system and cannot be written.", "/id"),
        ({"date_created": "x"}, "date_created is set by the system and cannot be written.", "/date_created"),
        ({"date_updated": "x"}, "date_updated is set by the system and cannot be written.", "/date_updated"),
        ({"columns": 5}, "/columns/0/column_name: must name a column.", "/columns/0/column_name"),
        ({"columns": [{"column_value": 1}]}, "/columns/0/column_name: must name a column.", "/columns/0/column_name"),
        ({"columns": [{"column_name": "age"}]}, "/columns/0/column_value: is missing.", "/columns/0/column_value"),
        (
            {"columns": [{"column_name": "age", "column_value": 1}] * 2},
            "/columns/1/column_name: names a column for the second time.",
            "/columns/1/column_name",
        ),
        (
            {"age": 1, "columns": [{"column_name": "age", "column_value": 2}]},
            "The body names columns both inside and outside of columns: use one form.",
            None,
        ),
        ({"username": {"a": 1}}, "username must be a text.", "/username"),
        ({"username": ["a"]}, "username must be a text.", "/username"),
        ({"username": "u" * 100_000}, "username must be a text of at most 65535 characters.", "/username"),
        ({"age": "abc"}, "age must be a whole number of 64 bits.", "/age"),
        ({"age": 1.5}, "age must be a whole number of 64 bits.", "/age"),
        ({"age": True}, "age must be a whole number of 64 bits.", "/age"),
        ({"age": "9223372036854775808"}, "age must be a whole number of 64 bits.", "/age"),
        ({"age": "٣٥"}, "age must be a whole number of 64 bits.", "/age"),
        ({"balance": "1,5"}, "balance must be a number.", "/balance"),
        ({"balance": "NaN"}, "balance must be a number.", "/balance"),
        ({"balance": "Infinity"}, "balance must be a number.", "/balance"),
        (
            {"balance": "1234567890.1234567"},
            "balance must be a number of at most 15 digits, before and after the point together.",
            "/balance",
        ),
        (
            {"balance": "1e300"},
            "balance must be a number of at most 15 digits, before and after the point together.",
            "/balance",
        ),
        ({"active": "perhaps"}, "active must be true or false.", "/active"),
        ({"active": 2}, "active must be true or false.", "/active"),
        ({"born": "2026-02-30"}, "born must be a date such as 2026-08-15.", "/born"),
        ({"born": 20260815}, "born must be a date such as 2026-08-15.", "/born"),
        (
            {"seen": "yesterday"},
            "seen must be a date and time such as 2026-08-15 15:52:01 or 2026-08-15T15:52:01+02:00.",
            "/seen",
        ),
        ({"seen": "0001-06-01 00:00:00"}, "seen must be a date of the years 2 to 9998.", "/seen"),
        ({"seen": "9999-12-31 23:59:59"}, "seen must be a date of the years 2 to 9998.", "/seen"),
        ({"extra": "x" * 65_536}, "extra must be a JSON document of at most 65535 bytes.", "/extra"),
    ],
)
def test_inserts_that_are_refused(
    client: Client, acme: Tenant, people: Table, body: Any, message: str, path: str | None
) -> None:
    refused(call(client, acme, "post", "people", body), 400, message, path)
    assert count_rows(people) == 0


def test_every_fault_is_told(client: Client, acme: Tenant, people: Table) -> None:
    error = call(client, acme, "post", "people", {"age": "x", "born": "y", "nope": 1}).json()["error"]
    assert [detail["path"] for detail in error["details"]] == ["/age", "/born", "/nope"]


@pytest.mark.parametrize(
    ("column", "sent", "stored"),
    [
        ("age", "35", 35),
        ("age", " +35 ", 35),
        ("age", 35.0, 35),
        ("age", "", None),
        ("balance", "0035.500", 35.5),
        ("balance", "1e3", 1000),
        ("balance", 0.1, 0.1),
        ("balance", "999999999999999", 999999999999999),
        ("balance", "-0.000000000000001", -1e-15),
        ("balance", "-0", 0),
        ("active", "Yes", True),
        ("active", 0, False),
        ("born", "15-08-2026", "2026-08-15"),
        ("seen", "2026-08-15", "2026-08-15 00:00:00"),
        ("seen", "15-08-2026 24:00:00", "2026-08-16 00:00:00"),
        ("seen", "2026-08-15 15:52:01.999", "2026-08-15 15:52:01"),
        ("username", 1015, "1015"),
        ("username", 1.5, "1.5"),
        ("username", True, "true"),
        ("username", "", ""),
        ("extra", "", ""),
        ("extra", None, None),
        ("extra", 5, 5),
    ],
)
def test_values_that_are_understood(
    client: Client, acme: Tenant, people: Table, column: str, sent: Any, stored: Any
) -> None:
    (row,) = call(client, acme, "post", "people", {column: sent}).json()["data"]
    assert row[column] == stored
    assert type(row[column]) is type(stored)


# --- Get --------------------------------------------------------------------------------------------------------


def test_get(client: Client, acme: Tenant, people: Table) -> None:
    insert(acme, {"username": "myusername", "age": "18"})
    dated(people, datetime(2019, 4, 9, 13, 31, 21, tzinfo=UTC))
    response = call(client, acme, "get", "people/1")
    assert response.status_code == 200
    assert response.json() == {
        "data": [
            EMPTY
            | {
                "id": "1",
                "date_created": "2019-04-09 15:31:21",
                "date_updated": "2019-04-09 15:31:21",
                "username": "myusername",
                "age": 18,
            }
        ],
        "total": 1,
        "start_at": 0,
        "next_element": 1,
        "limit": 100,
        "offset": 0,
        "max_results": 1,
    }


@pytest.mark.parametrize("row", ["2", "0", "-1", "abc", "1.0", "9" * 18, "9" * 19, "9" * 40, "1%00", "%D9%A1"])
@pytest.mark.parametrize("method", ["get", "delete", "put"])
def test_rows_that_are_not_there(client: Client, acme: Tenant, people: Table, row: str, method: str) -> None:
    insert(acme, {"age": 1})
    response = call(client, acme, method, f"people/{row}", {"age": 5} if method == "put" else None)
    assert (response.status_code, response.json()["id"]) == (404, "not-found")
    assert call(client, acme, "get", "people/1").json()["data"][0]["age"] == 1


@pytest.mark.parametrize(
    "table",
    [
        *("nope", "pg_user", "auth_user", "information_schema.tables", "tables_table", "t1", "ТАБЛИЦА", "t" * 70),
        *('"x"; DROP TABLE y', "user_tables.t1", "a%00b", "People"),
    ],
)
def test_tables_that_are_not_there(client: Client, acme: Tenant, people: Table, table: str) -> None:
    for method, path, body in [
        ("get", "/1", None),
        ("post", "", {"age": 1}),
        ("post", "/search", {}),
        ("put", "/1", {"age": 1}),
        ("delete", "/1", None),
    ]:
        assert call(client, acme, method, table + path, body).status_code == 404


def test_rows_of_another_tenant_are_not_there(client: Client, acme: Tenant, rival: Tenant) -> None:
    make_table(rival, "secret", note="text")
    shared = make_table(rival, "people", age="integer")
    make_table(acme, "people", age="integer")
    insert(rival, {"note": "x"}, table="secret")
    insert(rival, {"age": 1}, {"age": 2})
    assert call(client, acme, "get", "secret/1").status_code == 404
    assert call(client, acme, "get", "people/2").status_code == 404
    assert call(client, acme, "post", "people/search", {}).json()["max_results"] == 0
    assert call(client, acme, "delete", "people/1").status_code == 404
    assert call(client, acme, "put", "people/1", {"age": 9}).status_code == 404
    assert count_rows(shared) == 2


# --- Who may ----------------------------------------------------------------------------------------------------


def test_every_style_of_credentials(client: Client, acme: Tenant, people: Table) -> None:
    token = client.get("/v1/checkauthentication", headers=acme.client_headers).json()["resource"]["access_token"]
    keys = f"?api_key={acme.api_key}&app_key={acme.keys.app_key}"
    insert(acme, {"age": 1})
    for query, headers in (
        ("", {"X-Apikey": acme.api_key}),
        ("", acme.headers),
        ("", {"Authorization": f"Bearer {token}"}),
        (keys, {}),
    ):
        assert client.get(f"/v1/tables/people/1{query}", headers=headers).status_code == 200


def test_a_project_key_needs_an_application_with_the_scope(client: Client, acme: Tenant, people: Table) -> None:
    acme.keys.scopes = ["tables.read"]
    acme.keys.save()
    insert(acme, {"age": 1})
    assert call(client, acme, "get", "people/1").status_code == 200
    assert call(client, acme, "post", "people/search", {}).status_code == 200
    for method, path in (("post", "people"), ("put", "people/1"), ("delete", "people/1")):
        body = None if method == "delete" else {"age": 2}
        refused(call(client, acme, method, path, body), 401, "The permissions are not correct.")
    assert ages(acme) == [1]
