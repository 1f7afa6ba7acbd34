"""Webhook objects that wait long: time limits, pauses, webhooks that are removed, and everything at once."""

import threading
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection

from apps.records import inside
from apps.records.changing import delete_record, update_records
from apps.records.execution import drain
from apps.records.life_cycle import Act
from apps.records.models import HeardEvent, Hold, Listener, Record, RecordStep, Status
from apps.records.queueing import change_queue
from apps.records.tasks import wake_forsaken_records
from apps.records.waking import _WAKE_FOR_CHILDREN, _WAKE_FOR_EVENTS, announced
from apps.triggers.services import receive, replay_event
from apps.webhooks.models import WebhookEvent
from apps.webhooks.receivers import Receiver
from apps.webhooks.services import register_webhook, store_events
from tests.conftest import Tenant, publish
from tests.records.conftest import in_thread, insert, reloaded, steps
from tests.records.listeners import ORDER, deliver, listening, listening_flow

pytestmark = pytest.mark.django_db
at_once = pytest.mark.django_db(transaction=True)


def late(record: Record, **by: float) -> None:
    """Move the clock on: what the record waits for should have come that long ago."""
    gone = timedelta(**by)
    Record.objects.filter(pk=record.pk).update(entered_at=record.entered_at - gone, wake_at=record.wake_at - gone)


def with_timeout() -> dict[str, Any]:
    return {
        "timeout": "1h",
        "next": {"paid": "note", "refused": "end", "else": "end", "timeout": "end"},
    }


def test_a_record_that_waited_long_enough_goes_on(acme: Tenant, hook: Receiver) -> None:
    record = listening(acme, **with_timeout())
    assert (record.hold, record.wake_at - record.entered_at) == (Hold.WAITING, timedelta(hours=1))
    late(record, hours=2)
    drain()
    assert steps(record)[1] == (2, 1, "hear", "timeout")
    assert timedelta(hours=1) < timedelta(milliseconds=RecordStep.objects.get(object="hear").ms) < timedelta(hours=3)
    deliver(hook)  # too late
    assert drain() == (0, False)


def test_an_event_that_came_in_time_counts_though_nobody_looked(acme: Tenant, hook: Receiver) -> None:
    record = listening(acme, **with_timeout())
    deliver(hook)
    late(reloaded(record), hours=2)
    drain()
    assert steps(record)[1] == (2, 1, "hear", "paid")


def test_a_wake_for_nothing_goes_back_to_waiting(acme: Tenant, hook: Receiver) -> None:
    record = listening(acme, **with_timeout())
    for _ in range(6):  # more often than a record may end its worker
        change_queue(acme.caller, Act.EXECUTE, [record.uuid])
        drain()
    again = reloaded(record)
    assert (again.hold, again.entered_at, again.wake_at) == (Hold.WAITING, record.entered_at, record.wake_at)
    assert steps(record) == [(1, 1, "start", "ok")]


@pytest.mark.parametrize("more", [{}, with_timeout()])
def test_an_event_during_a_pause_is_heard_afterwards(acme: Tenant, hook: Receiver, more: Any) -> None:
    record = listening(acme, **more)
    change_queue(acme.caller, Act.PAUSE, [record.uuid])
    deliver(hook)
    assert (drain(), reloaded(record).hold) == ((0, False), Hold.PAUSED)
    change_queue(acme.caller, Act.RESUME, [record.uuid])
    drain()
    assert steps(record)[1] == (2, 1, "hear", "paid")


def test_an_event_after_a_pause_is_heard(acme: Tenant, hook: Receiver) -> None:
    record = listening(acme, **with_timeout())
    change_queue(acme.caller, Act.PAUSE, [record.uuid])
    change_queue(acme.caller, Act.RESUME, [record.uuid])
    assert (drain(), reloaded(record).status) == ((0, False), Status.SCHEDULED)
    deliver(hook)
    drain()
    assert steps(record)[1] == (2, 1, "hear", "paid")


def test_a_record_taken_out_of_the_queue_is_not_woken(acme: Tenant, hook: Receiver) -> None:
    record = listening(acme)
    change_queue(acme.caller, Act.DEQUEUE, [record.uuid])
    deliver(hook)
    assert drain() == (0, False)


def test_a_listener_that_went_on_is_not_woken_out_of_its_next_wait(acme: Tenant, hook: Receiver) -> None:
    """The wait after it would be cut short."""
    flow = listening_flow(**with_timeout())
    flow["objects"]["hear"]["next"]["timeout"] = "pause"
    flow["objects"]["pause"] = {"type": "wait", "for": "P2D", "next": {"ok": "end"}}
    publish(acme, flow)
    record = insert(acme, ORDER, "listening")
    drain()
    late(reloaded(record), hours=2)
    drain()
    assert reloaded(record).at == "pause"
    deliver(hook)
    assert drain() == (0, False)
    assert reloaded(record).status == Status.SCHEDULED


def test_a_replaced_document_listens_for_what_it_says_now(acme: Tenant, hook: Receiver) -> None:
    record = listening(acme)
    update_records(acme.caller, [record.uuid], [{"order": {"number": "B-1"}}])
    change_queue(acme.caller, Act.EXECUTE, [record.uuid])
    drain()
    deliver(hook)
    assert drain() == (0, False)
    deliver(hook, order="B-1")
    assert drain() == (1, False)
    assert reloaded(record).status == Status.FINISHED


@at_once
def test_a_record_that_was_paused_has_been_listening_all_the_time(acme: Tenant, hook: Receiver) -> None:
    record = listening(acme, since="now")
    change_queue(acme.caller, Act.PAUSE, [record.uuid])
    change_queue(acme.caller, Act.RESUME, [record.uuid])
    deliver(hook)
    drain()
    assert steps(record)[1] == (2, 1, "hear", "paid")
    assert RecordStep.objects.get(object="hear").started_at == record.entered_at


def test_a_record_learns_that_its_webhook_was_removed(acme: Tenant, hook: Receiver) -> None:
    record = listening(acme, retry={"max": 0})
    assert wake_forsaken_records() == 0
    acme.workspace.webhooks.all().delete()
    assert wake_forsaken_records() == 1
    drain()
    record = reloaded(record)
    assert (record.status, record.error_code, record.hold) == (Status.FAILED, "no_webhook", Hold.ERROR)
    assert (wake_forsaken_records(), Listener.objects.exists()) == (0, False)


def test_beat_has_them_looked_for(settings: Any) -> None:
    assert settings.CELERY_BEAT_SCHEDULE["wake-forsaken"]["task"] == wake_forsaken_records.name


def test_a_record_listens_to_the_webhook_that_takes_the_name_of_a_removed_one(acme: Tenant, hook: Receiver) -> None:
    record, other = listening(acme), insert(acme, {"order": {"number": "A-18"}}, "listening")
    drain()
    acme.workspace.webhooks.all().delete()
    again = register_webhook(acme.workspace, name="payments", identifier_path="order", status_path="status").webhook
    assert wake_forsaken_records() == 2
    drain()
    assert {reloaded(one).hold for one in (record, other)} == {Hold.WAITING}
    receive(Receiver.of(again), {"order": "A-17", "status": "PAID", "amount": 12}, address="127.0.0.1")
    drain()
    assert (reloaded(record).status, reloaded(other).hold) == (Status.FINISHED, Hold.WAITING)
    assert wake_forsaken_records() == 0


def test_a_paused_record_learns_of_it_when_it_is_resumed(acme: Tenant, hook: Receiver) -> None:
    record = listening(acme, timeout="P1D", next={"paid": "note", "refused": "end", "else": "end", "timeout": "end"})
    change_queue(acme.caller, Act.PAUSE, [record.uuid])
    acme.workspace.webhooks.all().delete()
    assert (wake_forsaken_records(), wake_forsaken_records()) == (1, 0)
    assert reloaded(record).hold == Hold.PAUSED
    change_queue(acme.caller, Act.RESUME, [record.uuid])
    drain()
    assert reloaded(record).error_code == "no_webhook"


def test_a_removed_record_leaves_no_listener(acme: Tenant, hook: Receiver) -> None:
    record = listening(acme)
    assert Listener.objects.count() == 1
    delete_record(acme.caller, record.uuid)
    assert Listener.objects.count() == 0
    deliver(hook)
    assert drain() == (0, False)


def test_a_replayed_event_wakes_as_a_new_one_does(acme: Tenant, hook: Receiver) -> None:
    deliver(hook)
    record = listening(acme)
    replay_event(acme.caller, WebhookEvent.objects.get().event_id)
    drain()
    assert reloaded(record).status == Status.FINISHED


@at_once
def test_an_event_that_is_being_stored_while_a_record_begins_to_listen_is_not_missed(
    acme: Tenant, hook: Receiver
) -> None:
    """The delivery has stored its event, nobody can see it yet, and the record looks for it: it must wait."""
    stored, go_on = threading.Event(), threading.Event()
    publish(acme, listening_flow())
    record = insert(acme, ORDER, "listening")

    def store() -> None:
        with announced(hook.webhook_id, ["A-17"]):
            store_events(hook, [{"order": "A-17", "status": "PAID"}], address="127.0.0.1")
            stored.set()
            go_on.wait(10)

    delivery = in_thread(store)
    stored.wait(10)
    worker = in_thread(drain)
    worker.join(0.5)
    assert worker.is_alive()
    go_on.set()
    delivery.join()
    worker.join()
    drain()
    assert steps(record)[1] == (2, 1, "hear", "paid")


@at_once
def test_an_event_that_comes_while_a_record_writes_down_that_it_listens_is_not_missed(
    acme: Tenant, hook: Receiver
) -> None:
    """The record has looked in vain and nobody can see its listener yet: the delivery must wait."""
    publish(acme, listening_flow())
    record = insert(acme, ORDER, "listening")
    looked, go_on = threading.Event(), threading.Event()

    keep = inside.keep_listening

    def keep_and_wait(*args: Any) -> None:
        keep(*args)
        looked.set()
        go_on.wait(10)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(inside, "keep_listening", keep_and_wait)
        worker = in_thread(drain)
        looked.wait(10)
        delivery = in_thread(lambda: deliver(hook))
        delivery.join(0.5)
        assert delivery.is_alive()
        go_on.set()
        worker.join()
    delivery.join()
    drain()
    assert steps(record)[1] == (2, 1, "hear", "paid")


@at_once
def test_many_records_and_many_deliveries_at_once_miss_nothing(acme: Tenant, hook: Receiver) -> None:
    publish(acme, listening_flow())
    records = [insert(acme, {"order": {"number": f"N-{n}"}}, "listening") for n in range(40)]

    def deliver_all() -> None:
        for n in range(0, 40, 4):
            deliver(hook, *({"order": f"N-{m}", "status": "PAID", "amount": m} for m in (n + 3, n, n + 2, n + 1)))

    threads = [in_thread(deliver_all), in_thread(drain), in_thread(drain)]
    for thread in threads:
        thread.join()
    drain()
    assert {reloaded(record).content.data["amount"] for record in records} == set(range(40))
    assert HeardEvent.objects.count() == 40


def test_a_wake_looks_up_its_listeners_by_an_index(acme: Tenant, hook: Receiver) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET enable_seqscan = off")
        try:
            for statement, values in ((_WAKE_FOR_EVENTS, [hook.webhook_id, ["A"]]), (_WAKE_FOR_CHILDREN, [[1]])):
                cursor.execute("EXPLAIN " + statement, values)
                assert "Seq Scan" not in "\n".join(row[0] for row in cursor.fetchall())
        finally:
            cursor.execute("SET enable_seqscan = on")
