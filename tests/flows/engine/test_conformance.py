"""Plays the cases of ``cases/``: a flow, a record and what the apps answer give one trace and one end.

A case has ``document``, ``data``, and perhaps ``options``, ``timezone`` and ``faults`` (what validating answers).
``play`` is a list of acts: ``go`` walks on, ``answer`` hands the pending call a result or an error; ``after`` moves the
clock first; ``outcome`` is what must come of it. In the end ``trace`` lists [seq, attempt, object, port, error code],
and ``data_after``, ``vars_after`` and ``state_after`` are what the record holds. Between walks the record goes through
JSON, as it does in a database.
"""

import json
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest

from apps.flows.engine.checks import check_document
from apps.flows.engine.durations import parse_duration
from apps.flows.engine.program import compile_program
from apps.flows.engine.walk import AppError, AppResult, Call, Host, Outcome, StepDone, Token, advance, complete

CASES = sorted((Path(__file__).parent / "cases").glob("*.json"))


def read(path: Path) -> dict[str, Any]:
    return json.loads(path.read_text())


def stored(token: Token) -> Token:
    kept = json.loads(json.dumps([token.data, token.vars, token.state]))
    return replace(token, data=kept[0], vars=kept[1], state=kept[2], changed=False)


def as_json(outcome: Outcome) -> dict[str, Any]:
    left_out = ("started", "started_at", "kind", "once")
    fields = {key: value for key, value in asdict(outcome).items() if key not in left_out}
    if fields.get("until") is not None:
        fields["until"] = fields["until"].strftime("%Y-%m-%dT%H:%M:%SZ")
    return {type(outcome).__name__: fields}


def answered(answer: dict[str, Any]) -> AppResult | AppError:
    return AppError(**answer["error"]) if "error" in answer else AppResult(**answer)


def row(step: StepDone) -> list[Any]:
    return [step.seq, step.attempt, step.object, step.port, step.error["code"] if step.error else None]


@pytest.mark.parametrize("path", CASES, ids=[path.stem for path in CASES])
def test_a_case_takes_its_course(path: Path, clock: Any, make_host: Callable[..., Host]) -> None:
    case = read(path)
    options = dict(case.get("options", {}))
    if "retry_delay" in options:
        options["retry_delay"] = parse_duration(options["retry_delay"])
    host = make_host(**options, faults=tuple(case.get("faults", ())), timezone=case.get("timezone", "UTC"))
    assert check_document(case["document"]) == []
    program = compile_program(case["document"])
    token = Token(uuid="u1", flow_name="case", run_no=1, data=case["data"])
    steps: list[StepDone] = []
    outcome: Outcome | None = None
    for act in case["play"]:
        clock.move(parse_duration(act.get("after", "0s")))
        if act["act"] == "go":
            token = stored(token)
            outcome, done = advance(program, token, host)
        else:
            assert isinstance(outcome, Call)
            outcome, done = complete(program, token, outcome, answered(act["answer"]), host)
        steps += done
        assert as_json(outcome) == act["outcome"]
    assert [row(step) for step in steps] == case["trace"]
    assert (token.data, token.vars, token.state) == (case["data_after"], case["vars_after"], case["state_after"])


@pytest.mark.parametrize("path", CASES, ids=[path.stem for path in CASES])
def test_the_numbers_of_a_trace_have_no_gaps(path: Path) -> None:
    trace = read(path)["trace"]
    numbers = [row[0] for row in trace]
    assert sorted(set(numbers)) == list(range(1, max(numbers) + 1))
    for number in set(numbers):
        attempts = [row[1] for row in trace if row[0] == number]
        assert attempts == list(range(1, len(attempts) + 1))


def test_every_kind_of_object_and_outcome_is_played() -> None:
    cases = [read(path) for path in CASES]
    types = {item["type"] for case in cases for item in case["document"]["objects"].values()}
    outcomes = {name for case in cases for act in case["play"] for name in act["outcome"]}
    assert types == {"start", "end", "decision", "set", "wait", "stop", "app"}
    assert outcomes == {"Finished", "Waiting", "Stopped", "Call", "Retry", "Failed"}
