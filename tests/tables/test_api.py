"""``/v1/tables``."""

import re
from datetime import UTC, datetime
from typing import Any

import pytest
from django.db import connection
from django.test import Client

from apps.tables import services
from apps.tables.models import Table
from apps.tables.storage import relation
from tests.conftest import Tenant
from tests.tables.conftest import make_table

PAGE = {"total": 1, "start_at": 0, "next_element": 0, "limit": 100, "offset": 0, "max_results": 0}
EMPTY = dict.fromkeys(("username", "age", "balance", "active", "born", "seen", "extra"))
MOMENT = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\Z")


def call(client: Client, tenant: Tenant, method: str, path: str, body: Any = None, **headers: str) -> Any:
    send = getattr(client, method)
    arguments = (body, "application/json") if body is not None else ()
    return send(f"/v1/tables/{path}", *arguments, headers={"X-Apikey": tenant.api_key} | headers)


def insert(tenant: Tenant, *rows: dict[str, Any], table: str = "people") -> list[int]:
    return [services.insert_row(tenant.caller, table, row)[1].id for row in rows]


def dated(table: Table, moment: datetime) -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"UPDATE {relation(table.pk)} SET date_created = %s, date_updated = %s", [moment, moment])


def refused(response: Any, status: int, message: str, path: str | None = None) -> None:
    body = response.json()
    assert list(body) == ["id", "code", "request-ip", "resource", "message", "error"]
    assert (response.status_code, body["code"], body["error"]["message"]) == (status, status, message)
    if path is not None:
        assert body["error"]["details"][0]["path"] == path


def count_rows(table: Table) -> int:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT count(*) FROM {relation(table.pk)}")
        (count,) = cursor.fetchone()
    return int(count)


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


# --- Update -----------------------------------------------------------------------------------------------------

OVER_20 = {"condition": "AND", "rules": [{"field": "age", "operator": ">", "value": "20"}]}


def ages(tenant: Tenant) -> list[int]:
    return [row.values["age"] for row in services.search_rows(tenant.caller, "people").rows]


@pytest.mark.parametrize(
    "body",
    [
        {"username": "new", "age": 102},
        {
            "columns": [
                {"column_name": "username", "column_value": "new"},
                {"column_name": "age", "column_value": 102},
            ]
        },
    ],
    ids=["flat", "columns"],
)
def test_update_by_id(client: Client, acme: Tenant, people: Table, body: Any) -> None:
    insert(acme, {"username": "a", "age": 1, "balance": 5}, {"username": "b", "age": 2})
    response = call(client, acme, "put", "people/1", body)
    assert (response.status_code, response.json()) == (200, PAGE | {"data": [], "total": 1})
    _, row = services.get_row(acme.caller, "people", 1)
    assert (row.values["username"], row.values["age"], row.values["balance"], row.version) == ("new", 102, 5, 2)
    assert ages(acme) == [102, 2]


def test_an_update_changes_its_date(client: Client, acme: Tenant, people: Table) -> None:
    insert(acme, {"age": 1})
    dated(people, datetime(2019, 4, 9, 13, 31, 21, tzinfo=UTC))
    call(client, acme, "put", "people/1", {"age": 2})
    row = call(client, acme, "get", "people/1").json()["data"][0]
    assert row["date_created"] == "2019-04-09 15:31:21"
    assert row["date_updated"] > "2026"


@pytest.mark.parametrize(
    ("row", "search", "changed"),
    [
        ("", {"where": OVER_20}, [1, 99, 99, 99]),
        ("", {"where": OVER_20, "limit": 2}, [1, 99, 99, 40]),
        ("", {"where": OVER_20, "limit": 1, "order_field": "age", "order_type": "desc"}, [1, 30, 25, 99]),
        ("", {"where": OVER_20, "limit": 2, "offset": 2, "order_field": "age", "order_type": "desc"}, [1, 30, 99, 40]),
        ("", {"where": OVER_20, "limit": 1000}, [1, 99, 99, 99]),
        ("2", {"where": OVER_20}, [1, 99, 25, 40]),
        ("1", {"where": OVER_20}, [1, 30, 25, 40]),
        ("1", {"where": {}}, [99, 30, 25, 40]),
    ],
)
@pytest.mark.parametrize("form", ["flat", "columns"])
def test_update_by_rules(
    client: Client, acme: Tenant, people: Table, row: str, search: Any, changed: list[int], form: str
) -> None:
    insert(acme, *({"age": age} for age in (1, 30, 25, 40)))
    values = {"age": 99} if form == "flat" else {"columns": [{"column_name": "age", "column_value": 99}]}
    response = call(client, acme, "put", f"people/{row}", values | search)
    number = sum(age == 99 for age in changed)
    assert (response.status_code, response.json()) == (200, PAGE | {"data": [], "total": number})
    assert ages(acme) == changed


def test_an_update_changes_at_most_a_hundred_rows(client: Client, acme: Tenant, people: Table) -> None:
    insert(acme, *({"age": 30} for _ in range(103)))
    body = {"age": 99, "where": OVER_20, "limit": 101}
    assert call(client, acme, "put", "people", body).json()["total"] == 100
    assert services.search_rows(acme.caller, "people", where=OVER_20, order_field="age", limit=4).matches == 103
    assert ages(acme).count(99) == 100


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({"age": 9}, "Name the rows to change: by the id in the path, or by rules in where."),
        ({"age": 9, "where": {}}, "Name the rows to change: by the id in the path, or by rules in where."),
        (
            {"age": 9, "where": {"rules": [{"rules": []}]}, "limit": 5},
            "Name the rows to change: by the id in the path, or by rules in where.",
        ),
        ({"where": OVER_20}, "The body names no column."),
        ({"columns": [], "where": OVER_20}, "The body names no column."),
        ({"age": 9, "where": OVER_20, "limit": 0}, "limit must be a whole number of at least 1."),
        ({"age": 9, "where": {"rules": [{"field": "x"}]}}, None),
        ({"age": "x", "where": OVER_20}, "age must be a whole number of 64 bits."),
        ({"id": 9, "where": OVER_20}, "id is set by the system and cannot be written."),
        ([], "The body must be an object with the columns of one row."),
    ],
)
def test_updates_that_are_refused(client: Client, acme: Tenant, people: Table, body: Any, message: str | None) -> None:
    insert(acme, {"age": 30})
    response = call(client, acme, "put", "people/", body)
    assert response.status_code == 400
    assert message is None or response.json()["error"]["message"] == message
    assert ages(acme) == [30]


# --- Delete -----------------------------------------------------------------------------------------------------


def test_delete(client: Client, acme: Tenant, people: Table) -> None:
    insert(acme, {"age": 1}, {"age": 2})
    response = call(client, acme, "delete", "people/1")
    assert (response.status_code, response.json()) == (
        200,
        {
            "id": "ok",
            "code": 200,
            "request-ip": "127.0.0.1",
            "resource": 1,
            "message": "Successfully deleted row 1 in table people",
            "error": None,
        },
    )
    assert ages(acme) == [2]
    refused(call(client, acme, "delete", "people/1"), 404, "There is no row 1 in table people.")
    assert insert(acme, {"age": 3}) == [3]


# --- Search -----------------------------------------------------------------------------------------------------


def test_search(client: Client, acme: Tenant, people: Table) -> None:
    insert(acme, *({"username": f"user{age}", "age": age} for age in (30, 36, 54, 45)))
    body = {
        "where": {"condition": "AND", "rules": [{"field": "age", "operator": ">", "value": "35"}]},
        "limit": 2,
        "offset": 0,
        "order_field": "age",
        "order_type": "desc",
    }
    document = call(client, acme, "post", "people/search", body).json()
    rows = document.pop("data")
    assert [(row["id"], row["username"], row["age"]) for row in rows] == [("3", "user54", 54), ("4", "user45", 45)]
    assert list(rows[0]) == ["id", "date_created", "date_updated", *EMPTY]
    first = {"total": 2, "start_at": 0, "next_element": 2, "limit": 2, "offset": 0, "max_results": 3}
    assert document == first
    document = call(client, acme, "post", "people/search/", body | {"offset": 2}).json()
    assert [row["age"] for row in document.pop("data")] == [36]
    assert document == first | {"total": 1, "start_at": 2, "next_element": 3, "offset": 2}
    document = call(client, acme, "post", "people/search", body | {"offset": 3}).json()
    assert document == first | {"data": [], "total": 0, "start_at": 3, "next_element": 3, "offset": 3}


def test_an_empty_search_finds_everything(client: Client, acme: Tenant, people: Table) -> None:
    insert(acme, *({"age": age} for age in range(101)))
    document = call(client, acme, "post", "people/search", {}).json()
    assert [row["age"] for row in document.pop("data")] == list(range(100))
    assert document == {
        "total": 100,
        "start_at": 0,
        "next_element": 100,
        "limit": 100,
        "offset": 0,
        "max_results": 101,
    }


@pytest.mark.parametrize(
    ("body", "path", "message"),
    [
        ({"order_field": "(select pg_sleep(5))"}, "/order_field", "must be a column of the table"),
        ({"order_field": "extra"}, "/order_field", "must be a column of the table"),
        ({"order_field": 5}, "/order_field", "must be a column of the table"),
        ({"order_field": ["age"]}, "/order_field", "must be a column of the table"),
        ({"order_type": "desc; drop"}, "/order_type", "must be ASC or DESC."),
        ({"order_type": ["asc"]}, "/order_type", "must be ASC or DESC."),
        ({"order_type": 5}, "/order_type", "must be ASC or DESC."),
        ({"limit": 0}, None, "limit must be"),
        ({"limit": -1}, None, "limit must be"),
        ({"limit": 1.5}, None, "limit must be"),
        ({"offset": -1}, None, "offset must be"),
        ({"offset": 10**9}, None, "offset must be"),
        ({"where": 5}, "/where", "must be an object"),
        ({"rules": 5, "where": {"rules": [5]}}, "/where/rules/0", "must be a rule"),
    ],
)
def test_searches_that_are_refused(
    client: Client, acme: Tenant, people: Table, body: Any, path: str | None, message: str
) -> None:
    response = call(client, acme, "post", "people/search", body)
    assert response.status_code == 400
    error = response.json()["error"]
    assert message in error["message"]
    assert path is None or error["details"][0]["path"] == path


@pytest.mark.parametrize(
    ("rule", "part", "message"),
    [
        (("nope", "=", 1), "/field", "the table has no column 'nope'."),
        (("c1", "=", 1), "/field", "the table has no column 'c1'."),
        (("version", "=", 1), "/field", "the table has no column 'version'."),
        (("age", "regex", "("), "/operator", "must be one of "),
        (("age", "contains", "1"), "/operator", "contains does not suit columns of type integer."),
        (("active", "<", True), "/operator", "< does not suit columns of type boolean."),
        (("extra", "=", 1), "/operator", "= does not suit columns of type json."),
        (("id", "begins_with", 1), "/operator", "begins_with does not suit columns of type integer."),
        (("age", ">", "abc"), "/value", "must be a whole number of 64 bits: age is of type integer."),
        (("age", "=", 10**30), "/value", None),
        (("age", "<", None), "/value", "< needs a value."),
        (("age", "<", ""), "/value", "< needs a value."),
        (("username", "contains", None), "/value", "contains needs a value."),
        (("age", "in", [1, "x"]), "/value/1", "must be a whole number of 64 bits: age is of type integer."),
        (("age", "in", [1, None]), "/value/1", "must not be empty."),
        (("age", "between", [1]), "/value", "must be an array of two values."),
        (("age", "between", [1, ""]), "/value/1", "must not be empty."),
        (("date_created", "=", "x"), "/value", None),
        (("username", "=", ["a"]), "/value", "must be a single value."),
    ],
)
def test_rules_that_are_refused(
    client: Client, acme: Tenant, people: Table, rule: tuple[str, str, Any], part: str, message: str | None
) -> None:
    field, operator, value = rule
    body = {"where": {"rules": [{"field": field, "operator": operator, "value": value}]}}
    response = call(client, acme, "post", "people/search", body)
    assert response.status_code == 400
    error = response.json()["error"]
    if field == "age" and value == 10**30:
        assert error["message"].endswith("does not fit 64 bits.")
        return
    (detail,) = error["details"]
    assert detail["path"] == f"/where/rules/0{part}"
    assert message is None or detail["message"].startswith(message)
    assert len(error["message"]) < 500


def test_rules_nested_too_deep(client: Client, acme: Tenant, people: Table) -> None:
    where: Any = {"rules": []}
    for _ in range(40):
        where = {"rules": [where]}
    assert call(client, acme, "post", "people/search", {"where": where}).status_code == 400


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


# --- Conditions -------------------------------------------------------------------------------------------------


def test_a_row_that_has_not_changed_is_not_sent_again(client: Client, acme: Tenant, people: Table) -> None:
    insert(acme, {"age": 1}, {"age": 1})
    first = call(client, acme, "get", "people/1")
    again = call(client, acme, "get", "people/1", **{"If-None-Match": first["ETag"]})
    assert (again.status_code, again.content, again["ETag"]) == (304, b"", first["ETag"])
    assert call(client, acme, "get", "people/2")["ETag"] != first["ETag"]
    call(client, acme, "put", "people/1", {"age": 1})
    changed = call(client, acme, "get", "people/1", **{"If-None-Match": first["ETag"]})
    assert (changed.status_code, changed["ETag"] == first["ETag"]) == (200, False)


def test_a_new_column_changes_every_row(client: Client, acme: Tenant, people: Table) -> None:
    from apps.tables import structure

    insert(acme, {"age": 1})
    first = call(client, acme, "get", "people/1")
    structure.add_column(acme.caller, people, name="more")
    again = call(client, acme, "get", "people/1", **{"If-None-Match": first["ETag"]})
    assert (again.status_code, again.json()["data"][0]["more"]) == (200, None)


@pytest.mark.parametrize("method", ["put", "delete"])
def test_changes_of_a_version_that_is_gone(client: Client, acme: Tenant, people: Table, method: str) -> None:
    insert(acme, {"age": 1})
    tag = call(client, acme, "get", "people/1")["ETag"]
    body = {"age": 5} if method == "put" else None
    call(client, acme, "put", "people/1", {"age": 2})
    stale = call(client, acme, method, "people/1", body, **{"If-Match": tag})
    refused(stale, 412, "The resource has changed since it was read.")
    assert ages(acme) == [2]
    fresh = call(client, acme, "get", "people/1")["ETag"]
    assert call(client, acme, method, "people/1", body, **{"If-Match": fresh}).status_code == 200
    assert ages(acme) == ([5] if method == "put" else [])


def test_a_condition_for_no_single_row_never_holds(client: Client, acme: Tenant, people: Table) -> None:
    insert(acme, {"age": 30})
    response = call(client, acme, "put", "people", {"age": 5, "where": OVER_20}, **{"If-Match": '"x"'})
    assert response.status_code == 412
    assert ages(acme) == [30]
