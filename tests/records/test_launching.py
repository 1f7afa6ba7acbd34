"""Records that launch others, wait for them, and move to other flows."""

import threading
from typing import Any

import pytest

from apps.flows import services as flows
from apps.records.changing import delete_record
from apps.records.execution import drain
from apps.records.launching import MAX_DEPTH
from apps.records.life_cycle import Act
from apps.records.models import Hold, Record, RecordStep, Status
from apps.records.moving import move_records
from apps.records.queueing import change_queue
from tests.conftest import Tenant, publish
from tests.records.conftest import ADULT, Sink, calling_flow, flow_of, in_thread, insert, make_due, reloaded, steps

pytestmark = pytest.mark.django_db
at_once = pytest.mark.django_db(transaction=True)

STOP = {"type": "stop", "next": {"resume": "end"}}
BROKEN = {"type": "wait", "date": "{{ no.date }}", "retry": {"max": 0}, "next": {"ok": "end"}}


def running_flow(flow: str = "child", **more: Any) -> dict[str, Any]:
    """Launches a record in that flow and waits for it."""
    launch = {"type": "run", "flow": flow, "wait": True, "save_to": "run", "next": {"ok": "end"}}
    return flow_of("parent", launch=launch | more)


def parent_and_child(acme: Tenant, *, child: dict[str, Any], **more: Any) -> tuple[Record, Record]:
    """A record that launched another one, after a drain."""
    publish(acme, flow_of("child", **child))
    publish(acme, running_flow(**more))
    parent = insert(acme, flow="parent")
    drain()
    return reloaded(parent), reloaded(Record.objects.get(parent=parent))


def test_a_record_waits_for_the_one_it_launched_and_takes_its_result(acme: Tenant) -> None:
    change = {"type": "set", "set": {"seen": "{{ client.age + 1 }}"}, "next": {"ok": "hold"}}
    parent, child = parent_and_child(acme, child={"change": change, "hold": STOP})
    assert (parent.status, parent.hold, parent.wake_at, parent.at) == (0, Hold.WAITING, None, "launch")
    assert (child.flow.name, child.depth, child.hold, child.run_no) == ("child", 1, Hold.STOPPED, 1)
    change_queue(acme.caller, Act.EXECUTE, [child.uuid])
    drain()
    parent, child = reloaded(parent), reloaded(child)
    assert (parent.status, child.status) == (Status.FINISHED, Status.FINISHED)
    assert child.content.data == ADULT | {"seen": 31}
    assert parent.content.data == ADULT
    assert parent.content.vars["run"] == {"status": 2, "uuid": child.uuid, "data": child.content.data, "error": None}
    assert steps(parent) == [(1, 1, "start", "ok"), (2, 1, "launch", "ok"), (3, 1, "end", "")]
    assert RecordStep.objects.get(record=parent, object="launch").output == {"uuid": child.uuid, "status": 2}
    assert Record.objects.count() == 2


def test_a_record_that_does_not_wait_goes_on_at_once(acme: Tenant) -> None:
    parent, child = parent_and_child(acme, child={"hold": STOP}, wait=False)
    assert (parent.status, child.status, child.hold) == (Status.FINISHED, Status.NOT_RUNNING, Hold.STOPPED)
    assert parent.content.vars["run"] == {"status": 0, "uuid": child.uuid, "data": None, "error": None}
    change_queue(acme.caller, Act.EXECUTE, [child.uuid])
    drain()
    assert reloaded(parent).num_runs == 1


def test_the_input_is_the_document_of_the_new_record(acme: Tenant) -> None:
    _, child = parent_and_child(acme, child={"hold": STOP}, input={"who": {"age": "{{ client.age }}"}, "kind": "copy"})
    assert child.content.data == {"who": {"age": 30}, "kind": "copy"}
    _, child = (None, Record.objects.get(pk=child.pk))
    assert (child.application_id, child.content.vars) == (None, {})


@pytest.mark.parametrize("value", ["{{ client.age }}", "{{ client.nothing }}", "text"])
def test_an_input_that_is_no_object_is_an_error(acme: Tenant, value: str) -> None:
    publish(acme, flow_of("child", hold=STOP))
    publish(acme, running_flow(input=value, retry={"max": 0}))
    parent = insert(acme, flow="parent")
    drain()
    assert (reloaded(parent).error_code, Record.objects.count()) == ("input", 1)


def test_a_child_that_fails_is_the_objects_error(acme: Tenant) -> None:
    parent, child = parent_and_child(acme, child={"broken": BROKEN}, next={"ok": "end", "error": "end"})
    drain()
    parent = reloaded(parent)
    assert (parent.status, child.status) == (Status.HANDLED, Status.FAILED)
    message = "the date of the wait is not ISO 8601, like 2026-05-01T09:00:00Z"
    assert parent.content.vars["run"] == {
        "status": 3,
        "uuid": child.uuid,
        "data": ADULT,
        "error": {"object": "broken", "code": "wait", "message": message},
    }
    error = RecordStep.objects.get(record=parent, object="launch").error
    assert error == {"code": "run_failed", "message": f"The record {child.uuid} came to a bad end: wait: {message}"}


def test_the_projects_retries_are_not_for_children_that_failed(acme: Tenant) -> None:
    parent, child = parent_and_child(acme, child={"broken": BROKEN})
    drain()
    assert (reloaded(parent).status, reloaded(parent).error_code) == (Status.FAILED, "run_failed")
    assert list(Record.objects.filter(parent=parent)) == [child]


def test_an_object_that_asks_for_it_launches_another_one(acme: Tenant) -> None:
    parent, first = parent_and_child(acme, child={"broken": BROKEN}, retry={"max": 1, "delay": "1m"})
    drain()
    parent = reloaded(parent)
    assert (parent.status, parent.attempt, parent.entered_at) == (Status.SCHEDULED, 2, None)
    make_due(parent)
    drain()
    drain()
    assert Record.objects.filter(parent=parent).count() == 2
    assert (reloaded(parent).status, reloaded(first).status) == (Status.FAILED, Status.FAILED)
    assert steps(parent) == [(1, 1, "start", "ok"), (2, 1, "launch", ""), (2, 2, "launch", "")]


def test_the_time_before_another_attempt_passes_whatever_becomes_of_the_first_child(acme: Tenant) -> None:
    parent, first = parent_and_child(acme, child={"broken": BROKEN}, retry={"max": 1, "delay": "1h"})
    drain()
    assert (reloaded(parent).status, reloaded(parent).attempt) == (Status.SCHEDULED, 2)
    change_queue(acme.caller, Act.DEQUEUE, [first.uuid])
    assert drain() == (0, False)
    assert (reloaded(parent).status, Record.objects.count()) == (Status.SCHEDULED, 2)


def test_a_person_who_resumes_the_parent_launches_another_one(acme: Tenant) -> None:
    parent, _ = parent_and_child(acme, child={"broken": BROKEN})
    drain()
    change_queue(acme.caller, Act.CONTINUE, [parent.uuid])
    drain()
    assert Record.objects.filter(parent=parent).count() == 2


@pytest.mark.parametrize("act", [Act.DEQUEUE, Act.DELETE])
def test_a_child_that_is_taken_away_is_the_objects_error(acme: Tenant, act: Act) -> None:
    parent, child = parent_and_child(acme, child={"hold": STOP}, next={"ok": "end", "error": "end"})
    if act is Act.DELETE:
        delete_record(acme.caller, child.uuid)
    else:
        change_queue(acme.caller, act, [child.uuid])
    drain()
    assert reloaded(parent).status == Status.HANDLED
    error = RecordStep.objects.get(record=parent, object="launch").error
    assert error is not None
    assert error["code"] == "run_removed"


def test_a_child_that_moves_to_another_flow_ends_there(acme: Tenant) -> None:
    publish(acme, flow_of("second", mark={"type": "set", "set": {"moved": True}, "next": {"ok": "end"}}))
    parent, child = parent_and_child(acme, child={"hold": STOP})
    move_records(acme.caller, "second", [child.uuid])
    drain()
    assert reloaded(parent).status == Status.FINISHED
    assert reloaded(parent).content.vars["run"]["data"] == ADULT | {"moved": True}


def test_a_parent_that_was_removed_is_missed_by_nobody(acme: Tenant) -> None:
    parent, child = parent_and_child(acme, child={"hold": STOP})
    delete_record(acme.caller, parent.uuid)
    change_queue(acme.caller, Act.EXECUTE, [child.uuid])
    drain()
    child = reloaded(child)
    assert (child.status, child.parent_id) == (Status.FINISHED, None)


def test_a_parent_that_went_elsewhere_is_not_woken(acme: Tenant) -> None:
    publish(acme, flow_of("second", pause={"type": "wait", "for": "P2D", "next": {"ok": "end"}}))
    parent, child = parent_and_child(acme, child={"hold": STOP})
    move_records(acme.caller, "second", [parent.uuid])
    drain()
    change_queue(acme.caller, Act.EXECUTE, [child.uuid])
    drain()
    assert (reloaded(parent).status, reloaded(parent).at) == (Status.SCHEDULED, "pause")


@pytest.mark.parametrize("paused_when_it_ends", [True, False])
def test_a_parent_that_is_paused_and_resumed_launches_no_second_child(acme: Tenant, paused_when_it_ends: bool) -> None:
    parent, child = parent_and_child(acme, child={"hold": STOP})
    change_queue(acme.caller, Act.PAUSE, [parent.uuid])
    if paused_when_it_ends:
        change_queue(acme.caller, Act.EXECUTE, [child.uuid])
        drain()
        assert (reloaded(child).status, reloaded(parent).hold) == (Status.FINISHED, Hold.PAUSED)
    change_queue(acme.caller, Act.RESUME, [parent.uuid])
    drain()
    if not paused_when_it_ends:
        assert reloaded(parent).hold == Hold.WAITING
        change_queue(acme.caller, Act.EXECUTE, [child.uuid])
        drain()
    assert reloaded(parent).status == Status.FINISHED
    assert Record.objects.count() == 2


@pytest.mark.parametrize("state", ["draft", "inactive"])
def test_a_flow_that_takes_no_records_is_an_error(acme: Tenant, state: str) -> None:
    if state == "inactive":
        flow = publish(acme, flow_of("child", hold=STOP))
        flows.change_status(acme.caller, flow, "inactive")
    else:
        flows.create_flow(acme.caller, name="child")
    publish(acme, running_flow(retry={"max": 0}))
    parent = insert(acme, flow="parent")
    drain()
    parent = reloaded(parent)
    assert (parent.error_code, parent.error_text) == (
        "no_flow",
        f"The flow child takes no data records: it is {state}.",
    )
    assert Record.objects.count() == 1


def test_a_paused_flow_takes_the_child_and_runs_it_later(acme: Tenant) -> None:
    flow = publish(acme, flow_of("child", mark={"type": "set", "set": {"a": 1}, "next": {"ok": "end"}}))
    flows.change_status(acme.caller, flow, "paused")
    publish(acme, running_flow())
    parent = insert(acme, flow="parent")
    drain()
    assert reloaded(parent).hold == Hold.WAITING
    flows.change_status(acme.caller, flow, "running")
    drain()
    assert reloaded(parent).status == Status.FINISHED


def test_flows_that_launch_themselves_come_to_an_end(acme: Tenant) -> None:
    flow = flows.create_flow(acme.caller, name="parent")
    document = running_flow("parent", retry={"max": 0}, next={"ok": "end", "error": "end"})
    flows.save_draft(acme.caller, flow, flows.format_source(document))
    flows.change_status(acme.caller, flow, "public")
    first = insert(acme, flow="parent")
    drain(60.0)
    assert list(Record.objects.order_by("id").values_list("depth", flat=True)) == list(range(MAX_DEPTH + 1))
    deepest = RecordStep.objects.get(record=Record.objects.get(depth=MAX_DEPTH), object="launch")
    assert deepest.error == {"code": "too_deep", "message": "More than 10 records launched one another."}
    assert reloaded(first).status == Status.FINISHED


def test_a_worker_that_dies_after_launching_launches_no_second_one(acme: Tenant) -> None:
    """The parent's checkpoint and the child are one commit: what follows is asked for again, the child is there."""
    parent, child = parent_and_child(acme, child={"hold": STOP})
    Record.objects.filter(pk=parent.pk).update(hold=0, status=0, entered_at=None)
    make_due(parent)
    drain()
    assert list(Record.objects.filter(parent=parent)) == [child]
    assert reloaded(parent).hold == Hold.WAITING


def test_another_record_with_the_uuid_of_a_removed_one_has_children_of_its_own(acme: Tenant) -> None:
    publish(acme, flow_of("child", hold=STOP))
    publish(acme, running_flow())
    insert(acme, flow="parent", uuid="r-1")
    drain()
    delete_record(acme.caller, "r-1")
    again = insert(acme, flow="parent", uuid="r-1")
    drain()
    assert Record.objects.filter(flow__name="child").count() == 2
    assert Record.objects.get(parent=again).uuid != Record.objects.get(parent=None, flow__name="child").uuid


@at_once
def test_many_children_that_end_at_once_wake_their_parents(acme: Tenant) -> None:
    publish(acme, flow_of("child", mark={"type": "set", "set": {"a": 1}, "next": {"ok": "end"}}))
    publish(acme, running_flow())
    parents = [insert(acme, flow="parent") for _ in range(30)]
    threads = [in_thread(lambda: drain(20.0)) for _ in range(3)]
    for thread in threads:
        thread.join()
    drain()
    assert {reloaded(parent).status for parent in parents} == {Status.FINISHED}
    assert Record.objects.count() == 60


@at_once
def test_taking_children_away_while_they_end_locks_nobody_out(acme: Tenant) -> None:
    publish(acme, flow_of("child", mark={"type": "set", "set": {"a": 1}, "next": {"ok": "end"}}))
    publish(acme, running_flow(next={"ok": "end", "error": "end"}))
    parents = [insert(acme, flow="parent") for _ in range(20)]
    stop = threading.Event()
    refused: list[Exception] = []

    def take_away() -> None:
        from apps.core.errors import FlowizeError

        while not stop.is_set():
            for uuid in Record.objects.filter(flow__name="child").values_list("uuid", flat=True):
                try:
                    change_queue(acme.caller, Act.DEQUEUE, [uuid])
                except FlowizeError as error:
                    refused.append(error)

    taker = in_thread(take_away)
    worker = in_thread(lambda: drain(20.0))
    worker.join()
    stop.set()
    taker.join()
    drain()
    assert {reloaded(parent).status for parent in parents} <= {Status.FINISHED, Status.HANDLED}


def moving_flow(target: str, **more: Any) -> dict[str, Any]:
    keep = {"type": "set", "set": {"from": "{{ system.flow }}"}, "next": {"ok": "leave"}}
    return flow_of("moving", keep=keep, leave={"type": "move", "flow": target} | more) | {}


def without_end(document: dict[str, Any]) -> dict[str, Any]:
    return document | {"objects": {name: item for name, item in document["objects"].items() if name != "end"}}


def test_a_record_moves_itself_to_another_flow(acme: Tenant) -> None:
    target = publish(
        acme, flow_of("target", mark={"type": "set", "set": {"at": "{{ system.flow }}"}, "next": {"ok": "end"}})
    )
    publish(acme, without_end(moving_flow("target")))
    record = insert(acme, flow="moving", uuid="r-1")
    drain()
    record = reloaded(record)
    assert (record.uuid, record.flow_id, record.flow_version_id) == ("r-1", target.pk, target.live_version_id)
    assert (record.status, record.run_no, record.seq) == (Status.FINISHED, 2, 3)
    assert record.content.data == ADULT | {"from": "moving", "at": "target"}
    assert (record.content.vars, record.content.state) == ({}, {"moves": 1})
    rows = RecordStep.objects.filter(record=record).values_list("run_no", "seq", "object", "port")
    assert list(rows) == [
        (1, 1, "start", "ok"),
        (1, 2, "keep", "ok"),
        (1, 3, "leave", ""),
        (2, 1, "start", "ok"),
        (2, 2, "mark", "ok"),
        (2, 3, "end", ""),
    ]
    assert Record.objects.count() == 1


def test_a_record_that_cannot_move_stays_where_it_is(acme: Tenant) -> None:
    target = publish(acme, flow_of("target", hold=STOP))
    publish(acme, without_end(moving_flow("target", retry={"max": 0})))
    flows.change_status(acme.caller, target, "inactive")
    record = insert(acme, flow="moving")
    drain()
    record = reloaded(record)
    assert (record.flow.name, record.run_no, record.at, record.error_code) == ("moving", 1, "leave", "no_flow")
    flows.change_status(acme.caller, target, "public")
    change_queue(acme.caller, Act.CONTINUE, [record.uuid])
    drain()
    assert reloaded(record).flow.name == "target"


def test_the_error_port_of_a_move(acme: Tenant) -> None:
    target = publish(acme, flow_of("target", hold=STOP))
    publish(acme, moving_flow("target", retry={"max": 0}, next={"error": "end"}))
    flows.change_status(acme.caller, target, "inactive")
    record = insert(acme, flow="moving")
    drain()
    assert reloaded(record).status == Status.HANDLED


def test_flows_that_send_a_record_round_and_round_are_stopped(acme: Tenant, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("apps.flows.engine.objects.MAX_MOVES", 5)
    flow = flows.create_flow(acme.caller, name="moving")
    flows.save_draft(acme.caller, flow, flows.format_source(without_end(moving_flow("moving"))))
    flows.change_status(acme.caller, flow, "public")
    record = insert(acme, flow="moving")
    drain(60.0)
    record = reloaded(record)
    assert (record.status, record.error_code, record.run_no) == (Status.FAILED, "loop_guard", 6)
    change_queue(acme.caller, Act.CONTINUE, [record.uuid])
    assert reloaded(record).content.state == {}


def test_a_move_takes_on_the_version_of_that_moment(acme: Tenant, sink: Sink) -> None:
    target = publish(acme, calling_flow(sink.url))
    publish(acme, without_end(moving_flow("calling")))
    record = insert(acme, flow="moving")
    changed = target.live_version.document
    changed["objects"]["note"]["set"] = {"new": True}
    flows.save_draft(acme.caller, target, flows.format_source(changed))
    flows.change_status(acme.caller, target, "public")
    drain()
    assert reloaded(record).content.data["new"] is True
    assert sink.keys == [f"{record.uuid}:2:2"]
