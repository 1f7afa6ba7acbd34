"""How many statements a call may cost, all of them counted: BEGIN, COMMIT and authentication included."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from apps.applications.authentication import forget_credentials
from apps.records.execution import drain
from apps.schemas.services import create_schema
from tests.conftest import Tenant
from tests.records.conftest import ADULT, insert
from tests.schemas.conftest import SAMPLE, SCHEMA, encoded

pytestmark = pytest.mark.django_db(transaction=True)


def statements(act: Callable[[], Any], status: int) -> int:
    with CaptureQueriesContext(connection) as captured:
        assert act().status_code == status
    return len(captured)


def post(client: Client, body: Any, headers: dict[str, str], query: str = "?flow_name=intake") -> Callable[[], Any]:
    return lambda: client.post(f"/v1/record{query}", json.dumps(body), "application/json", headers=headers)


def token(client: Client, tenant: Tenant) -> dict[str, str]:
    resource = client.get("/v1/checkauthentication", headers=tenant.client_headers).json()["resource"]
    return {"Authorization": f"Bearer {resource['access_token']}"}


def test_every_style_inserts_in_four_statements_and_in_three_when_known(client: Client, acme: Tenant) -> None:
    in_url = f"?flow_name=intake&api_key={acme.api_key}&app_key={acme.keys.app_key}"
    for act in (
        post(client, ADULT, acme.headers),
        post(client, ADULT, token(client, acme)),
        post(client, ADULT, {}, in_url),
    ):
        forget_credentials()
        assert [statements(act, 201) for _ in range(3)] == [4, 3, 3]


def test_a_rate_limit_costs_nothing_more(client: Client, acme: Tenant) -> None:
    acme.keys.rate_limit = 3
    acme.keys.save()
    act = post(client, ADULT, acme.headers)
    assert [statements(act, 201) for _ in range(3)] == [4, 3, 3]
    assert statements(act, 429) == 1


def test_a_schema_costs_one_statement_once(client: Client, acme: Tenant) -> None:
    create_schema(acme.caller, url="x", schema=encoded(SCHEMA), data_record=encoded(SAMPLE))
    act = post(client, SAMPLE, acme.headers)
    assert [statements(act, 201) for _ in range(3)] == [5, 3, 3]


@pytest.mark.parametrize("number", [1, 2, 1000])
def test_an_array_costs_as_much_as_one(client: Client, acme: Tenant, number: int) -> None:
    act = post(client, [ADULT] * number, acme.headers)
    assert [statements(act, 201) for _ in range(2)] == [4, 3]


def test_a_refused_insert_writes_nothing_but_its_count(client: Client, acme: Tenant) -> None:
    statements(post(client, ADULT, acme.headers), 201)
    assert statements(post(client, [], acme.headers), 400) == 1
    assert statements(post(client, ADULT, acme.headers, "?flow_name=unknown"), 404) == 2


def test_wrong_credentials_cost_two_statements(client: Client, acme: Tenant) -> None:
    assert statements(post(client, ADULT, acme.headers | {"X-Apikey": "0" * 64}), 401) == 2
    assert statements(post(client, ADULT, {"Authorization": "Bearer x"}), 403) == 2
    assert statements(post(client, ADULT, {}), 401) == 1


def test_a_get_costs_three_statements_and_two_when_known(client: Client, acme: Tenant) -> None:
    insert(acme, uuid="r-1")
    drain()

    def act() -> Any:
        return client.get("/v1/record/r-1", headers=acme.headers)

    assert [statements(act, 200) for _ in range(3)] == [3, 2, 2]
    assert len(act().json()["resource"]["flow_objects_info"]) == 4


def test_a_head_costs_as_much_as_a_get(client: Client, acme: Tenant) -> None:
    insert(acme, uuid="r-1")
    assert [statements(lambda: client.head("/v1/record/r-1", headers=acme.headers), 200) for _ in range(2)] == [3, 2]


def test_options_and_health_ask_no_database(client: Client, acme: Tenant) -> None:
    assert statements(lambda: client.options("/v1/record"), 200) == 0
    assert statements(lambda: client.get("/healthz"), 200) == 0
    assert statements(lambda: client.get("/v1/nothing"), 404) == 0
