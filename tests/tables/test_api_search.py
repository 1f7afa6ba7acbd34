"""``/v1/tables/{table}/search``."""

from typing import Any

import pytest
from django.test import Client

from apps.tables.models import Table
from tests.conftest import Tenant
from tests.tables.calls import EMPTY, call, insert

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
