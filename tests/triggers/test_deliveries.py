"""Deliveries that come again, side by side, or while their webhook goes; and what each may cost."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import connection, connections
from django.test.utils import CaptureQueriesContext

from apps.core.errors import NotFound
from apps.records.models import Record
from apps.triggers.services import Delivery, receive
from apps.webhooks.models import Webhook, WebhookEvent
from apps.webhooks.receivers import Receiver, forget_receivers
from apps.webhooks.services import RegisteredWebhook
from tests.conftest import Tenant
from tests.triggers.conftest import ORDER, deliver, refused
from tests.webhooks.cast import webhook_of

HEADERS = ("Webhook-Id", "Idempotency-Key")


def counts() -> tuple[int, int]:
    """How many events and records there are."""
    return WebhookEvent.objects.count(), Record.objects.count()


@pytest.mark.parametrize("header", HEADERS)
def test_a_delivery_that_comes_again_is_answered_as_before(inserting: RegisteredWebhook, header: str) -> None:
    first, again = (deliver(inserting.uri, headers={header: "msg_1"}) for _ in range(2))
    assert (first.status_code, again.status_code) == (201, 201)
    assert first.json() == again.json()
    assert ("Idempotency-Replayed" in first, again["Idempotency-Replayed"]) == (False, "true")
    assert counts() == (1, 1)


@pytest.mark.parametrize("header", HEADERS)
def test_a_batch_that_comes_again(inserting: RegisteredWebhook, header: str) -> None:
    items = [{"order": {"id": number}, "big": 1e300} for number in range(30)]
    first, again = (deliver(inserting.uri, items, headers={header: "msg_1"}) for _ in range(2))
    assert first.json() == again.json()
    assert [row["data"] for row in again.json()["resource"]] == items
    assert counts() == (30, 30)


def test_another_payload_under_the_same_idempotency_key_is_refused(hook: RegisteredWebhook) -> None:
    deliver(hook.uri, headers={"Idempotency-Key": "k"})
    response = deliver(hook.uri, {"other": 1}, headers={"Idempotency-Key": "k"})
    refused(response, 409, "The Idempotency-Key has been used with another payload.")
    assert counts() == (1, 0)


def test_a_webhook_id_names_a_delivery_whatever_its_payload(inserting: RegisteredWebhook) -> None:
    first = deliver(inserting.uri, [ORDER, ORDER], headers={"Webhook-Id": "m"})
    for payload in (ORDER, [ORDER], [ORDER] * 5):
        again = deliver(inserting.uri, payload, headers={"Webhook-Id": "m"})
        assert again.json() == first.json()
    assert counts() == (2, 2)


def test_an_event_its_flow_refused_is_answered_as_before(acme: Tenant, inserting: RegisteredWebhook) -> None:
    flows = type(acme.flow).objects.filter(pk=acme.flow.pk)
    flows.update(status="inactive")
    first = deliver(inserting.uri, headers={"Webhook-Id": "m"})
    flows.update(status="running")
    assert deliver(inserting.uri, headers={"Webhook-Id": "m"}).json() == first.json()
    assert counts() == (1, 0)


def test_ids_are_those_of_one_webhook_and_one_header(
    acme: Tenant, rival: Tenant, hook: RegisteredWebhook, inserting: RegisteredWebhook
) -> None:
    foreign = webhook_of(rival)
    for uri in (hook.uri, inserting.uri, foreign.uri):
        for header in HEADERS:
            assert "Idempotency-Replayed" not in deliver(uri, headers={header: "same"})
    assert WebhookEvent.objects.count() == 6


def test_the_webhook_id_comes_before_the_idempotency_key(hook: RegisteredWebhook) -> None:
    deliver(hook.uri, headers={"Webhook-Id": "m", "Idempotency-Key": "k"})
    assert WebhookEvent.objects.get().delivery == "webhook-id:m"


@pytest.mark.parametrize("header", HEADERS)
@pytest.mark.parametrize("text", ["a b", "x" * 256, "Łódź", "a\tb"])
def test_ids_that_are_refused(hook: RegisteredWebhook, header: str, text: str) -> None:
    assert deliver(hook.uri, headers={header: text}).status_code == 400
    assert counts() == (0, 0)


def test_an_empty_id_is_none(hook: RegisteredWebhook) -> None:
    for _ in range(2):
        deliver(hook.uri, headers={"Webhook-Id": " ", "Idempotency-Key": ""})
    assert counts() == (2, 0)


def test_a_refused_delivery_uses_its_id_for_nothing(hook: RegisteredWebhook) -> None:
    headers = {"Idempotency-Key": "k"}
    assert deliver(hook.uri, "5", headers=headers).status_code == 400
    assert deliver(hook.uri, ORDER, headers=headers).status_code == 201


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("header", HEADERS)
def test_twenty_at_once_are_one(inserting: RegisteredWebhook, header: str) -> None:
    def send(_: int) -> Any:
        try:
            return deliver(inserting.uri, [ORDER, ORDER], headers={header: "msg_1"})
        finally:
            connections.close_all()

    with ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(send, range(20)))
    assert Counter(answer.status_code for answer in answers) == {201: 20}
    assert len({answer.content for answer in answers}) == 1
    assert sum("Idempotency-Replayed" not in answer for answer in answers) == 1
    assert counts() == (2, 2)


@pytest.mark.django_db(transaction=True)
def test_of_two_sizes_at_once_one_is_stored_in_full(inserting: RegisteredWebhook) -> None:
    def send(size: int) -> Any:
        try:
            return deliver(inserting.uri, [ORDER] * size, headers={"Webhook-Id": "m"})
        finally:
            connections.close_all()

    with ThreadPoolExecutor(12) as pool:
        answers = list(pool.map(send, [2, 5] * 6))
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.content for answer in answers}) == 1
    assert counts() in ((2, 2), (5, 5))


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(("flow", "delivery"), [("", None), ("intake", None), ("intake", Delivery("webhook-id:m"))])
def test_a_webhook_that_went_a_moment_ago(acme: Tenant, flow: str, delivery: Delivery | None) -> None:
    receiver = Receiver.of(webhook_of(acme, flow=flow).webhook)
    Webhook.objects.all().delete()
    with pytest.raises(NotFound):
        receive(receiver, ORDER, address="127.0.0.1", delivery=delivery)
    assert counts() == (0, 0)


# --- Statements -------------------------------------------------------------------------------------------------


def statements(uri: str, body: Any = ORDER, status: int = 201, **extra: Any) -> int:
    with CaptureQueriesContext(connection) as captured:
        assert deliver(uri, body, **extra).status_code == status
    return len(captured)


@pytest.fixture
def _patient(settings: Any) -> None:
    """What was looked up stays known for the test."""
    settings.CREDENTIAL_CACHE_SECONDS = 60


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("_patient")
def test_an_event_costs_three_statements_and_two_when_the_webhook_is_known(acme: Tenant) -> None:
    uri = webhook_of(acme, batch=True, rate_limit=100, identifier_path="").uri
    assert [statements(uri) for _ in range(3)] == [3, 2, 2]
    assert statements(uri, [ORDER] * 1000) == 2


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("_patient")
def test_one_that_somebody_may_listen_for_costs_a_transaction_a_lock_and_a_look(acme: Tenant) -> None:
    uri = webhook_of(acme, batch=True, rate_limit=100).uri
    assert [statements(uri) for _ in range(3)] == [7, 6, 6]
    assert statements(uri, [ORDER] * 1000) == 6


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("_patient")
def test_an_event_with_its_record_costs_eight_in_one_transaction(inserting: RegisteredWebhook) -> None:
    assert [statements(inserting.uri) for _ in range(2)] == [9, 8]
    assert statements(inserting.uri, [ORDER] * 1000) == 8


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("_patient")
def test_an_id_costs_a_look_and_a_transaction(hook: RegisteredWebhook, inserting: RegisteredWebhook) -> None:
    named = {"headers": {"Webhook-Id": "m"}}
    assert [statements(hook.uri, **named) for _ in range(2)] == [8, 2]
    assert [statements(inserting.uri, **named) for _ in range(2)] == [10, 2]


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("_patient")
def test_refusals_cost_little(acme: Tenant, hook: RegisteredWebhook) -> None:
    statements(hook.uri)
    assert statements(hook.uri, b"{", 400) == 1
    assert statements("nope", status=404) == 2
    Webhook.objects.update(addresses="203.0.113.9")
    forget_receivers()
    assert [statements(hook.uri, status=403) for _ in range(2)] == [1, 0]
