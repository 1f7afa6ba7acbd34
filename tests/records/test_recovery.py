"""What happens to records when something fails: their own flow, a service, a worker, the clock."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from apps.flows import services as flows
from apps.flows.models import FlowVersion
from apps.records.claims import claim_due, claim_expired
from apps.records.execution import drain
from apps.records.models import Hold, Record, RecordStep, Status
from apps.records.services import create_records
from apps.records.tasks import drain_due_records
from apps.schemas.services import create_schema
from tests.conftest import Tenant, publish
from tests.records.conftest import (
    ADULT,
    Answer,
    Sink,
    calling_flow,
    flow_of,
    in_thread,
    insert,
    make_due,
    reloaded,
    steps,
)
from tests.schemas.conftest import encoded

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_worker_that_stalls_in_a_call_loses_the_record_and_writes_nothing(acme: Tenant, sink: Sink) -> None:
    publish(acme, calling_flow(sink.url))
    record = insert(acme, flow="calling", uuid="r-1")
    sink.answers = {1: Answer(body=b'{"id": "late"}'), 2: Answer(body=b'{"id": "second"}')}
    sink.open.clear()
    stalled = in_thread(drain)
    sink.wait_for(1)
    assert (reloaded(record).at, reloaded(record).seq) == ("tell", 1)
    make_due(record)
    rescuer = in_thread(drain)
    sink.wait_for(2)
    sink.open.set()
    stalled.join()
    rescuer.join()
    record = reloaded(record)
    assert sink.keys == ["r-1:1:2"] * 2
    assert (record.status, record.content.data["lead"]) == (Status.FINISHED, "second")
    assert steps(record) == [(1, 1, "start", "ok"), (2, 1, "tell", "ok"), (3, 1, "note", "ok"), (4, 1, "end", "")]
    assert (record.num_runs, record.claims, record.lease_token) == (1, 0, None)


def test_a_worker_that_dies_before_its_first_checkpoint_leaves_a_record_that_starts(acme: Tenant) -> None:
    record = insert(acme)
    claim_due("dead:1", 10)
    make_due(record)
    assert drain() == (1, False)
    assert [step[2] for step in steps(record)] == ["start", "adult", "accept", "end"]
    assert (reloaded(record).status, reloaded(record).num_runs) == (Status.FINISHED, 1)


def test_progress_makes_up_for_deaths(acme: Tenant) -> None:
    publish(acme, flow_of("waiting", pause={"type": "wait", "for": "P2D", "next": {"ok": "end"}}))
    record = insert(acme, flow="waiting")
    for claim in (lambda: claim_due("dying:1", 10), lambda: claim_expired("dying:2")):
        assert [row.record_id for row in claim()] == [record.pk]
        make_due(record)
    assert reloaded(record).claims == 2
    drain()
    assert (reloaded(record).at, reloaded(record).claims) == ("pause", 0)


def test_a_paused_flow_keeps_the_record_of_a_dead_worker_until_it_is_resumed(acme: Tenant) -> None:
    record = insert(acme)
    claim_due("dead:1", 10)
    flows.change_status(acme.caller, acme.flow, "paused")
    make_due(record)
    assert drain() == (0, False)
    flows.change_status(acme.caller, acme.flow, "running")
    assert drain() == (1, False)
    assert reloaded(record).status == Status.FINISHED


def test_an_inactive_flow_runs_nothing(acme: Tenant) -> None:
    record = insert(acme)
    flows.change_status(acme.caller, acme.flow, "inactive")
    assert drain() == (0, False)
    assert reloaded(record).status == Status.NOT_RUNNING


def test_a_record_the_platform_cannot_run_does_not_stop_the_others(acme: Tenant) -> None:
    broken_flow = publish(acme, flow_of("broken", note={"type": "set", "set": {"a": 1}, "next": {"ok": "end"}}))
    FlowVersion.objects.filter(pk=broken_flow.live_version_id).update(source='{"objects": 5}')
    healthy = [insert(acme), insert(acme)]
    broken = insert(acme, flow="broken")
    assert drain() == (3, False)
    assert [reloaded(row).status for row in healthy] == [Status.FINISHED] * 2
    broken = reloaded(broken)
    assert (broken.status, broken.hold, broken.wake_at) == (Status.FAILED, Hold.ERROR, None)
    assert (broken.error_code, broken.content.data) == ("defect", ADULT)
    assert broken.error_text.startswith("The platform could not run this record (")


def test_an_error_port_makes_the_record_handled(acme: Tenant, sink: Sink) -> None:
    sink.answer = Answer(404)
    sorry = {"type": "set", "set": {"why": "{{ system.error.code }}"}, "next": {"ok": "end"}}
    document = calling_flow(sink.url, retry={"max": 0}, next={"ok": "note", "error": "sorry"})
    document["objects"]["sorry"] = sorry
    publish(acme, document)
    record = insert(acme, flow="calling")
    drain()
    record = reloaded(record)
    assert (record.status, record.hold, record.wake_at, record.error_code) == (Status.HANDLED, Hold.NONE, None, "")
    assert record.content.data["why"] == "http.404"
    assert steps(record) == [(1, 1, "start", "ok"), (2, 1, "tell", "error"), (3, 1, "sorry", "ok"), (4, 1, "end", "")]
    error = RecordStep.objects.get(record=record, object="tell").error
    assert error == {"code": "http.404", "message": "The service answered 404."}


def test_the_flows_own_handler(acme: Tenant, sink: Sink) -> None:
    sink.answer = Answer(500)
    document = calling_flow(sink.url, retry={"max": 0}) | {"on_error": {"next": "sorry"}}
    document["objects"]["sorry"] = {"type": "set", "set": {"sorry": True}, "next": {"ok": "end"}}
    publish(acme, document)
    record = insert(acme, flow="calling")
    drain()
    assert (reloaded(record).status, reloaded(record).content.data["sorry"]) == (Status.HANDLED, True)


def test_retries_of_the_project_until_the_record_stops(acme: Tenant, sink: Sink) -> None:
    sink.answer = Answer(503)
    acme.project.retries, acme.project.retry_minutes = 2, 7
    acme.project.save()
    publish(acme, calling_flow(sink.url))
    record = insert(acme, flow="calling", uuid="r-1")
    for attempt in (1, 2):
        assert drain() == (1, False)
        record = reloaded(record)
        last = RecordStep.objects.filter(record=record).last()
        assert last is not None
        tried = last.started_at + timedelta(milliseconds=last.ms)
        assert abs(record.wake_at - tried - timedelta(minutes=7)) < timedelta(seconds=2)
        assert (record.status, record.hold, record.attempt) == (Status.SCHEDULED, Hold.NONE, attempt + 1)
        assert (record.error_code, record.error_text) == ("http.503", "The service answered 503.")
        assert drain() == (0, False)
        make_due(record)
    drain()
    record = reloaded(record)
    assert (record.status, record.hold, record.wake_at) == (Status.FAILED, Hold.ERROR, None)
    assert (record.error_code, record.num_runs) == ("http.503", 3)
    assert steps(record) == [(1, 1, "start", "ok"), (2, 1, "tell", ""), (2, 2, "tell", ""), (2, 3, "tell", "")]
    assert sink.keys == ["r-1:1:2"] * 3


def test_a_service_that_comes_back_in_time(acme: Tenant, sink: Sink) -> None:
    sink.answers = {1: Answer(503)}
    publish(acme, calling_flow(sink.url))
    record = insert(acme, flow="calling")
    drain()
    make_due(record)
    drain()
    record = reloaded(record)
    assert (record.status, record.error_code, record.content.data["lead"]) == (Status.FINISHED, "", 7)
    assert [step[:3] for step in steps(record)] == [
        (1, 1, "start"),
        (2, 1, "tell"),
        (2, 2, "tell"),
        (3, 1, "note"),
        (4, 1, "end"),
    ]


def test_a_retry_only_on_what_the_object_names(acme: Tenant, sink: Sink) -> None:
    sink.answer = Answer(400)
    publish(acme, calling_flow(sink.url, retry={"max": 5, "delay": "1s", "on": ["http.5xx", "timeout"]}))
    record = insert(acme, flow="calling")
    drain()
    assert (reloaded(record).status, reloaded(record).error_code) == (Status.FAILED, "http.400")
    assert len(sink.received) == 1


def test_a_service_that_is_too_slow(acme: Tenant, sink: Sink) -> None:
    document = calling_flow(sink.url, retry={"max": 0})
    document["objects"]["tell"]["with"]["timeout"] = "1s"
    publish(acme, document)
    record = insert(acme, flow="calling")
    sink.open.clear()
    drain()
    assert (reloaded(record).status, reloaded(record).error_code) == (Status.FAILED, "timeout")


def test_an_endless_loop_is_stopped(acme: Tenant, sink: Sink) -> None:
    acme.project.max_executions = 3
    acme.project.save()
    publish(
        acme,
        flow_of(
            "looping",
            tell=calling_flow(sink.url)["objects"]["tell"] | {"next": {"ok": "again"}},
            again={
                "type": "decision",
                "rules": [{"port": "on", "when": "true"}],
                "next": {"on": "tell", "else": "end"},
            },
        ),
    )
    record = insert(acme, flow="looping")
    drain()
    record = reloaded(record)
    assert (record.status, record.error_code, record.at) == (Status.FAILED, "loop_guard", "tell")
    assert len(sink.received) == 3


def test_a_stop_with_a_timeout_is_left_when_nobody_came(acme: Tenant) -> None:
    hold = {"type": "stop", "timeout": "1h", "next": {"resume": "end", "timeout": "late"}}
    late = {"type": "set", "set": {"late": True}, "next": {"ok": "end"}}
    publish(acme, flow_of("stopping", hold=hold, late=late))
    record = insert(acme, flow="stopping")
    drain()
    record = reloaded(record)
    assert (record.status, record.hold) == (Status.NOT_RUNNING, Hold.STOPPED)
    assert record.wake_at - record.entered_at == timedelta(hours=1)
    hour_ago = timezone.now() - timedelta(hours=1, seconds=1)
    Record.objects.filter(pk=record.pk).update(wake_at=timezone.now() - timedelta(seconds=1), entered_at=hour_ago)
    drain()
    record = reloaded(record)
    assert (record.status, record.hold, record.content.data["late"]) == (Status.FINISHED, Hold.NONE, True)
    assert [step[3] for step in steps(record)] == ["ok", "timeout", "ok", ""]


def test_the_trace_says_how_long_a_record_waited(acme: Tenant) -> None:
    publish(acme, flow_of("waiting", pause={"type": "wait", "for": "P2D", "next": {"ok": "end"}}))
    record = insert(acme, flow="waiting")
    drain()
    entered = timezone.now() - timedelta(days=3)
    Record.objects.update(entered_at=entered, wake_at=timezone.now() - timedelta(seconds=1))
    drain()
    step = RecordStep.objects.get(record=record, object="pause")
    assert step.started_at == entered
    assert abs(timedelta(milliseconds=step.ms) - timedelta(days=3)) < timedelta(seconds=10)


def test_a_flow_checks_records_against_the_schema_of_the_day(acme: Tenant) -> None:
    yes = {"type": "set", "set": {"fits": True}, "next": {"ok": "end"}}
    no = {"type": "set", "set": {"fits": False, "faults": "{{ vars.faults }}"}, "next": {"ok": "end"}}
    check = {
        "type": "app",
        "app": "core.validate",
        "with": {"save_to": "faults"},
        "next": {"ok": "yes", "invalid": "no"},
    }
    publish(acme, flow_of("checking", check=check, yes=yes, no=no))
    records = [insert(acme, {"age": 30}, "checking"), insert(acme, {"age": -1}, "checking")]
    schema = {"properties": {"age": {"minimum": 0}}}
    create_schema(acme.caller, url="x", schema=encoded(schema), data_record=encoded({}))
    drain()
    found = [reloaded(row).content.data for row in records]
    assert [data["fits"] for data in found] == [True, False]
    assert [fault["path"] for fault in found[1]["faults"]] == ["/age"]


def test_calls_of_one_worker_are_under_way_side_by_side(acme: Tenant, sink: Sink) -> None:
    publish(acme, calling_flow(sink.url))
    create_records(acme.caller, [ADULT] * 8, flow_name="calling")
    sink.open.clear()
    worker = in_thread(drain)
    sink.wait_for(8)
    sink.open.set()
    worker.join()
    assert Record.objects.filter(status=Status.FINISHED).count() == 8


def test_calls_under_way_are_bounded(acme: Tenant, sink: Sink, settings: Any) -> None:
    settings.EXTERNAL_CALLS = 2
    publish(acme, calling_flow(sink.url))
    create_records(acme.caller, [ADULT] * 6, flow_name="calling")
    sink.open.clear()
    worker = in_thread(drain)
    sink.wait_for(2)
    worker.join(0.3)
    assert len(sink.received) == 2
    assert Record.objects.filter(status=Status.PROCESSING).count() == 2
    sink.open.set()
    worker.join()
    assert Record.objects.filter(status=Status.FINISHED).count() == 6


def test_a_drain_ends_with_its_time_and_says_that_there_is_more(acme: Tenant, settings: Any) -> None:
    settings.CLAIM_BATCH = 1
    create_records(acme.caller, [ADULT] * 300, flow_name="intake")
    handled, more = drain(0.05)
    assert more
    assert 0 < handled < 300
    assert Record.objects.filter(status=Status.FINISHED).count() == handled
    assert drain(60.0) == (300 - handled, False)


def test_what_a_worker_does_not_begin_in_time_goes_back(acme: Tenant, settings: Any) -> None:
    settings.CLAIM_BATCH, settings.EXTERNAL_CALLS, settings.LEASE_SECONDS = 1000, 1000, 0.4
    create_records(acme.caller, [ADULT] * 1000, flow_name="intake")
    assert drain(60.0) == (1000, False)
    finished = Record.objects.filter(status=Status.FINISHED, claims=0, lease_token=None)
    assert (finished.count(), RecordStep.objects.count()) == (1000, 4000)
    assert finished.filter(num_runs=1).count() == 1000
    assert len(set(Record.objects.values_list("date_last_run", flat=True))) > 1


def test_the_task_runs_what_is_due(acme: Tenant) -> None:
    create_records(acme.caller, [ADULT] * 3, flow_name="intake")
    assert drain_due_records() == 3
    assert drain_due_records() == 0
