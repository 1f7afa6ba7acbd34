import copy
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from apps.flows.engine.apps import is_expected
from apps.flows.engine.program import Program, compile_program
from apps.flows.engine.walk import (
    AppError,
    AppResult,
    Call,
    Failed,
    Finished,
    Host,
    Retry,
    Stopped,
    Token,
    Waiting,
    advance,
    complete,
)

Flow = Callable[..., dict[str, Any]]
MakeHost = Callable[..., Host]
EIGHT = datetime(2026, 5, 1, 8, 0, tzinfo=UTC)
GET = {
    "type": "app",
    "app": "core.http",
    "with": {"method": "GET", "url": "http://x.example.com"},
    "next": {"ok": "end"},
}


def token(**fields: Any) -> Token:
    return Token(uuid="u1", flow_name="lead", run_no=3, **fields)


def set_program(flow: Flow, /, **values: Any) -> Program:
    return compile_program(flow(mark={"type": "set", "text": "Mark", "set": values, "next": {"ok": "end"}}))


def called(program: Program, record: Token, host: Host) -> Call:
    outcome, _ = advance(program, record, host)
    assert isinstance(outcome, Call)
    return outcome


def test_a_step_tells_what_was_done(flow: Flow, make_host: MakeHost) -> None:
    _, steps = advance(set_program(flow, **{"a.b": "{{ 1 + 1 }}"}), token(), make_host())
    step = steps[1]
    assert (step.seq, step.attempt, step.object, step.type, step.text, step.port) == (2, 1, "mark", "set", "Mark", "ok")
    assert (step.started_at, step.ms, step.error, step.output) == (EIGHT, 0, None, {"set": {"a.b": 2}})


def test_a_step_of_an_app_lasts_from_the_call_to_its_answer(flow: Flow, make_host: MakeHost, clock: Any) -> None:
    program, record, host = compile_program(flow(crm=GET)), token(), make_host()
    call = called(program, record, host)
    clock.move(timedelta(milliseconds=1234))
    _, steps = complete(program, record, call, AppResult("ok", {"status": 200}), host)
    assert (steps[0].started_at, steps[0].ms, steps[0].output) == (EIGHT, 1234, {"status": 200})
    assert (steps[1].started_at, steps[1].ms) == (EIGHT + timedelta(milliseconds=1234), 0)


def test_a_step_of_a_wait_lasts_as_long_as_the_wait(flow: Flow, make_host: MakeHost, clock: Any) -> None:
    program = compile_program(flow(pause={"type": "wait", "for": "1h", "next": {"ok": "end"}}))
    record, host = token(), make_host()
    assert advance(program, record, host)[0] == Waiting(EIGHT + timedelta(hours=1))
    assert (record.at, record.seq, record.entered_at) == ("pause", 1, EIGHT)
    clock.move(timedelta(hours=2))
    outcome, steps = advance(program, record, host)
    assert outcome == Finished(handled=False)
    assert (steps[0].object, steps[0].started_at, steps[0].ms) == ("pause", EIGHT, 7_200_000)
    assert (record.at, record.seq, record.entered_at) == ("end", 3, None)


def test_an_output_over_eight_kilobytes_is_cut(flow: Flow, make_host: MakeHost) -> None:
    text = "é" * 5000
    _, steps = advance(set_program(flow, a=text), token(), make_host())
    preview = f'{{"set":{{"a":"{text}'[:2000]
    assert steps[1].output == {"truncated": True, "size": 10_016, "preview": preview}


def test_an_output_of_eight_kilobytes_is_kept(flow: Flow, make_host: MakeHost) -> None:
    text = "x" * (8192 - 16)
    _, steps = advance(set_program(flow, a=text), token(), make_host())
    assert steps[1].output == {"set": {"a": text}}


def test_a_record_that_was_only_routed_is_not_changed(flow: Flow, make_host: MakeHost) -> None:
    rules = [{"port": "yes", "when": "a"}]
    program = compile_program(flow(ask={"type": "decision", "rules": rules, "next": {"yes": "hold", "else": "end"}},
                                   hold={"type": "stop", "next": {"resume": "end"}}))  # fmt: skip
    record = token(data={"a": 1})
    assert advance(program, record, make_host())[0] == Stopped(None)
    assert record.changed is False


def test_changed_data_vars_and_state_are_told(flow: Flow, make_host: MakeHost) -> None:
    record = token()
    advance(set_program(flow, a=1), record, make_host())
    assert record.changed is True

    program, record, host = compile_program(flow(crm=GET)), token(), make_host()
    call = called(program, record, host)
    assert record.changed is False
    complete(program, record, call, AppResult("ok", save={"crm": 1}), host)
    assert (record.changed, record.vars) == (True, {"crm": 1})

    program = compile_program(flow(crm={**GET, "next": {"ok": "end", "error": "end"}}))
    record = token()
    complete(program, record, called(program, record, host), AppError("timeout", "late"), host)
    assert (record.changed, record.state["handled"]) == (True, True)


def test_what_was_loaded_is_never_changed_in_place(flow: Flow, make_host: MakeHost) -> None:
    data, variables, state = {"a": {"b": 1}}, {"x": {"y": 1}}, {"executions": {}}
    before = copy.deepcopy([data, variables, state])
    program = compile_program(
        flow(
            mark={"type": "set", "set": {"a.b": 2, "a.x": "{{ vars.x }}", "a.x.y": 3}, "next": {"ok": "crm"}},
            crm={**GET, "next": {"ok": "pause"}},
            pause={"type": "wait", "for": "1m", "next": {"ok": "mark"}},
        )
    )
    record, host = token(data=data, vars=variables, state=state), make_host()
    complete(program, record, called(program, record, host), AppResult("ok", save={"n": 1}), host)
    assert [data, variables, state] == before
    assert record.data == {"a": {"b": 2, "x": {"y": 3}}}
    assert record.state == {"executions": {"mark": 1, "crm": 1, "pause": 1}}


def test_an_internal_app_may_hand_back_new_data(flow: Flow, make_host: MakeHost) -> None:
    program, record, host = compile_program(flow(crm=GET)), token(data={"a": 1}), make_host()
    complete(program, record, called(program, record, host), AppResult("ok", data={"a": 2}), host)
    assert (record.data, record.changed) == ({"a": 2}, True)


def test_the_roots_of_expressions(flow: Flow, make_host: MakeHost) -> None:
    program = set_program(
        flow,
        own="{{ client }}",
        whole="{{ record.system }}",
        saved="{{ vars.x }}",
        now="{{ system.now }}",
        uuid="{{ system.uuid }}",
        flow="{{ system.flow }}",
        error="{{ system.error }}",
    )
    record = token(data={"client": 1, "system": "hidden", "vars": "hidden"}, vars={"x": 2})
    advance(program, record, make_host())
    assert record.data == {
        "client": 1,
        "system": "hidden",
        "vars": "hidden",
        "own": 1,
        "whole": "hidden",
        "saved": 2,
        "now": "2026-05-01T08:00:00+00:00",
        "uuid": "u1",
        "flow": "lead",
        "error": None,
    }


def test_a_record_that_is_no_object_is_read_by_its_root(flow: Flow, make_host: MakeHost) -> None:
    rules = [{"port": "two", "when": "record[1] == 2 and missing == null"}]
    program = compile_program(flow(ask={"type": "decision", "rules": rules, "next": {"two": "end", "else": "end"}}))
    _, steps = advance(program, token(data=[1, 2]), make_host())
    assert steps[1].port == "two"


def test_the_key_of_a_call_names_record_run_and_step(flow: Flow, make_host: MakeHost) -> None:
    program, host = compile_program(flow(crm={**GET, "retry": {"max": 1}})), make_host()
    record = token()
    first = called(program, record, host)
    assert first.idempotency_key == "u1:3:2"
    # A worker that died: the record is as it was before, and the call comes out the same.
    assert called(program, token(), host).idempotency_key == "u1:3:2"
    complete(program, record, first, AppError("timeout", "late"), host)
    assert (record.at, record.seq, record.attempt) == ("crm", 1, 2)
    assert called(program, record, host).idempotency_key == "u1:3:2"


def test_a_failed_record_stays_at_its_object_and_goes_on_as_a_new_step(flow: Flow, make_host: MakeHost) -> None:
    program, host, record = compile_program(flow(crm=GET)), make_host(), token()
    outcome, steps = complete(program, record, called(program, record, host), AppError("http.500", "x" * 900), host)
    assert outcome == Failed({"code": "http.500", "message": "x" * 500})
    assert (steps[0].port, steps[0].error) == ("", {"code": "http.500", "message": "x" * 500})
    assert (record.at, record.seq) == ("crm", 2)
    assert called(program, record, host).idempotency_key == "u1:3:3"


def test_jitter_is_the_chance_of_the_host(flow: Flow, make_host: MakeHost) -> None:
    program = compile_program(flow(crm={**GET, "retry": {"max": 1, "delay": "10s", "jitter": True}}))
    record, host = token(), make_host(random=0.2)
    outcome, _ = complete(program, record, called(program, record, host), AppError("timeout", "late"), host)
    assert outcome == Retry(EIGHT + timedelta(seconds=6), {"code": "timeout", "message": "late"})


@pytest.mark.parametrize(
    ("result", "code", "message"),
    [
        (AppResult("maybe"), "app", "The app answered the port 'maybe', which is not connected."),
        (AppResult("error"), "app", "The app answered the port 'error', which is not connected."),
        (
            AppResult("ok", float("nan")),
            "output",
            "The app answered something that cannot be kept: a number that is not finite.",
        ),
        (
            AppResult("ok", save={"a": "\0"}),
            "output",
            "The app answered something that cannot be kept: a NUL character.",
        ),
        (
            AppResult("ok", data={1, 2}),
            "output",
            "The app answered something that cannot be kept: a value of type set.",
        ),
        (
            AppResult("ok", "x" * 10_000_001),
            "output",
            "The app answered something that cannot be kept: larger than 10,000,000 characters.",
        ),
    ],
)
def test_an_answer_that_cannot_be_used_is_an_error_of_the_app(
    flow: Flow, make_host: MakeHost, result: AppResult, code: str, message: str
) -> None:
    program, host, record = compile_program(flow(crm=GET)), make_host(), token(data={"a": 1})
    outcome, _ = complete(program, record, called(program, record, host), result, host)
    assert outcome == Failed({"code": code, "message": message})
    assert (record.data, record.vars, record.changed) == ({"a": 1}, {}, False)


def test_an_answer_for_another_object_is_refused(flow: Flow, make_host: MakeHost) -> None:
    program, host, record = compile_program(flow(crm=GET)), make_host(), token()
    call = called(program, record, host)
    record.at = "end"
    with pytest.raises(ValueError, match="the token stands at 'end', the request was for 'crm'"):
        complete(program, record, call, AppResult("ok"), host)


def test_a_record_at_an_object_the_flow_does_not_have_fails(flow: Flow, make_host: MakeHost) -> None:
    outcome, steps = advance(compile_program(flow()), token(at="gone"), make_host())
    assert outcome == Failed({"code": "unknown_object", "message": "The flow has no object 'gone'."})
    assert steps == []


def test_what_one_walk_writes_is_bounded(flow: Flow, make_host: MakeHost) -> None:
    text = "x" * 900_000
    sets = {f"s{n}": {"type": "set", "set": {f"copy{n}": "{{ big }}"}, "next": {"ok": f"s{n + 1}"}} for n in range(12)}
    sets["s11"]["next"] = {"ok": "end"}
    outcome, steps = advance(compile_program(flow(**sets)), token(data={"big": text}), make_host())
    assert outcome == Failed({"code": "too_large", "message": "The templates of this walk wrote more than 10 MB."})
    assert [step.object for step in steps[-2:]] == ["s10", "s11"]


def test_a_constant_config_is_the_same_for_every_record(flow: Flow, make_host: MakeHost) -> None:
    program, host = compile_program(flow(crm=GET)), make_host()
    assert called(program, token(), host).config == GET["with"]
    assert called(program, token(), host).timeout == 15.0


def test_five_hundred_objects_are_walked_without_recursion(flow: Flow, make_host: MakeHost) -> None:
    sets = {f"s{n}": {"type": "set", "set": {"n": n}, "next": {"ok": f"s{n + 1}"}} for n in range(498)}
    sets["s497"]["next"] = {"ok": "end"}
    record = token()
    outcome, steps = advance(compile_program(flow(**sets)), record, make_host())
    assert (outcome, len(steps), record.seq, record.data) == (Finished(handled=False), 500, 500, {"n": 497})


@pytest.mark.parametrize(
    ("expect", "expected"),
    [(None, [200, 204, 299]), (["201", "4xx"], [404]), (["204"], [204]), (["2xx", "404"], [200, 204, 299, 404])],
)
def test_which_statuses_an_http_config_expects(expect: list[str] | None, expected: list[int]) -> None:
    config = {} if expect is None else {"expect": expect}
    assert [status for status in (200, 204, 299, 302, 404, 500) if is_expected(config, status)] == expected


def test_an_attempt_that_follows_a_failed_one_is_no_new_execution(flow: Flow, make_host: MakeHost) -> None:
    again = {**GET, "retry": {"max": 3}, "next": {"ok": "crm"}}
    program, host, record = compile_program(flow(crm=again)), make_host(max_executions=1), token()
    for _ in range(3):
        outcome, _ = complete(program, record, called(program, record, host), AppError("timeout", "late"), host)
        assert isinstance(outcome, Retry)
    outcome, _ = complete(program, record, called(program, record, host), AppResult("ok"), host)
    assert outcome == Failed({"code": "loop_guard", "message": "Executed more than 1 times in one run."})


def test_a_wait_of_no_time_is_none(flow: Flow, make_host: MakeHost) -> None:
    program = compile_program(flow(pause={"type": "wait", "for": "0s", "next": {"ok": "end"}}))
    assert advance(program, token(), make_host())[0] == Finished(handled=False)
