"""Drafts rehearsed with records that have run: nothing is called or written, and the journal answers."""

import copy
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from apps.accounts.models import Role
from apps.applications.members import member_caller
from apps.core.errors import BadRequest
from apps.flows import services as flows
from apps.flows.engine.playing import Rest
from apps.flows.models import FlowVersion
from apps.records.execution import drain
from apps.records.life_cycle import Act
from apps.records.models import Record, RecordData, RecordStep
from apps.records.queueing import change_queue
from apps.records.rehearsal import Rehearsal, Verdict, rehearse_records, rehearse_sample
from apps.triggers.services import receive
from apps.webhooks.receivers import Receiver
from apps.webhooks.services import register_webhook
from tests.conftest import STRAIGHT_FLOW, Tenant, publish
from tests.records.conftest import Answer, Sink, calling_flow, flow_of, insert, make_due

pytestmark = pytest.mark.django_db(transaction=True)


def draft(tenant: Tenant, flow: Any, document: dict[str, Any]) -> FlowVersion:
    return flows.save_draft(tenant.caller, flow, flows.format_source(document))


def rehearse(tenant: Tenant, flow: Any, document: dict[str, Any], last: int = 10) -> list[Rehearsal]:
    return rehearse_records(tenant.caller, flow, draft(tenant, flow, document), last)


def stricter() -> dict[str, Any]:
    document = copy.deepcopy(STRAIGHT_FLOW)
    document["objects"]["adult"]["rules"][0]["when"] = "client.age >= 21"
    return document


def branching(url: str, when: str) -> dict[str, Any]:
    document = calling_flow(url)
    document["objects"]["note"]["next"] = {"ok": "big"}
    document["objects"]["big"] = {
        "type": "decision",
        "rules": [{"port": "yes", "when": when}],
        "next": {"yes": "mark", "else": "end"},
    }
    document["objects"]["mark"] = {"type": "set", "set": {"big": True}, "next": {"ok": "end"}}
    return document


def everything() -> list[Any]:
    return [list(model.objects.order_by("pk").values_list()) for model in (Record, RecordData, RecordStep)]


def test_it_shows_whose_path_would_change_and_where(acme: Tenant) -> None:
    for age in (17, 20, 30):
        insert(acme, {"client": {"age": age}})
    drain()
    before = everything()
    results = rehearse(acme, acme.flow, stricter())
    assert [result.verdict for result in results] == [Verdict.SAME, Verdict.DIFFERENT, Verdict.SAME]
    changed = results[1]
    assert changed.before == (("start", "ok"), ("adult", "yes"), ("accept", "ok"), ("end", ""))
    assert changed.after == (("start", "ok"), ("adult", "else"), ("refer", "ok"), ("end", ""))
    assert (changed.parts_at, changed.rest) == (1, Rest.FINISHED)
    assert changed.data == {"client": {"age": 20}, "result": "referred"}
    assert everything() == before


def test_it_begins_with_the_document_as_it_came(acme: Tenant) -> None:
    document = flow_of("growing", more={"type": "set", "set": {"n": "{{ n + 1 }}"}, "next": {"ok": "end"}})
    flow = publish(acme, document)
    record = insert(acme, {"n": 1}, flow="growing")
    drain()
    record.refresh_from_db()
    assert (record.content.data, record.content.input) == ({"n": 2}, {"n": 1})
    (result,) = rehearse(acme, flow, document)
    assert (result.verdict, result.data) == (Verdict.SAME, {"n": 2})


def test_a_document_that_the_flow_leaves_alone_is_kept_once(acme: Tenant) -> None:
    publish(acme, flow_of("short", pause={"type": "wait", "for": "P1D", "next": {"ok": "end"}}))
    record = insert(acme, {"n": 1}, flow="short")
    drain()
    record.refresh_from_db()
    assert record.content.input is None


def test_calls_are_answered_from_the_journal(acme: Tenant, sink: Sink) -> None:
    flow = publish(acme, branching(sink.url, "lead > 10"))
    sink.answers = {1: Answer(body=b'{"id": 7}'), 2: Answer(body=b'{"id": 8}')}
    for _ in range(2):
        insert(acme, flow="calling")
        drain()
    results = rehearse(acme, flow, branching(sink.url, "lead == 8"))
    assert [(result.verdict, result.data["lead"]) for result in results] == [
        (Verdict.DIFFERENT, 8),
        (Verdict.SAME, 7),
    ]
    assert len(sink.received) == 2


def test_a_draft_may_use_an_answer_otherwise(acme: Tenant, sink: Sink) -> None:
    flow = publish(acme, calling_flow(sink.url))
    insert(acme, flow="calling")
    drain()
    document = calling_flow(sink.url)
    document["objects"]["tell"]["with"]["write"] = {"twice": "answer.body.id * 2"}
    (result,) = rehearse(acme, flow, document)
    assert (result.verdict, result.data["twice"], result.data["lead"]) == (Verdict.SAME, 14, 7)


def test_events_and_launched_records_are_met_again(acme: Tenant) -> None:
    webhook = register_webhook(acme.workspace, name="payments", identifier_path="id", status_path="status").webhook
    listen = {
        "type": "webhook", "webhook": "payments", "identifier": "{{ id }}", "ports": {"paid": "paid"},
        "save_to": "payment", "next": {"paid": "child", "else": "end"},
    }  # fmt: skip
    child = {"type": "run", "flow": "intake", "input": {"client": {"age": 30}}, "wait": True, "next": {"ok": "end"}}
    document = flow_of("listening", paid=listen, child=child)
    flow = publish(acme, document)
    insert(acme, {"id": 7}, flow="listening")
    drain()
    receive(Receiver.of(webhook), {"id": 7, "status": "paid"}, address="127.0.0.1")
    for _ in range(3):
        drain()
    (result,) = rehearse(acme, flow, document)
    expected = (("start", "ok"), ("paid", "paid"), ("child", "ok"), ("end", ""))
    assert (result.verdict, result.before, result.after) == (Verdict.SAME, expected, expected)


def test_a_record_that_was_not_waited_for_tells_nothing_of_itself(acme: Tenant) -> None:
    begin = {"type": "run", "flow": "intake", "save_to": "begun", "next": {"ok": "known"}}
    rules = [{"port": "yes", "when": "vars.begun.data != null or vars.begun.status != 0"}]
    known = {"type": "decision", "rules": rules, "next": {"yes": "start_again", "else": "end"}}
    document = flow_of("launching", begin=begin, known=known, start_again={"type": "stop", "next": {"resume": "end"}})
    flow = publish(acme, document)
    insert(acme, flow="launching")
    drain()
    drain()
    (result,) = rehearse(acme, flow, document)
    expected = (("start", "ok"), ("begin", "ok"), ("known", "else"), ("end", ""))
    assert (result.verdict, result.before, result.after) == (Verdict.SAME, expected, expected)


def test_what_a_flow_takes_from_an_answer_is_taken_from_the_journal_s(acme: Tenant, sink: Sink) -> None:
    document = branching(sink.url, "vars.lead > 5 and client.lead == 7")
    config = document["objects"]["tell"]["with"]
    del config["save_to"]
    config |= {"map": {"lead": "answer.body.id"}, "write": {"client.lead": "answer.body.id"}}
    document["objects"]["note"]["set"] = {"lead": "{{ vars.lead }}"}
    flow = publish(acme, document)
    insert(acme, flow="calling")
    drain()
    (result,) = rehearse(acme, flow, document)
    assert (result.verdict, result.data) == (
        Verdict.SAME,
        {"client": {"age": 30, "lead": 7}, "lead": 7, "big": True},
    )
    assert len(sink.received) == 1


def test_answers_too_long_for_the_journal_come_from_what_the_flow_saved(acme: Tenant, sink: Sink) -> None:
    sink.answer = Answer(body=b'{"id": 7, "text": "' + b"x" * 20_000 + b'"}')
    flow = publish(acme, branching(sink.url, "lead == 7"))
    insert(acme, flow="calling")
    drain()
    (result,) = rehearse(acme, flow, branching(sink.url, "lead == 7"))
    assert (result.verdict, result.data["lead"]) == (Verdict.SAME, 7)


def test_failed_attempts_are_lived_through_again(acme: Tenant, sink: Sink) -> None:
    acme.project.retries = 2
    acme.project.save()
    document = calling_flow(sink.url, retry={"max": 2, "delay": "1s"})
    flow = publish(acme, document)
    sink.answers = {1: Answer(status=503), 2: Answer(status=503)}
    record = insert(acme, flow="calling")
    for _ in range(3):
        drain()
        make_due(record)
    (result,) = rehearse(acme, flow, document)
    assert (result.verdict, result.rest) == (Verdict.SAME, Rest.FINISHED)
    (result,) = rehearse(acme, flow, calling_flow(sink.url, retry={"max": 1, "delay": "1s"}))
    assert (result.verdict, result.rest, result.error and result.error["code"]) == (
        Verdict.DIFFERENT,
        Rest.FAILED,
        "http.503",
    )
    assert len(sink.received) == 3


def test_a_call_that_the_record_never_made_is_not_guessed(acme: Tenant, sink: Sink) -> None:
    flow = publish(acme, calling_flow(sink.url))
    insert(acme, flow="calling")
    drain()
    document = calling_flow(sink.url)
    ask = {"type": "app", "app": "core.http", "with": {"method": "GET", "url": sink.url}, "next": {"ok": "end"}}
    document["objects"]["ask"] = ask
    document["objects"]["note"]["next"] = {"ok": "ask"}
    (result,) = rehearse(acme, flow, document)
    assert (result.verdict, result.asks, result.after[-1]) == (Verdict.DIFFERENT, "ask", ("note", "ok"))


def test_an_answer_that_was_not_kept_leaves_the_path_unknown(acme: Tenant, sink: Sink) -> None:
    sink.answer = Answer(body=b'{"text": "' + b"x" * 20_000 + b'"}')
    tell = {"type": "app", "app": "core.http", "with": {"method": "GET", "url": sink.url}, "next": {"ok": "end"}}
    document = flow_of("asking", tell=tell)
    flow = publish(acme, document)
    insert(acme, flow="asking")
    drain()
    (result,) = rehearse(acme, flow, document)
    assert (result.verdict, result.asks, result.parts_at) == (Verdict.UNKNOWN, "tell", 1)


def test_a_person_lets_it_go_on_as_they_did(acme: Tenant) -> None:
    document = flow_of("held", hold={"type": "stop", "timeout": "P1D", "next": {"resume": "end", "timeout": "late"}})
    document["objects"]["late"] = {"type": "set", "set": {"late": True}, "next": {"ok": "end"}}
    flow = publish(acme, document)
    resumed, waiting = insert(acme, flow="held"), insert(acme, flow="held")
    drain()
    change_queue(acme.caller, Act.EXECUTE, [resumed.uuid])
    drain()
    results = {result.uuid: result for result in rehearse(acme, flow, document)}
    assert results[resumed.uuid].verdict is Verdict.SAME
    assert results[resumed.uuid].after == (("start", "ok"), ("hold", "resume"), ("end", ""))
    # The one that still waits would be let go by its timeout; so far its path is the same.
    assert results[waiting.uuid].verdict is Verdict.SAME


def test_a_record_that_waits_has_the_same_path_so_far(acme: Tenant) -> None:
    document = flow_of("short", pause={"type": "wait", "for": "P1D", "next": {"ok": "end"}})
    flow = publish(acme, document)
    insert(acme, flow="short")
    drain()
    (result,) = rehearse(acme, flow, document)
    assert (result.verdict, result.before, result.after[-1]) == (Verdict.SAME, (("start", "ok"),), ("end", ""))


def test_records_that_have_not_run_and_those_of_other_flows_are_left_out(acme: Tenant) -> None:
    other = publish(acme, flow_of("other", note={"type": "set", "set": {"x": 1}, "next": {"ok": "end"}}))
    insert(acme, flow="other")
    insert(acme, execute_at=timezone.now() + timedelta(hours=1))
    drain()
    assert rehearse(acme, acme.flow, stricter()) == []
    assert len(rehearse(acme, other, stricter())) == 1


def test_only_as_many_as_were_asked_for_the_newest_first(acme: Tenant) -> None:
    records = [insert(acme) for _ in range(3)]
    drain()
    assert [result.uuid for result in rehearse(acme, acme.flow, stricter(), last=2)] == [
        records[2].uuid,
        records[1].uuid,
    ]
    assert rehearse(acme, acme.flow, stricter(), last=0) == []


def test_a_sample_takes_its_course_in_memory(acme: Tenant) -> None:
    version = draft(acme, acme.flow, stricter())
    result = rehearse_sample(acme.caller, version, {"client": {"age": 20}})
    assert (result.verdict, result.rest, result.data["result"]) == (Verdict.SAME, Rest.FINISHED, "referred")
    assert Record.objects.count() == 0
    with pytest.raises(BadRequest, match="A data record is an object"):
        rehearse_sample(acme.caller, version, [1])


def test_a_flow_with_problems_is_not_rehearsed(acme: Tenant) -> None:
    version = draft(acme, acme.flow, {"format": "flow/1", "start": "start", "objects": {"start": {"type": "start"}}})
    with pytest.raises(BadRequest) as caught:
        rehearse_records(acme.caller, acme.flow, version, 5)
    assert caught.value.details
    with pytest.raises(BadRequest):
        rehearse_sample(acme.caller, version, {})


def test_a_viewer_may_rehearse_and_sees_only_the_own_workspace(acme: Tenant, rival: Tenant) -> None:
    insert(rival)
    drain()
    viewer = member_caller(acme.workspace, Role.VIEWER, "127.0.0.1")
    version = draft(acme, acme.flow, stricter())
    assert rehearse_records(viewer, acme.flow, version, 5) == []
    assert rehearse_records(viewer, rival.flow, version, 5) == []


def test_a_record_that_was_moved_is_rehearsed_from_its_last_start(acme: Tenant) -> None:
    from apps.records.moving import move_records

    flow = publish(acme, flow_of("other", note={"type": "set", "set": {"x": 1}, "next": {"ok": "end"}}))
    record = insert(acme)
    drain()
    move_records(acme.caller, "other", [record.uuid])
    drain()
    (result,) = rehearse(acme, flow, flow_of("other", note={"type": "set", "set": {"x": 2}, "next": {"ok": "end"}}))
    assert result.verdict is Verdict.SAME
    assert result.before == (("start", "ok"), ("note", "ok"), ("end", ""))
    assert result.data == {"client": {"age": 30}, "result": "accepted", "x": 2}
