"""Runs that take too long, and calls that must never be made twice."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from apps.records.claims import claim_due, claim_expired
from apps.records.execution import drain
from apps.records.life_cycle import Act
from apps.records.models import Hold, Record, RecordStep, Status
from apps.records.queueing import change_queue
from apps.webhooks.services import register_webhook
from tests.conftest import Tenant, publish
from tests.records.conftest import Answer, Sink, calling_flow, flow_of, insert, make_due, steps

pytestmark = pytest.mark.django_db

WAIT = {"type": "wait", "for": "P2D", "next": {"ok": "end"}}
STOP = {"type": "stop", "next": {"resume": "end"}}
HEAR = {"type": "webhook", "webhook": "payments", "identifier": "x", "next": {"else": "end"}}


def reloaded(record: Record) -> Record:
    return Record.objects.select_related("content").get(pk=record.pk)


def expiring(item: dict[str, Any], **more: Any) -> dict[str, Any]:
    return flow_of("expiring", rest=item) | {"limits": {"expires": "PT1H"}} | more


def late(record: Record) -> None:
    """Move the clock two hours on."""
    gone = timedelta(hours=2)
    record = reloaded(record)
    Record.objects.filter(pk=record.pk).update(
        run_started=record.run_started - gone,
        entered_at=record.entered_at and record.entered_at - gone,
        wake_at=record.wake_at and record.wake_at - gone,
    )


@pytest.mark.parametrize(
    "item", [WAIT, STOP, HEAR, STOP | {"timeout": "2h", "next": {"resume": "end", "timeout": "end"}}]
)
def test_a_run_that_rests_too_long_has_expired(acme: Tenant, item: Any) -> None:
    register_webhook(acme.workspace, name="payments", identifier_path="id")
    publish(acme, expiring(item))
    record = insert(acme, flow="expiring")
    drain()
    record = reloaded(record)
    assert record.wake_at == record.run_started + timedelta(hours=1)
    late(record)
    drain()
    record = reloaded(record)
    assert (record.status, record.hold, record.wake_at) == (Status.FAILED, Hold.ERROR, None)
    assert (record.error_code, record.error_text) == ("expired", "The run has taken longer than the flow allows.")
    assert steps(record) == [(1, 1, "start", "ok"), (2, 1, "rest", "")]
    assert RecordStep.objects.get(record=record, object="rest").started_at == record.entered_at


def test_what_rests_for_less_is_not_touched(acme: Tenant) -> None:
    publish(acme, expiring(WAIT | {"for": "10m"}))
    record = insert(acme, flow="expiring")
    drain()
    record = reloaded(record)
    assert record.wake_at - record.entered_at == timedelta(minutes=10)
    make_due(record)
    drain()
    assert reloaded(record).status == Status.FINISHED


def test_nothing_handles_the_end_of_the_time(acme: Tenant) -> None:
    document = expiring(WAIT | {"next": {"ok": "end", "error": "end"}}, on_error={"next": "end"})
    publish(acme, document)
    record = insert(acme, flow="expiring")
    drain()
    late(record)
    drain()
    assert (reloaded(record).status, reloaded(record).at) == (Status.FAILED, "rest")


def test_retries_end_with_the_time(acme: Tenant, sink: Sink) -> None:
    sink.answer = Answer(500)
    document = calling_flow(sink.url, retry={"max": 9, "delay": "2h"}) | {"limits": {"expires": "1h"}}
    publish(acme, document)
    record = insert(acme, flow="calling")
    drain()
    record = reloaded(record)
    assert (record.attempt, record.wake_at) == (2, record.run_started + timedelta(hours=1))
    late(record)
    drain()
    assert (reloaded(record).error_code, len(sink.received)) == ("expired", 1)
    assert steps(record) == [(1, 1, "start", "ok"), (2, 1, "tell", ""), (2, 2, "tell", "")]


def test_the_time_of_a_scheduled_record_begins_when_it_does(acme: Tenant) -> None:
    publish(acme, expiring({"type": "set", "set": {"a": 1}, "next": {"ok": "end"}}))
    record = insert(acme, flow="expiring", execute_at=timezone.now() + timedelta(days=3))
    Record.objects.filter(pk=record.pk).update(date_created=timezone.now() - timedelta(days=9))
    make_due(record)
    drain()
    assert reloaded(record).status == Status.FINISHED


def test_whoever_resumes_an_expired_record_gives_it_a_new_run(acme: Tenant) -> None:
    publish(acme, expiring(WAIT))
    record = insert(acme, flow="expiring")
    drain()
    late(record)
    drain()
    change_queue(acme.caller, Act.CONTINUE, [record.uuid])
    assert (reloaded(record).run_no, reloaded(record).run_started) == (2, None)
    drain()
    record = reloaded(record)
    assert (record.status, record.at, record.error_code) == (Status.SCHEDULED, "rest", "")
    assert record.wake_at == record.run_started + timedelta(hours=1)


def once_flow(url: str, **more: Any) -> dict[str, Any]:
    return calling_flow(url, on_crash="fail", retry={"max": 3, "delay": "1m"}, **more)


def test_a_call_that_must_not_be_repeated_is_made_when_nobody_dies(acme: Tenant, sink: Sink) -> None:
    publish(acme, once_flow(sink.url))
    record = insert(acme, flow="calling")
    drain()
    record = reloaded(record)
    assert (record.status, record.content.state, len(sink.received)) == (Status.FINISHED, {}, 1)


def killed_during_the_call(record: Record) -> None:
    """As a worker leaves the record that dies with its call under way."""
    from apps.flows.engine.walk import Call, advance, note_intent
    from apps.flows.selectors import program
    from apps.records.runs import Run, checkpoint, underway

    (claimed,) = claim_due("dead:1", 10) or claim_expired("dead:1")
    run = Run.of(claimed)
    outcome, done = advance(program(claimed.version_id), run.token, run.host)
    assert isinstance(outcome, Call)
    assert outcome.once
    note_intent(run.token)
    assert checkpoint(run, underway(run), done)
    make_due(record)


def test_a_worker_that_dies_during_it_leaves_an_error_instead(acme: Tenant, sink: Sink) -> None:
    publish(acme, once_flow(sink.url))
    record = insert(acme, flow="calling")
    killed_during_the_call(record)
    assert reloaded(record).content.state == {"intent": "1:2:1"}
    drain()
    record = reloaded(record)
    assert (record.status, record.error_code, sink.received) == (Status.FAILED, "crashed", [])
    assert steps(record) == [(1, 1, "start", "ok"), (2, 1, "tell", "")]
    assert record.content.state == {}


def test_the_error_port_takes_it(acme: Tenant, sink: Sink) -> None:
    publish(acme, once_flow(sink.url, next={"ok": "note", "error": "end"}))
    record = insert(acme, flow="calling")
    killed_during_the_call(record)
    drain()
    assert (reloaded(record).status, sink.received) == (Status.HANDLED, [])


def test_a_person_may_have_it_made_again(acme: Tenant, sink: Sink) -> None:
    publish(acme, once_flow(sink.url))
    record = insert(acme, flow="calling", uuid="r-1")
    killed_during_the_call(record)
    drain()
    change_queue(acme.caller, Act.CONTINUE, [record.uuid])
    drain()
    assert (reloaded(record).status, sink.keys) == (Status.FINISHED, ["r-1:1:3"])


def test_a_failed_attempt_is_followed_by_the_next_as_usual(acme: Tenant, sink: Sink) -> None:
    sink.answers = {1: Answer(503)}
    publish(acme, once_flow(sink.url))
    record = insert(acme, flow="calling")
    drain()
    make_due(record)
    drain()
    assert (reloaded(record).status, len(sink.received)) == (Status.FINISHED, 2)


def test_a_call_between_two_attempts_that_dies_is_not_made_a_third_time(acme: Tenant, sink: Sink) -> None:
    sink.answers = {1: Answer(503)}
    publish(acme, once_flow(sink.url))
    record = insert(acme, flow="calling")
    drain()
    make_due(record)
    killed_during_the_call(record)
    drain()
    assert (reloaded(record).error_code, len(sink.received)) == ("crashed", 1)
    assert steps(record) == [(1, 1, "start", "ok"), (2, 1, "tell", ""), (2, 2, "tell", "")]
