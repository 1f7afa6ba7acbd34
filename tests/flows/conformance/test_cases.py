"""The shipped cases, each played on this engine; and that a case which expects something else fails."""

import json
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from apps.flows.conformance.format import CASE_SCHEMA, CaseError, read_case
from apps.flows.conformance.playing import differences
from apps.flows.engine.document import OBJECTS
from apps.flows.engine.playing import Rest
from apps.flows.management.commands.flow_check import SHIPPED

CASES = sorted(SHIPPED.glob("*.json"))
DOCS = Path(__file__).resolve().parents[3] / "docs"

CALLING: dict[str, Any] = {
    "format": "flow-case/1",
    "title": "A call, then the end",
    "flow": {
        "format": "flow/1",
        "start": "start",
        "objects": {
            "start": {"type": "start", "next": {"ok": "crm"}},
            "crm": {
                "type": "app",
                "app": "core.http",
                "with": {"method": "GET", "url": "https://crm.example.com/{{ n }}", "save_to": "crm"},
                "next": {"ok": "end"},
            },
            "end": {"type": "end"},
        },
    },
    "input": {"n": 7},
    "apps": {"crm": [{"port": "ok", "output": {"status": 200}, "save": {"crm": {"status": 200}}}]},
    "expect": {
        "rest": "Finished",
        "trace": [[1, 1, "start", "ok", None], [2, 1, "crm", "ok", None], [3, 1, "end", "", None]],
        "vars": {"crm": {"status": 200}},
        "calls": [{"object": "crm", "key": "u1:1:2"}],
    },
}


def read(path: Path) -> dict[str, Any]:
    return json.loads(path.read_text())


def changed(**changes: Any) -> dict[str, Any]:
    expect = CALLING["expect"] | changes.pop("expect", {})
    return CALLING | {"expect": expect} | changes


@pytest.mark.parametrize("path", CASES, ids=[path.stem for path in CASES])
def test_a_case_takes_the_course_it_expects(path: Path) -> None:
    assert differences(read_case(read(path))) == []


def runs_of(trace: list[list[Any]]) -> list[list[list[Any]]]:
    """The rows of each run: a new one counts from 1 again."""
    runs: list[list[list[Any]]] = []
    for row in trace:
        if not runs or row[0] < runs[-1][-1][0]:
            runs.append([])
        runs[-1].append(row)
    return runs


@pytest.mark.parametrize("path", CASES, ids=[path.stem for path in CASES])
def test_the_numbers_of_a_trace_have_no_gaps(path: Path) -> None:
    for run in runs_of(read(path)["expect"].get("trace", [])):
        numbers = [row[0] for row in run]
        assert sorted(set(numbers)) == list(range(1, max(numbers) + 1))
        for number in set(numbers):
            attempts = [row[1] for row in run if row[0] == number]
            assert attempts == list(range(1, len(attempts) + 1))


def test_every_type_of_object_and_every_rest_is_played() -> None:
    cases = [read(path) for path in CASES]
    types = {item["type"] for case in cases for item in case["flow"]["objects"].values()}
    rests = {case["expect"].get("rest") for case in cases} - {None}
    assert types == set(OBJECTS)
    assert rests == {rest.value for rest in Rest} - {Rest.UNKNOWN, Rest.ENDLESS}


def test_no_two_cases_have_one_title() -> None:
    titles = [read(path)["title"] for path in CASES]
    assert len(set(titles)) == len(titles)


@pytest.mark.parametrize(
    ("case", "difference"),
    [
        (changed(expect={"rest": "Waiting"}), "rest: expected 'Waiting', found 'Finished'"),
        (changed(expect={"error": "timeout"}), "error: expected 'timeout', found None"),
        (changed(expect={"vars": {}}), "vars: expected {}, found {'crm': {'status': 200}}"),
        (changed(expect={"data": {}}), "data: expected {}, found {'n': 7}"),
        (
            changed(expect={"at": "2026-05-01T08:00:01Z"}),
            "at: expected '2026-05-01T08:00:01Z', found '2026-05-01T08:00:00Z'",
        ),
        (changed(expect={"calls": []}), "number of calls: expected 0, found 1"),
        (
            changed(expect={"calls": [{"object": "crm", "key": "u1:1:3"}]}),
            "calls/0/key: expected 'u1:1:3', found 'u1:1:2'",
        ),
        (changed(apps=CALLING["apps"] | {"x": [{"port": "ok"}]}), "apps/x: 1 unused"),
        (changed(goes_on={"crm": ["1h", "1h"]}), "goes_on/crm: 2 unused"),
        (changed(expect={"problems": ["crm: is wrong"]}), "problems: expected ['crm: is wrong'], found []"),
    ],
)
def test_a_case_that_expects_something_else_says_what(case: dict[str, Any], difference: str) -> None:
    assert differences(read_case(CALLING)) == []
    assert differences(read_case(case)) == [difference]


def test_a_call_nobody_answers_is_told_from_a_wait() -> None:
    found = differences(read_case(changed(apps={})))
    assert found[0] == "rest: expected 'Finished', found 'Unknown'"


def test_a_flow_with_problems_is_not_played() -> None:
    flow = {"format": "flow/1", "start": "start", "objects": {"start": {"type": "start", "next": {"ok": "nowhere"}}}}
    (line,) = differences(read_case(changed(flow=flow)))
    assert line == "problems: expected [], found [\"start/next/ok: there is no object 'nowhere'\"]"


@pytest.mark.parametrize(
    ("document", "fault"),
    [
        ([], "type"),
        ({}, 'case: "expect" is a required property'),
        (changed(format="flow-case/2"), "format"),
        (changed(surplus=1), "surplus"),
        (changed(begins="yesterday"), "begins: 'yesterday' is no moment in ISO 8601"),
        (changed(begins="2026-05-01"), "begins: give the moment with its offset, such as Z"),
        (changed(apps={"crm": [{}]}), "apps/crm/0"),
        (changed(expect={"rest": "Asleep"}), "expect/rest"),
        (changed(timezone="Mars/Olympus"), "timezone: unknown time zone 'Mars/Olympus'"),
        (changed(goes_on={"crm": ["soon"]}), "goes_on/crm: 'soon' is no duration"),
    ],
)
def test_what_is_no_case_says_where(document: Any, fault: str) -> None:
    with pytest.raises(CaseError) as caught:
        read_case(document)
    assert fault in str(caught.value)


def check(*paths: Path) -> str:
    out = StringIO()
    try:
        call_command("flow_check", *paths, stdout=out)
    except CommandError as error:
        out.write(f"error: {error}")
    return out.getvalue()


def test_the_command_plays_the_shipped_cases() -> None:
    assert check().splitlines()[-1] == f"{len(CASES)} passed, 0 failed"


def test_the_command_judges_cases_and_flows_and_names_what_fails(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text(json.dumps(CALLING))
    (tmp_path / "b.json").write_text(json.dumps(changed(expect={"rest": "Waiting"})))
    (tmp_path / "c.json").write_text(json.dumps({"format": "flow/1", "name": "lost", "start": "x", "objects": {}}))
    (tmp_path / "d.json").write_text("{")
    lines = check(tmp_path).splitlines()
    assert lines[0] == "ok   a.json: A call, then the end"
    assert lines[1:3] == [
        "FAIL b.json: A call, then the end",
        "       rest: expected 'Waiting', found 'Finished'",
    ]
    assert [line for line in lines if line.startswith("FAIL")][1:] == ["FAIL c.json: lost", "FAIL d.json: not read"]
    assert lines[-2:] == ["1 passed, 3 failed", "error: 3 of 4 failed."]


def test_the_command_names_a_path_that_leads_nowhere(tmp_path: Path) -> None:
    assert check(tmp_path / "x.json") == f"error: There is no file {tmp_path / 'x.json'}."
    assert check(tmp_path) == "error: There is no .json file."


def test_the_published_schema_of_cases_is_the_one_in_force() -> None:
    out = StringIO()
    call_command("flow_check", "--schema", stdout=out)
    assert json.loads(out.getvalue()) == CASE_SCHEMA
    assert (DOCS / "flow-case-1.schema.json").read_text() == out.getvalue()
