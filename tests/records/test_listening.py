"""Webhook objects: records find the events meant for them, whichever of the two is there first."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from apps.records.execution import drain
from apps.records.life_cycle import QueueState
from apps.records.models import HeardEvent, Hold, Record, RecordStep, Status
from apps.records.moving import move_records
from apps.records.selectors import queue_status
from apps.triggers.services import receive
from apps.webhooks.models import WebhookEvent
from apps.webhooks.receivers import Receiver
from apps.webhooks.services import register_webhook
from tests.conftest import Tenant, publish
from tests.records.conftest import insert, make_due, reloaded, steps
from tests.records.listeners import ORDER, deliver, listening, listening_flow

pytestmark = pytest.mark.django_db
at_once = pytest.mark.django_db(transaction=True)


def test_a_record_waits_for_its_event(acme: Tenant, hook: Receiver) -> None:
    record = listening(acme)
    assert (record.status, record.hold, record.wake_at, record.at) == (Status.NOT_RUNNING, Hold.WAITING, None, "hear")
    assert queue_status(record) is QueueState.WAITING
    deliver(hook)
    assert drain() == (1, False)
    record = reloaded(record)
    assert (record.status, record.hold, record.content.data) == (Status.FINISHED, Hold.NONE, ORDER | {"amount": 12})
    assert record.content.vars == {"payment": {"order": "A-17", "status": "PAID", "amount": 12}}
    assert steps(record) == [(1, 1, "start", "ok"), (2, 1, "hear", "paid"), (3, 1, "note", "ok"), (4, 1, "end", "")]
    event = WebhookEvent.objects.get()
    assert RecordStep.objects.get(object="hear").output == {"event": event.event_id, "status": "PAID"}
    assert list(HeardEvent.objects.values_list("record_id", "event")) == [(record.pk, event.pk)]
    assert record.num_runs == 2


def test_an_event_that_comes_before_the_record_listens_is_found(acme: Tenant, hook: Receiver) -> None:
    publish(acme, listening_flow())
    record = insert(acme, ORDER, "listening")
    deliver(hook)
    drain()
    assert steps(record)[1] == (2, 1, "hear", "paid")
    assert reloaded(record).num_runs == 1


@pytest.mark.parametrize(
    ("status", "port"), [("PAID", "paid"), ("STOLEN", "refused"), ("LOST", "else"), ("paid", "else"), (None, "else")]
)
def test_the_status_says_the_port(acme: Tenant, hook: Receiver, status: Any, port: str) -> None:
    record = listening(acme)
    deliver(hook, status=status)
    drain()
    assert steps(record)[1] == (2, 1, "hear", port)


def test_events_of_others_wake_nobody(acme: Tenant, rival: Tenant, hook: Receiver) -> None:
    record = listening(acme)
    foreign = register_webhook(rival.workspace, name="payments", identifier_path="order").webhook
    other = register_webhook(acme.workspace, name="parcels", identifier_path="order").webhook
    deliver(hook, order="A-18")
    deliver(hook, order=None)
    for webhook in (foreign, other):
        receive(Receiver.of(webhook), {"order": "A-17", "status": "PAID"}, address="127.0.0.1")
    assert drain() == (0, False)
    make_due(record)
    drain()
    assert reloaded(record).hold == Hold.WAITING
    assert steps(record) == [(1, 1, "start", "ok")]


def test_one_event_wakes_all_that_listen_for_it(acme: Tenant, hook: Receiver) -> None:
    publish(acme, listening_flow())
    records = [insert(acme, ORDER, "listening") for _ in range(3)]
    drain()
    deliver(hook)
    assert drain() == (3, False)
    assert {reloaded(record).status for record in records} == {Status.FINISHED}


def test_a_record_takes_an_event_once_and_the_next_one_next(acme: Tenant, hook: Receiver) -> None:
    flow = listening_flow()
    flow["objects"]["note"]["next"]["ok"] = "again"
    flow["objects"]["again"] = flow["objects"]["hear"] | {"next": {"paid": "end", "refused": "end", "else": "end"}}
    publish(acme, flow)
    record = insert(acme, ORDER, "listening")
    deliver(hook, amount=1)
    drain()
    assert (reloaded(record).at, reloaded(record).hold) == ("again", Hold.WAITING)
    deliver(hook, amount=2, status="REFUSED")
    drain()
    assert reloaded(record).content.vars["payment"]["amount"] == 2
    assert [step[3] for step in steps(record)] == ["ok", "paid", "ok", "refused", ""]
    assert HeardEvent.objects.count() == 2


def test_several_events_are_heard_in_the_order_they_came(acme: Tenant, hook: Receiver) -> None:
    record = listening(acme)
    deliver(hook, {"order": "A-17", "status": "FIRST"}, {"order": "A-17", "status": "PAID"})
    drain()
    assert steps(record)[1] == (2, 1, "hear", "else")


@at_once
def test_events_from_before_the_record_do_not_count(acme: Tenant, hook: Receiver) -> None:
    deliver(hook)
    record = listening(acme)
    assert record.hold == Hold.WAITING


@pytest.mark.parametrize(("since", "heard"), [("now", False), ("1h", True), ("10s", False), ("run", True)])
def test_a_flow_says_which_events_count(acme: Tenant, hook: Receiver, since: str, heard: bool) -> None:
    publish(acme, listening_flow(since=since))
    record = insert(acme, ORDER, "listening")
    Record.objects.filter(pk=record.pk).update(date_created=timezone.now() - timedelta(days=1))
    deliver(hook)
    WebhookEvent.objects.update(received_at=timezone.now() - timedelta(minutes=1))
    drain()
    assert (reloaded(record).status == Status.FINISHED) == heard
    assert (reloaded(record).hold == Hold.WAITING) != heard


@at_once
def test_a_new_run_counts_its_own_events_only(acme: Tenant, hook: Receiver) -> None:
    record = listening(acme)
    deliver(hook, status="OLD")
    move_records(acme.caller, "listening", [record.uuid])
    drain()
    record = reloaded(record)
    assert (record.run_no, record.hold, record.run_started == record.date_created) == (2, Hold.WAITING, False)
    deliver(hook)
    drain()
    assert reloaded(record).status == Status.FINISHED
    assert [step[:4] for step in RecordStep.objects.filter(run_no=2).values_list("seq", "attempt", "object", "port")][
        1
    ] == (2, 1, "hear", "paid")


def test_the_event_a_record_was_made_from_is_no_news_to_it(acme: Tenant) -> None:
    webhook = register_webhook(
        acme.workspace, name="payments", identifier_path="order", status_path="status", flow="listening"
    ).webhook
    hook = Receiver.of(webhook)
    publish(acme, listening_flow(identifier="{{ order }}"))
    receive(hook, {"order": "A-17", "status": "PAID"}, address="127.0.0.1")
    drain()
    assert Record.objects.get().hold == Hold.WAITING


@pytest.mark.parametrize("identifier", [{"order": {"number": 7}}, {"order": {"number": True}}])
def test_identifiers_are_compared_as_texts(acme: Tenant, hook: Receiver, identifier: Any) -> None:
    publish(acme, listening_flow())
    record = insert(acme, identifier, "listening")
    deliver(hook, order=identifier["order"]["number"])
    drain()
    assert reloaded(record).status == Status.FINISHED


@pytest.mark.parametrize("number", [None, "", {"a": 1}, ["A-17"], "x" * 513])
def test_what_cannot_be_an_identifier_is_an_error(acme: Tenant, hook: Receiver, number: Any) -> None:
    publish(acme, listening_flow(retry={"max": 0}))
    record = insert(acme, {"order": {"number": number}}, "listening")
    drain()
    assert (reloaded(record).status, reloaded(record).error_code) == (Status.FAILED, "identifier")


def test_a_webhook_that_is_gone_is_an_error(acme: Tenant, hook: Receiver) -> None:
    record = listening(acme, retry={"max": 0})
    acme.workspace.webhooks.all().delete()
    make_due(record)
    drain()
    assert (reloaded(record).status, reloaded(record).error_code) == (Status.FAILED, "no_webhook")
