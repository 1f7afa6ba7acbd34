"""Deliveries over HTTP."""

import json
import re
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import structlog
from django.conf import settings
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from apps.applications.models import RateWindow
from apps.records.execution import drain
from apps.records.models import Record, Status
from apps.webhooks.models import Webhook, WebhookEvent
from apps.webhooks.receivers import forget_receivers
from apps.webhooks.services import RegisteredWebhook
from tests.conftest import Tenant
from tests.triggers.conftest import ORDER, deliver, refused
from tests.webhooks.cast import webhook_of


def test_a_payload_is_stored_and_answered_as_documented(acme: Tenant, hook: RegisteredWebhook) -> None:
    response = deliver(hook.uri)
    event = WebhookEvent.objects.get()
    assert response.status_code == 201
    assert response.json() == {
        "id": "created",
        "code": 201,
        "request-ip": "127.0.0.1",
        "resource": {
            "_id": {"$id": event.event_id},
            "customer_id": str(acme.project.pk),
            "plugin_id": "1",
            "application_id": str(hook.webhook.pk),
            "date_created": event.received_at.astimezone(ZoneInfo("Europe/Amsterdam")).isoformat(timespec="seconds"),
            "data": ORDER,
        },
        "message": "Data stored successfully",
        "error": None,
    }
    resource = response.json()["resource"]
    assert list(resource) == ["_id", "customer_id", "plugin_id", "application_id", "date_created", "data"]
    assert re.fullmatch(r"[0-9a-f]{24}", event.event_id)
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+0[12]:00", resource["date_created"])
    assert datetime.fromisoformat(resource["date_created"]) == event.received_at.replace(microsecond=0)


def test_an_event_keeps_what_listeners_ask_for(acme: Tenant, hook: RegisteredWebhook) -> None:
    deliver(hook.uri, REMOTE_ADDR="203.0.113.9")
    event = WebhookEvent.objects.get()
    assert (event.workspace, event.webhook, event.payload) == (acme.workspace, hook.webhook, ORDER)
    assert (event.identifier, event.status, event.address) == ("A-1", "paid", "203.0.113.9")
    assert (event.delivery, event.record_uuid, event.refusal, event.replay_of) == ("", "", "", "")
    assert not Record.objects.exists()


def test_a_payload_without_identifier_is_stored_too(hook: RegisteredWebhook) -> None:
    assert deliver(hook.uri, {"something": "else"}).status_code == 201
    event = WebhookEvent.objects.get()
    assert (event.identifier, event.status) == ("", "")


def test_the_path_may_end_with_a_slash(hook: RegisteredWebhook) -> None:
    assert deliver(f"{hook.uri}/").status_code == 201


def test_an_array_is_one_event_unless_the_webhook_sends_batches(acme: Tenant, hook: RegisteredWebhook) -> None:
    response = deliver(hook.uri, [ORDER, ORDER])
    assert response.json()["resource"]["data"] == [ORDER, ORDER]
    assert WebhookEvent.objects.get().payload == [ORDER, ORDER]


def test_a_batch_is_an_event_for_each_item_in_order(acme: Tenant) -> None:
    uri = webhook_of(acme, batch=True).uri
    items = [{"order": {"id": number}} for number in (3, 1, 2)]
    resource = deliver(uri, items).json()["resource"]
    assert [row["data"] for row in resource] == items
    stored = list(WebhookEvent.objects.order_by("id").values_list("event_id", "identifier", "position"))
    assert stored == [(row["_id"]["$id"], name, place) for row, name, place in zip(resource, "312", range(3))]  # noqa: B905
    assert isinstance(deliver(uri, [ORDER]).json()["resource"], list)
    assert isinstance(deliver(uri, ORDER).json()["resource"], dict)


def test_the_most_events_of_a_batch(acme: Tenant, settings: Any) -> None:
    uri = webhook_of(acme, batch=True).uri
    assert len(deliver(uri, [ORDER] * 1000).json()["resource"]) == 1000
    settings.RECORDS_PER_CALL = 2
    refused(deliver(uri, [ORDER] * 3), 400, "One call takes at most 2 events.")
    refused(deliver(uri, []), 400, "The array holds no events.")
    refused(deliver(uri, [ORDER, 5]), 400, "Event 1 is neither an object nor an array.")
    assert WebhookEvent.objects.count() == 1000


@pytest.mark.parametrize("body", [5, "text", True, None, 1.5])
def test_scalars_are_refused(hook: RegisteredWebhook, body: Any) -> None:
    refused(deliver(hook.uri, json.dumps(body)), 400, "The payload is neither an object nor an array.")
    assert not WebhookEvent.objects.exists()


# --- Who may deliver --------------------------------------------------------------------------------------------


def test_unknown_and_switched_off_addresses_are_answered_alike(acme: Tenant, hook: RegisteredWebhook) -> None:
    off = webhook_of(acme, name="off", active=False)
    answers = [deliver(uri) for uri in ("nope", "0" * 64, off.uri, hook.uri[:-1], hook.uri.upper())]
    for response in answers:
        refused(response, 404, "The requested resource doesn't exist.")
        body, first = response.json(), answers[0].json()
        assert body == first
        assert set(response.headers) == set(answers[0].headers)
    assert not WebhookEvent.objects.exists()


def test_unknown_and_switched_off_addresses_cost_the_same_statements(acme: Tenant) -> None:
    off = webhook_of(acme, active=False)
    costs = []
    for uri in ("0" * 64, off.uri):
        with CaptureQueriesContext(connection) as queries:
            deliver(uri)
        costs.append(len(queries))
    assert costs == [2, 2]


def test_guesses_count_against_their_address(hook: RegisteredWebhook, settings: Any) -> None:
    settings.LOGIN_RATE_LIMIT = 2
    assert [deliver("nope").status_code for _ in range(3)] == [404, 404, 429]
    assert deliver("nope", REMOTE_ADDR="203.0.113.9").status_code == 404
    assert deliver(hook.uri).status_code == 201


def test_addresses_off_the_list_are_refused(acme: Tenant) -> None:
    uri = webhook_of(acme, addresses="203.0.113.0/24").uri
    forged = {"X-Forwarded-For": "203.0.113.9", "X-Real-Ip": "203.0.113.9"}
    refused(deliver(uri, headers=forged), 403, "Ip not valid.", 437)
    assert deliver(uri, REMOTE_ADDR="203.0.113.9").status_code == 201
    assert WebhookEvent.objects.count() == 1


def test_an_empty_list_refuses_everybody(acme: Tenant) -> None:
    refused(deliver(webhook_of(acme, addresses="").uri), 403, "Ip not valid.", 437)


def test_a_webhook_has_a_limit_of_its_own(acme: Tenant) -> None:
    one, other = webhook_of(acme, rate_limit=2), webhook_of(acme, name="other", rate_limit=1)
    answers = [deliver(one.uri) for _ in range(3)]
    assert [response.status_code for response in answers] == [201, 201, 429]
    assert [response["X-RateLimit-Remaining"] for response in answers] == ["1", "0", "0"]
    assert {response["X-RateLimit-Limit"] for response in answers} == {"2"}
    assert int(answers[2]["Retry-After"]) == int(answers[2]["X-RateLimit-Reset"]) > 0
    assert deliver(other.uri).status_code == 201
    assert WebhookEvent.objects.count() == 3
    assert set(RateWindow.objects.values_list("key", flat=True)) == {
        f"webhook:{one.webhook.pk}",
        f"webhook:{other.webhook.pk}",
    }


def test_a_limit_of_none_sends_no_headers(hook: RegisteredWebhook) -> None:
    assert "X-RateLimit-Limit" not in deliver(hook.uri)


def test_a_refused_body_counts_too(acme: Tenant) -> None:
    uri = webhook_of(acme, rate_limit=1).uri
    assert [deliver(uri, b"{").status_code for _ in range(2)] == [400, 429]


def test_credentials_of_others_are_not_looked_at(rival: Tenant, hook: RegisteredWebhook) -> None:
    assert deliver(hook.uri, headers=rival.headers | {"Authorization": "Bearer x"}).status_code == 201


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "PATCH", "DELETE"])
def test_other_methods(hook: RegisteredWebhook, method: str) -> None:
    for uri in (hook.uri, "unknown"):
        response = Client().generic(method, f"/v1/webhook/{uri}", "{}", "application/json")
        assert (response.status_code, response["Allow"]) == (405, "POST, OPTIONS")
    assert not WebhookEvent.objects.exists()


def test_the_bare_path_is_none(client: Client, acme: Tenant) -> None:
    for path in ("/v1/webhook", "/v1/webhook/", "/v1/webhook/a/b", f"/v1/webhook/{'x' * 129}"):
        assert client.post(path, "{}", "application/json").status_code == 404


# --- What must not be told --------------------------------------------------------------------------------------


def test_the_uri_never_reaches_a_log(hook: RegisteredWebhook, inserting: RegisteredWebhook) -> None:
    with structlog.testing.capture_logs() as lines:
        for uri in (hook.uri, inserting.uri, f"{hook.uri}0"):
            deliver(uri)
            deliver(uri, b"{")
            Client().get(f"/v1/webhook/{uri}")
    assert len(lines) >= 9
    assert {line["route"] for line in lines} == {r"v1/webhook/(?P<uri>[\x21-\x2e\x30-\x7e]{1,128})/?$"}
    assert hook.uri[:16] not in str(lines)
    assert inserting.uri[:16] not in str(lines)


def test_the_uri_is_in_no_table(hook: RegisteredWebhook, inserting: RegisteredWebhook) -> None:
    for secret in (hook, inserting):
        deliver(secret.uri, headers={"Webhook-Id": "m-1"})
    with connection.cursor() as cursor:
        cursor.execute("SELECT relid::regclass::text FROM pg_stat_user_tables")
        for (table,) in cursor.fetchall():
            cursor.execute(f"SELECT count(*) FROM {table} t WHERE t::text LIKE %s", [f"%{hook.uri[8:]}%"])
            assert cursor.fetchone() == (0,), table


# --- Into a flow ------------------------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_events_become_records_that_run(acme: Tenant, inserting: RegisteredWebhook) -> None:
    assert deliver(inserting.uri, [{"client": {"age": 30}}, {"client": {"age": 3}}]).status_code == 201
    drain()
    rows = WebhookEvent.objects.order_by("id")
    results = [Record.objects.get(uuid=row.record_uuid) for row in rows]
    assert [record.content.data["result"] for record in results] == ["accepted", "referred"]
    assert {(record.status, record.workspace_id, record.application_id) for record in results} == {
        (Status.FINISHED, acme.workspace.pk, None)
    }


@pytest.mark.parametrize(
    ("flow_status", "reason"),
    [
        ("inactive", "The flow intake takes no data records: it is inactive."),
        ("draft", "The flow intake takes no data records: it is draft."),
    ],
)
def test_a_flow_that_takes_nothing_leaves_the_event_with_the_reason(
    acme: Tenant, inserting: RegisteredWebhook, flow_status: str, reason: str
) -> None:
    type(acme.flow).objects.filter(pk=acme.flow.pk).update(status=flow_status)
    assert deliver(inserting.uri).status_code == 201
    event = WebhookEvent.objects.get()
    assert (event.payload, event.record_uuid, event.refusal) == (ORDER, "", reason)
    assert not Record.objects.exists()


def test_a_paused_flow_takes_records(acme: Tenant, inserting: RegisteredWebhook) -> None:
    type(acme.flow).objects.filter(pk=acme.flow.pk).update(status="paused")
    deliver(inserting.uri)
    assert WebhookEvent.objects.get().record_uuid == Record.objects.get().uuid


@pytest.mark.parametrize("name", ["gone", "rival only"])
def test_a_flow_that_is_not_there(acme: Tenant, rival: Tenant, name: str) -> None:
    type(rival.flow).objects.filter(pk=rival.flow.pk).update(name="rival only")
    assert deliver(webhook_of(acme, flow=name).uri).status_code == 201
    assert WebhookEvent.objects.get().refusal == "There is no such flow."
    assert not Record.objects.exists()


def test_a_payload_that_does_not_fit_the_schema_is_kept_with_the_faults(
    client: Client, acme: Tenant, inserting: RegisteredWebhook, payload: dict[str, str]
) -> None:
    assert client.post("/v1/schema", payload, "application/json", headers=acme.headers).status_code == 201
    fitting, other = {"client": {"age": 1}}, {"client": {"age": -1}}
    assert deliver(inserting.uri, [fitting, other]).status_code == 201
    reasons = set(WebhookEvent.objects.values_list("refusal", flat=True))
    assert reasons == {"Data record 1 does not fit the schema.\n/1/client/age: The value is less than the minimum of 0"}
    assert not Record.objects.exists()
    deliver(inserting.uri, fitting)
    assert Record.objects.count() == 1


def test_an_array_that_is_one_event_is_no_record(acme: Tenant) -> None:
    assert deliver(webhook_of(acme, flow="intake").uri, [ORDER]).status_code == 201
    assert WebhookEvent.objects.get().refusal == "A data record is an object."


def test_a_long_reason_is_cut(acme: Tenant, inserting: RegisteredWebhook) -> None:
    Webhook.objects.filter(pk=inserting.webhook.pk).update(flow="x" * 128)
    forget_receivers()
    deliver(inserting.uri)
    assert WebhookEvent.objects.get().refusal == "There is no such flow."


# --- The page about it ------------------------------------------------------------------------------------------


def test_the_documented_example_works_as_printed(hook: RegisteredWebhook) -> None:
    text = (settings.BASE_DIR / "docs" / "webhooks.md").read_text()
    body = re.search(r"-d '(.+)'", text)
    printed = re.search(r"^```json\n(.*?)^```$", text, re.DOTALL | re.MULTILINE)
    assert body
    assert printed
    expected, answered = json.loads(printed[1]), deliver(hook.uri, body[1]).json()
    assert _shape(answered) == _shape(expected)
    assert answered["resource"]["data"] == expected["resource"]["data"]


def _shape(value: Any) -> Any:
    """The keys in their order and the types of the values."""
    return [(key, _shape(item)) for key, item in value.items()] if isinstance(value, dict) else type(value)
