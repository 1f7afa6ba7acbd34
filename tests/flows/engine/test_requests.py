"""What the walker asks its host for, and what it makes of the answers."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from apps.flows.engine.outcomes import Request
from apps.flows.engine.program import compile_program
from apps.flows.engine.walk import (
    AppError,
    AppResult,
    Call,
    Child,
    Event,
    Failed,
    Finished,
    Held,
    Host,
    Launch,
    Listen,
    Move,
    Moved,
    Retry,
    Token,
    Waiting,
    advance,
    complete,
    note_intent,
)

MakeHost = Callable[..., Host]
Flow = Callable[..., dict[str, Any]]

HEAR = {
    "type": "webhook",
    "webhook": "payments",
    "identifier": "{{ order }}",
    "ports": {"PAID": "paid"},
    "save_to": "payment",
    "next": {"paid": "end", "else": "end"},
}
RUN = {"type": "run", "flow": "child", "wait": True, "save_to": "run", "next": {"ok": "end"}}
MOVE = {"type": "move", "flow": "other"}
GET = {"type": "app", "app": "core.http", "with": {"method": "GET", "url": "https://x.example"}, "next": {"ok": "end"}}


def token(**fields: Any) -> Token:
    return Token(uuid="u1", flow_name="case", run_no=1, data={"order": "A-1"}, **fields)


def asked(document: dict[str, Any], record: Token, host: Host) -> Any:
    outcome, _ = advance(compile_program(document), record, host)
    assert isinstance(outcome, Request), outcome
    return outcome


def test_a_webhook_object_asks_for_an_event(flow: Flow, make_host: MakeHost, clock: Any) -> None:
    record, host = token(), make_host()
    listen = asked(flow(hear=HEAR), record, host)
    assert listen == Listen("hear", clock.now(), clock.monotonic(), "payments", "A-1", None)
    program = compile_program(flow(hear=HEAR))
    outcome, (step, _) = complete(program, record, listen, Event("e1", "PAID", {"n": 1}), host)
    assert outcome == Finished(handled=False)
    assert (step.seq, step.object, step.port, step.output) == (2, "hear", "paid", {"event": "e1", "status": "PAID"})
    assert record.vars == {"payment": {"n": 1}}


@pytest.mark.parametrize(("since", "before"), [("now", "0s"), ("P1D", "1d")])
def test_how_far_back_events_count_is_counted_from_the_entry(
    flow: Flow, make_host: MakeHost, clock: Any, since: str, before: str
) -> None:
    record, host = token(), make_host()
    document = flow(hear=HEAR | {"since": since})
    listen = asked(document, record, host)
    entered = clock.now()
    complete(compile_program(document), record, listen, None, host)
    clock.move(timedelta(hours=5))
    again = asked(document, record, host)
    assert again.since == listen.since == entered - (timedelta(days=1) if before == "1d" else timedelta(0))


def test_without_an_event_the_record_is_held_until_its_timeout(flow: Flow, make_host: MakeHost, clock: Any) -> None:
    document = flow(hear=HEAR | {"timeout": "PT1H", "next": HEAR["next"] | {"timeout": "end"}})
    program, record, host = compile_program(document), token(), make_host()
    until = clock.now() + timedelta(hours=1)
    assert complete(program, record, asked(document, record, host), None, host) == (Held(until), [])
    assert (record.at, record.entered_at, record.changed) == ("hear", clock.now(), False)
    clock.move(timedelta(minutes=59))
    assert complete(program, record, asked(document, record, host), None, host) == (Held(until), [])
    clock.move(timedelta(minutes=1))
    outcome, steps = complete(program, record, asked(document, record, host), None, host)
    assert outcome == Finished(handled=False)
    assert [(step.object, step.port, step.ms) for step in steps] == [("hear", "timeout", 3_600_000), ("end", "", 0)]


def test_a_payload_that_cannot_be_kept_is_an_error(flow: Flow, make_host: MakeHost) -> None:
    document, record, host = flow(hear=HEAR), token(), make_host()
    event = Event("e1", "PAID", {"n": float("inf")})
    outcome, _ = complete(compile_program(document), record, asked(document, record, host), event, host)
    assert isinstance(outcome, Failed)
    assert outcome.error["code"] == "output"


def test_a_run_asks_for_a_record_with_one_key(flow: Flow, make_host: MakeHost, clock: Any) -> None:
    document, record, host = flow(launch=RUN), token(), make_host()
    program = compile_program(document)
    launch = asked(document, record, host)
    assert launch == Launch("launch", clock.now(), clock.monotonic(), "child", {"order": "A-1"}, True, "u1:1:2:1")
    assert complete(program, record, launch, None, host) == (Held(None), [])
    again = asked(document, record, host)
    assert (again.key, again.input) == (launch.key, None)
    outcome, steps = complete(program, record, again, Child("c1", 2, {"done": True}), host)
    assert (outcome, steps[0].port) == (Finished(handled=False), "ok")
    assert record.vars == {"run": {"status": 2, "uuid": "c1", "data": {"done": True}, "error": None}}


def test_the_next_attempt_asks_for_another_record(flow: Flow, make_host: MakeHost) -> None:
    document = flow(launch=RUN | {"retry": {"max": 1, "delay": "1m"}})
    record, host = token(), make_host()
    program = compile_program(document)
    launch = asked(document, record, host)
    complete(program, record, launch, None, host)
    error = {"object": "x", "code": "http.500", "message": "It answered 500."}
    outcome, _ = complete(program, record, asked(document, record, host), Child("c1", 3, {}, error, "run_failed"), host)
    assert isinstance(outcome, Retry)
    assert outcome.error == {
        "code": "run_failed",
        "message": "The record c1 came to a bad end: http.500: It answered 500.",
    }
    again = asked(document, record, host)
    assert (again.key, again.input) == ("u1:1:2:2", {"order": "A-1"})


def test_a_move_begins_anew_with_nothing_but_the_data(flow: Flow, make_host: MakeHost, clock: Any) -> None:
    document = flow(leave=MOVE)
    del document["objects"]["end"]
    record, host = token(vars={"a": 1}, state={"moves": 4, "handled": True}), make_host()
    move = asked(document, record, host)
    assert move == Move("leave", clock.now(), clock.monotonic(), "other")
    outcome, (step,) = complete(compile_program(document), record, move, AppResult(""), host)
    assert outcome == Moved("other")
    assert (step.seq, step.object, step.port, step.output) == (2, "leave", "", {"flow": "other"})
    assert (record.vars, record.state, record.changed, record.seq) == ({}, {"moves": 5}, True, 2)


def test_an_answer_of_another_kind_is_a_defect(flow: Flow, make_host: MakeHost) -> None:
    record, host = token(), make_host()
    call = asked(flow(get=GET), record, host)
    with pytest.raises(TypeError, match="Event is no answer to an object of type 'app'"):
        complete(compile_program(flow(get=GET)), record, call, Event("e", "", {}), host)


def test_a_call_that_was_begun_and_not_answered_has_crashed(flow: Flow, make_host: MakeHost) -> None:
    document = flow(get=GET | {"on_crash": "fail", "retry": {"max": 9}})
    record, host = token(), make_host()
    call = asked(document, record, host)
    assert isinstance(call, Call)
    assert call.once
    note_intent(record)
    crashed = replace(record)
    outcome, (step,) = advance(compile_program(document), crashed, host)
    assert isinstance(outcome, Failed)
    assert (outcome.error["code"], step.seq, crashed.state) == ("crashed", 2, {})
    outcome, _ = complete(compile_program(document), record, call, AppResult("ok"), host)
    assert (outcome, record.state) == (Finished(handled=False), {})


def test_a_run_that_is_too_old_fails_wherever_it_is(flow: Flow, make_host: MakeHost, clock: Any) -> None:
    pause = {"type": "wait", "for": "P9D", "next": {"ok": "end"}}
    document = flow(pause=pause, limits={"expires": "P1D"}, on_error="end")
    program, record, host = compile_program(document), token(began=clock.now()), make_host()
    outcome, _ = advance(program, record, host)
    assert outcome == Waiting(clock.now() + timedelta(days=1))
    clock.move(timedelta(days=1))
    outcome, (step,) = advance(program, record, host)
    assert outcome == Failed({"code": "expired", "message": "The run has taken longer than the flow allows."})
    assert (step.object, step.port, step.ms) == ("pause", "", 86_400_000)


def test_a_run_without_a_limit_never_expires(flow: Flow, make_host: MakeHost, clock: Any) -> None:
    record = token(began=clock.now() - timedelta(days=9999))
    assert advance(compile_program(flow()), record, make_host())[0] == Finished(handled=False)


def test_keystores_and_static_data_are_read_once_in_a_walk(flow: Flow, make_host: MakeHost) -> None:
    reads: list[Any] = []
    host = replace(
        make_host(),
        keystore=lambda store, key: reads.append((store, key)) or {"endpoint": f"{store}/{key}", "n": 1},
        static=lambda: reads.append("static") or {"vat": 21},
    )
    use = {
        "type": "set",
        "set": {
            "url": "{{ keystore.crm.main.endpoint }}",
            "own": "{{ keystore.crm[order].endpoint }}",
            "vat": "{{ static.vat }}",
            "text": "@static.vat@ @keystore.crm.main.n@ @static.none@",
        },
        "next": {"ok": "second"},
    }
    second = {
        "type": "decision",
        "rules": [{"port": "yes", "when": "keystore.crm.main.n == 1 and static.vat == 21"}],
        "next": {"yes": "again", "else": "end"},
    }
    again = {"type": "set", "set": {"yes": True}, "next": {"ok": "end"}}
    record = token()
    advance(compile_program(flow(use=use, second=second, again=again)), record, host)
    assert record.data == {
        "order": "A-1",
        "url": "crm/main",
        "own": "crm/A-1",
        "vat": 21,
        "text": "21 1 ",
        "yes": True,
    }
    assert sorted(map(str, reads)) == ["('crm', 'A-1')", "('crm', 'main')", "static"]


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("{{ keystore.big.key }}", "set/a: what is read is larger than 1,000,000 characters (character 4)"),
        (
            [f"{{{{ keystore.many.k{number} }}}}" for number in range(101)],
            "set/a/100: more than 100 keys of keystores are read in one walk (character 4)",
        ),
    ],
)
def test_what_is_read_is_bounded(flow: Flow, make_host: MakeHost, value: Any, message: str) -> None:
    host = replace(make_host(), keystore=lambda store, key: "x" * 1_000_001 if store == "big" else 1)
    use = {"type": "set", "set": {"a": value}, "next": {"ok": "end"}}
    outcome, _ = advance(compile_program(flow(use=use)), token(), host)
    assert outcome == Failed({"code": "template", "message": message})


def test_an_error_answer_takes_the_usual_way(flow: Flow, make_host: MakeHost) -> None:
    for item in (HEAR, RUN, MOVE):
        document = flow(first=item | {"next": item.get("next", {}) | {"error": "end"}})
        record, host = token(), make_host()
        request = asked(document, record, host)
        outcome, _ = complete(compile_program(document), record, request, AppError("no_flow", "None."), host)
        assert outcome == Finished(handled=True)
