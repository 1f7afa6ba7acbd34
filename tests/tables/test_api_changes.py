"""``/v1/tables``: rows that are changed and removed, also on conditions."""

from datetime import UTC, datetime
from typing import Any

import pytest
from django.test import Client

from apps.tables import services
from apps.tables.models import Table
from tests.conftest import Tenant
from tests.tables.calls import PAGE, ages, call, dated, insert, refused

# --- Update -----------------------------------------------------------------------------------------------------

OVER_20 = {"condition": "AND", "rules": [{"field": "age", "operator": ">", "value": "20"}]}


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
