"""Records on their way through their flows: claims, checkpoints, leases, retries, and workers that die."""

import threading
from datetime import timedelta
from typing import Any

import pytest
from django.db import connections
from django.db.models import F
from django.utils import timezone

from apps.flows import services as flows
from apps.records import checkpoints
from apps.records.checkpoints import Content, Position, write_checkpoint
from apps.records.claims import claim_due, claim_expired, give_back
from apps.records.execution import drain
from apps.records.models import Hold, Record, RecordStep, Status, WorkerPulse
from tests.conftest import publish
from tests.records.conftest import Sink, calling_flow, flow_of, insert, make_due, steps

pytestmark = pytest.mark.django_db(transaction=True)


def test_record_runs_to_its_end_with_a_whole_trace(acme: Any) -> None:
    record = insert(acme)
    assert drain() == (1, False)
    record.refresh_from_db()
    assert (record.status, record.wake_at, record.lease_token) == (Status.FINISHED, None, None)
    assert (record.num_runs, record.claims, record.seq) == (1, 0, 4)
    assert record.date_started == record.date_last_run
    assert record.content.data == {"client": {"age": 30}, "result": "accepted"}
    assert steps(record) == [(1, 1, "start", "ok"), (2, 1, "adult", "yes"), (3, 1, "accept", "ok"), (4, 1, "end", "")]
    assert drain() == (0, False)


def test_drain_says_that_the_worker_lives(acme: Any) -> None:
    drain()
    assert WorkerPulse.objects.filter(seen_at__gt=timezone.now() - timedelta(seconds=5)).count() == 1


def test_scheduled_record_waits_for_its_time(acme: Any) -> None:
    record = insert(acme, execute_at=timezone.now() + timedelta(hours=1))
    assert drain() == (0, False)
    make_due(record)
    assert drain() == (1, False)
    record.refresh_from_db()
    assert record.status == Status.FINISHED


def test_paused_flow_runs_nothing_until_it_is_resumed(acme: Any) -> None:
    record = insert(acme)
    flows.change_status(acme.caller, acme.flow, "paused")
    assert drain() == (0, False)
    flows.change_status(acme.caller, acme.flow, "running")
    assert drain() == (1, False)
    record.refresh_from_db()
    assert record.status == Status.FINISHED


def test_record_keeps_the_version_it_entered_with(acme: Any) -> None:
    record = insert(acme)
    changed = acme.flow.live_version.document
    changed["objects"]["accept"]["set"]["result"] = "by the new version"
    flows.save_draft(acme.caller, acme.flow, flows.format_source(changed))
    flows.change_status(acme.caller, acme.flow, "public")
    later = insert(acme)
    drain()
    assert [Record.objects.get(pk=row.pk).content.data["result"] for row in (record, later)] == [
        "accepted",
        "by the new version",
    ]


def test_wait_is_left_when_its_time_has_come(acme: Any) -> None:
    publish(
        acme,
        {
            "format": "flow/1",
            "name": "waiting",
            "start": "start",
            "objects": {
                "start": {"type": "start", "next": {"ok": "pause"}},
                "pause": {"type": "wait", "for": "P2D", "next": {"ok": "end"}},
                "end": {"type": "end"},
            },
        },
    )
    record = insert(acme, flow="waiting")
    drain()
    record.refresh_from_db()
    assert (record.status, record.at, record.hold) == (Status.SCHEDULED, "pause", Hold.NONE)
    assert timedelta(days=2) - timedelta(minutes=1) < record.wake_at - timezone.now() <= timedelta(days=2)
    make_due(record)
    drain()
    record.refresh_from_db()
    assert (record.status, record.num_runs) == (Status.FINISHED, 2)
    assert [step[2] for step in steps(record)] == ["start", "pause", "end"]


def test_wait_may_take_longer_than_32_bits_have_milliseconds(acme: Any) -> None:
    publish(acme, flow_of("patient", pause={"type": "wait", "for": "P10W", "next": {"ok": "end"}}))
    record = insert(acme, flow="patient")
    drain()
    Record.objects.filter(pk=record.pk).update(entered_at=F("entered_at") - timedelta(weeks=10))
    make_due(record)
    drain()
    record.refresh_from_db()
    assert (record.status, record.error_code) == (Status.FINISHED, "")
    waited = timedelta(milliseconds=RecordStep.objects.get(record=record, object="pause").ms)
    assert timedelta(0) <= waited - timedelta(weeks=10) < timedelta(minutes=1)


def test_stop_holds_the_record(acme: Any) -> None:
    publish(
        acme,
        {
            "format": "flow/1",
            "name": "stopping",
            "start": "start",
            "objects": {
                "start": {"type": "start", "next": {"ok": "hold"}},
                "hold": {"type": "stop", "next": {"resume": "end"}},
                "end": {"type": "end"},
            },
        },
    )
    record = insert(acme, flow="stopping")
    drain()
    record.refresh_from_db()
    assert (record.status, record.hold, record.wake_at, record.at) == (Status.NOT_RUNNING, Hold.STOPPED, None, "hold")


def test_call_saves_its_answer(acme: Any, sink: Sink) -> None:
    publish(acme, calling_flow(sink.url))
    record = insert(acme, flow="calling", uuid="r-1")
    drain()
    record.refresh_from_db()
    assert (record.status, record.content.data["lead"]) == (Status.FINISHED, 7)
    assert sink.keys == ["r-1:1:2"]
    assert record.content.vars["crm"] == {
        "status": 200,
        "headers": {"content-type": "application/json"},
        "body": {"id": 7},
    }


def test_failing_call_is_tried_again_and_then_stops_the_record(acme: Any, sink: Sink) -> None:
    sink.answer.status = 503
    publish(acme, calling_flow(sink.url, retry={"max": 1, "delay": "1m"}))
    record = insert(acme, flow="calling", uuid="r-1")
    drain()
    record.refresh_from_db()
    assert (record.status, record.error_code, record.attempt) == (Status.SCHEDULED, "http.503", 2)
    assert timedelta(seconds=50) < record.wake_at - timezone.now() <= timedelta(minutes=1)
    make_due(record)
    drain()
    record.refresh_from_db()
    assert (record.status, record.hold, record.wake_at) == (Status.FAILED, Hold.ERROR, None)
    assert (record.error_code, record.at) == ("http.503", "tell")
    assert steps(record) == [(1, 1, "start", "ok"), (2, 1, "tell", ""), (2, 2, "tell", "")]
    assert sink.keys == ["r-1:1:2", "r-1:1:2"]


def test_project_options_say_how_often_and_when(acme: Any, sink: Sink) -> None:
    sink.answer.status = 500
    acme.project.retries, acme.project.retry_minutes = 1, 7
    acme.project.save()
    publish(acme, calling_flow(sink.url))
    record = insert(acme, flow="calling")
    drain()
    record.refresh_from_db()
    assert timedelta(minutes=6) < record.wake_at - timezone.now() <= timedelta(minutes=7)


def test_private_address_is_refused_unless_the_operator_lists_it(acme: Any, sink: Sink, settings: Any) -> None:
    settings.EGRESS_ALLOW = []
    publish(acme, calling_flow(sink.url, retry={"max": 0}))
    record = insert(acme, flow="calling")
    drain()
    record.refresh_from_db()
    assert (record.status, record.error_code) == (Status.FAILED, "refused_address")
    assert sink.keys == []


def test_record_of_a_dead_worker_goes_on_at_its_checkpoint_with_the_same_key(acme: Any, sink: Sink) -> None:
    publish(acme, calling_flow(sink.url))
    record = insert(acme, flow="calling", uuid="r-1")
    (claimed,) = claim_due("dead:1", 10)
    reached = Position(Status.PROCESSING, "tell", None, 1, 1, keep=True)
    assert write_checkpoint(claimed.record_id, claimed.lease_token, 1, reached, None, [])
    assert drain() == (0, False)  # the lease still stands
    make_due(record)
    assert drain() == (1, False)
    record.refresh_from_db()
    assert (record.status, record.num_runs) == (Status.FINISHED, 1)
    assert [step[2] for step in steps(record)] == ["tell", "note", "end"]
    assert sink.keys == ["r-1:1:2"]


def test_late_checkpoint_of_a_lost_lease_writes_nothing(acme: Any) -> None:
    record = insert(acme)
    (stalled,) = claim_due("stalled:1", 10)
    make_due(record)
    drain()
    before = list(RecordStep.objects.values()), list(Record.objects.values())
    late = Position(Status.FAILED, "adult", None, 9, 1)
    assert not write_checkpoint(
        stalled.record_id, stalled.lease_token, 1, late, Content({"overwritten": True}, {}, {}), []
    )
    assert (list(RecordStep.objects.values()), list(Record.objects.values())) == before
    assert Record.objects.get().content.data["result"] == "accepted"


def test_record_that_ends_its_worker_three_times_is_set_aside_and_others_go_on(acme: Any) -> None:
    poison = insert(acme)
    for _ in range(3):
        claimed = claim_expired("dying:1") or claim_due("dying:1", 10)
        assert [row.record_id for row in claimed] == [poison.pk]
        make_due(poison)
    healthy = insert(acme)
    assert drain() == (2, False)
    poison.refresh_from_db()
    healthy.refresh_from_db()
    assert (poison.status, poison.error_code, poison.hold) == (Status.FAILED, "crash_loop", Hold.ERROR)
    assert healthy.status == Status.FINISHED


def test_record_whose_lease_ran_out_is_claimed_alone(acme: Any) -> None:
    records = [insert(acme) for _ in range(3)]
    claim_due("dead:1", 1)
    dead = Record.objects.get(status=Status.PROCESSING)
    make_due(dead)
    assert [row.record_id for row in claim_expired("next:1")] == [dead.pk]
    assert {row.record_id for row in claim_due("next:1", 10)} == {row.pk for row in records} - {dead.pk}


def test_defect_in_one_record_does_not_take_batch_mates_along(acme: Any) -> None:
    broken, healthy = insert(acme), insert(acme)
    Record.objects.filter(pk=broken.pk).update(at="no_such_object")
    assert drain() == (2, False)
    broken.refresh_from_db()
    healthy.refresh_from_db()
    assert (broken.status, broken.error_code) == (Status.FAILED, "unknown_object")
    assert healthy.status == Status.FINISHED


def test_records_given_back_are_due_at_once_and_counted_as_if_untouched(acme: Any) -> None:
    insert(acme)
    claimed = claim_due("worker:1", 10)
    give_back(claimed)
    record = Record.objects.get()
    assert (record.status, record.claims, record.lease_token) == (Status.NOT_RUNNING, 0, None)
    assert drain() == (1, False)


def test_two_drains_at_once_run_each_record_once(acme: Any, sink: Sink) -> None:
    publish(acme, calling_flow(sink.url))
    for number in range(60):
        insert(acme, flow="calling", uuid=f"r-{number}")

    def run() -> None:
        drain()
        connections.close_all()

    threads = [threading.Thread(target=run) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert set(Record.objects.values_list("status", flat=True)) == {Status.FINISHED}
    assert sorted(sink.keys) == sorted(f"r-{number}:1:2" for number in range(60))


def test_one_checkpoint_is_one_statement(acme: Any, django_assert_num_queries: Any) -> None:
    insert(acme)
    (claimed,) = claim_due("worker:1", 10)
    position = Position(Status.FINISHED, "end", None, 4, 1)
    with django_assert_num_queries(1):
        assert checkpoints.write_checkpoint(
            claimed.record_id, claimed.lease_token, 1, position, Content({}, {}, {}), []
        )
