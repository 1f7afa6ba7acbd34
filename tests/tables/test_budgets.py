"""How many statements a call costs, BEGIN and COMMIT included; the first two are the rate window and the table."""

from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from apps.tables import services
from tests.conftest import Tenant
from tests.tables.conftest import make_table

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.parametrize(
    ("method", "path", "body", "known"),
    [
        ("get", "people/1", None, 3),
        ("post", "people", {"age": 5}, 3),
        ("post", "people/search", {"where": {"rules": [{"field": "age", "operator": ">", "value": 1}]}}, 6),
        ("put", "people/1", {"age": 5}, 3),
        ("put", "people", {"age": 5, "where": {"rules": [{"field": "age", "operator": ">", "value": 1}]}}, 6),
        ("delete", "people/1", None, 3),
    ],
)
def test_statements(client: Client, acme: Tenant, method: str, path: str, body: Any, known: int) -> None:
    make_table(acme)
    services.insert_row(acme.caller, "people", {"age": 5})
    headers = {"X-Apikey": acme.api_key}

    def call() -> Any:
        arguments = (body, "application/json") if body else ()
        return getattr(client, method)(f"/v1/tables/{path}", *arguments, headers=headers)

    client.get("/v1/tables/nope/1", headers=headers)  # credentials are remembered from here on
    with CaptureQueriesContext(connection) as captured:
        assert call().status_code == 200
    assert len(captured) == known, [query["sql"] for query in captured]
