"""``Idempotency-Key``: one effect, the first answer again, and nothing left behind by refusals."""

import json
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier
from typing import Any

import pytest
from django.db import connection, connections
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from apps.applications.models import GivenAnswer
from apps.applications.services import register_application
from apps.applications.tasks import clear_given_answers
from apps.core.xmlio import read_xml
from apps.flows import services as flows
from apps.records.models import Record
from tests.conftest import Tenant

DOCUMENT = {"client": {"age": 30, "name": "Zoë"}}
CHANGED = "The Idempotency-Key was used for another request."


def post(client: Client, tenant: Tenant, body: Any = DOCUMENT, key: str = "k-1", query: str = "", **named: str) -> Any:
    headers = {"X-Flow": "intake", "Idempotency-Key": key} | {n.replace("_", "-"): v for n, v in named.items()}
    text = body if isinstance(body, str) else json.dumps(body)
    return client.post(f"/v1/record{query}", text, "application/json", headers=tenant.headers | headers)


def test_the_second_call_gets_the_first_answer(client: Client, acme: Tenant) -> None:
    first, second = post(client, acme), post(client, acme)
    assert (first.status_code, second.status_code) == (201, 201)
    assert second.content == first.content
    assert ("Idempotency-Replayed" in first, second["Idempotency-Replayed"]) == (False, "true")
    assert Record.objects.count() == 1


def test_another_key_is_another_call(client: Client, acme: Tenant) -> None:
    assert post(client, acme).json() != post(client, acme, key="k-2").json()
    assert Record.objects.count() == 2


@pytest.mark.parametrize(
    "changed",
    [
        {"body": {"client": {"age": 31}}},
        {"body": json.dumps(DOCUMENT) + " "},
        {"query": "?fields=flow_id"},
        {"X_Uuid": "r-1"},
        {"X_Flow": "other"},
        {"X_Executiontime": "2030-01-01T00:00:00Z"},
    ],
    ids=str,
)
def test_a_key_stands_for_one_request(client: Client, acme: Tenant, changed: dict[str, Any]) -> None:
    post(client, acme)
    refused = post(client, acme, **changed)
    assert (refused.status_code, refused.json()["error"]) == (409, {"code": 409, "message": CHANGED})
    assert Record.objects.count() == 1


def test_what_changes_nothing_may_differ(client: Client, acme: Tenant) -> None:
    first = post(client, acme)
    again = client.post(
        f"/v1/record/?api_key={acme.api_key}&app_key={acme.keys.app_key}",
        json.dumps(DOCUMENT),
        "application/json",
        headers={"X-Flow": "intake", "Idempotency-Key": "k-1", "User-Agent": "other", "X-Request-Id": "7"},
    )
    assert again.content == first.content
    assert Record.objects.count() == 1


def test_the_answer_comes_in_the_format_that_is_asked_for(client: Client, acme: Tenant) -> None:
    first = post(client, acme)
    again = post(client, acme, Accept="application/xml")
    assert again["Content-Type"] == "application/xml; charset=utf-8"
    assert read_xml(again.content) == first.json()


def test_keys_are_the_callers_own(client: Client, acme: Tenant, rival: Tenant) -> None:
    other = register_application(
        acme.project, name="acme-other", oauth2=False, scopes=["record"], addresses="127.0.0.1", rate_limit=0
    ).application
    seen = [post(client, acme), post(client, rival), post(client, acme, X_App=other.app_key)]
    assert [response.status_code for response in seen] == [201, 201, 201]
    assert len({response.json()["resource"]["data_record_id"] for response in seen}) == 3
    assert all("Idempotency-Replayed" not in response for response in seen)


def test_a_refused_call_leaves_the_key_free(client: Client, acme: Tenant) -> None:
    assert post(client, acme, []).status_code == 400
    assert post(client, acme, "{").status_code == 400
    assert post(client, acme, X_Flow="unknown").status_code == 404
    flows.change_status(acme.caller, acme.flow, "inactive")
    assert post(client, acme).status_code == 409
    assert not GivenAnswer.objects.exists()
    flows.change_status(acme.caller, acme.flow, "public")
    assert post(client, acme).status_code == 201


def test_rights_are_asked_for_every_time(client: Client, acme: Tenant) -> None:
    post(client, acme)
    assert post(client, acme, X_Scopes="schema.read").status_code == 401
    assert post(client, acme, X_Apikey="0" * 64).status_code == 401


@pytest.mark.parametrize("key", ["", "a b", "x" * 256, "é", "a\tb"])
def test_keys_that_are_none(client: Client, acme: Tenant, key: str) -> None:
    refused = post(client, acme, key=key)
    assert refused.status_code == 400
    message = "Idempotency-Key must be 1 to 255 visible ASCII characters without spaces."
    assert refused.json()["error"]["message"] == message
    assert not Record.objects.exists()


def test_the_longest_key(client: Client, acme: Tenant) -> None:
    assert [post(client, acme, key="x" * 255).status_code for _ in range(2)] == [201, 201]
    assert Record.objects.count() == 1


def test_other_methods_take_no_notice(client: Client, acme: Tenant) -> None:
    headers = acme.headers | {"Idempotency-Key": "k-1"}
    for status in ("paused", "running"):
        changed = client.put(f"/v1/changeflowstatus?flow=intake&status={status}", headers=headers)
        assert changed.status_code == 200
    assert not GivenAnswer.objects.exists()


def test_tokens_are_never_kept(client: Client, acme: Tenant) -> None:
    headers = acme.client_headers | {"Idempotency-Key": "k-1"}
    tokens = {client.post("/v1/checkauthentication", headers=headers).json()["resource"]["access_token"] for _ in "ab"}
    assert len(tokens) == 2
    assert not GivenAnswer.objects.exists()


def test_a_key_lasts_for_its_time(client: Client, acme: Tenant, settings: Any) -> None:
    settings.IDEMPOTENCY_SECONDS = 600

    def made(seconds: int) -> None:
        GivenAnswer.objects.update(date_created=timezone.now() - timedelta(seconds=seconds))

    post(client, acme)
    made(590)
    assert post(client, acme)["Idempotency-Replayed"] == "true"
    made(610)
    clear_given_answers()
    assert GivenAnswer.objects.count() == 1
    assert post(client, acme, {"client": {"age": 40}}).status_code == 201
    assert (Record.objects.count(), GivenAnswer.objects.count()) == (2, 1)
    assert post(client, acme, {"client": {"age": 40}})["Idempotency-Replayed"] == "true"
    made(661)
    clear_given_answers()
    assert not GivenAnswer.objects.exists()


def test_an_unknown_field_leaves_nothing_behind(client: Client, acme: Tenant) -> None:
    refused = post(client, acme, query="?fields=flow_id,other")
    assert refused.status_code == 400
    assert refused.json()["error"]["message"] == "There is no field other in the answer."
    assert not Record.objects.exists()
    assert not GivenAnswer.objects.exists()
    assert post(client, acme, query="?fields=flow_id").json()["resource"] == {"flow_id": str(acme.flow.pk)}


@pytest.mark.django_db(transaction=True)
def test_twenty_at_once_make_one_record(acme: Tenant) -> None:
    together = Barrier(20)

    def call(_: int) -> tuple[int, bytes, bool]:
        try:
            together.wait(30)
            response = post(Client(), acme)
            return response.status_code, response.content, "Idempotency-Replayed" in response
        finally:
            connections.close_all()

    with ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(call, range(20)))
    assert {status for status, _, _ in answers} == {201}
    assert len({content for _, content, _ in answers}) == 1
    assert sorted(replayed for _, _, replayed in answers) == [False] + [True] * 19
    assert Record.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_what_it_costs(client: Client, acme: Tenant) -> None:
    post(client, acme, key="first")
    costs = []
    for _ in range(2):
        with CaptureQueriesContext(connection) as captured:
            assert post(client, acme).status_code == 201
        costs.append(len(captured))
    # Of an insert without the header three are its own: rate limit, flow, records.
    assert costs == [3 + 4, 1 + 4]
