import copy
import time
from collections.abc import Callable
from typing import Any

import jsonschema_rs
import pytest

from apps.flows.engine.apps import APPS
from apps.flows.engine.checks import check_document
from apps.flows.engine.document import DOCUMENT_SCHEMA, check_structure

Flow = Callable[..., dict[str, Any]]

WHOLE: dict[str, Any] = {
    "format": "flow/1",
    "name": "lead_intake",
    "description": "Leads of the website",
    "start": "start",
    "objects": {
        "start": {"type": "start", "next": {"ok": "check"}},
        "check": {
            "type": "app",
            "app": "core.validate",
            "text": "Check the lead",
            "with": {"save_to": "faults"},
            "next": {"ok": "adult", "invalid": "mark"},
        },
        "adult": {
            "type": "decision",
            "text": "Adult in NL?",
            "rules": [{"port": "nl", "when": "client.country == 'NL' and client.age >= 18"}],
            "retry": {"max": 0},
            "next": {"nl": "crm", "else": "end"},
        },
        "crm": {
            "type": "app",
            "app": "core.http",
            "with": {
                "method": "{{ vars.method }}",
                "url": "https://crm.example.com/leads/{{ urlencode(client.id) }}",
                "headers": {"X-Kind": "lead", "X-Age": "{{ client.age }}"},
                "query": {"tag": ["a", "{{ client.tag }}"], "n": 1},
                "json": {"name": "@data.client.name@"},
                "timeout": "10s",
                "save_to": "crm",
                "expect": ["2xx", "409"],
            },
            "retry": {"max": 5, "delay": "10s", "factor": 2, "max_delay": "PT10M", "jitter": True, "on": ["http.5xx"]},
            "next": {"ok": "pause", "error": "hold"},
        },
        "pause": {
            "type": "wait",
            "for": "P2D",
            "until": "09:00",
            "timezone": "Europe/Amsterdam",
            "next": {"ok": "end"},
        },
        "hold": {"type": "stop", "timeout": "7d", "next": {"resume": "crm", "timeout": "later"}},
        "later": {"type": "wait", "date": "{{ client.later }}", "next": {"ok": "end", "error": "end"}},
        "mark": {"type": "set", "set": {"client.ok": False}, "unset": ["client.secret"], "next": {"ok": "end"}},
        "end": {"type": "end", "text": "Done"},
    },
    "on_error": {"next": "hold"},
    "limits": {"max_steps": 50},
    "layout": {"start": [0, 0]},
}


def problems(document: Any) -> list[str]:
    return [str(problem) for problem in check_document(document)]


def test_a_document_that_uses_everything_has_no_problems() -> None:
    assert problems(WHOLE) == []


def test_the_schema_of_documents_is_a_valid_schema() -> None:
    assert jsonschema_rs.meta.is_valid(DOCUMENT_SCHEMA)


@pytest.mark.parametrize("app", APPS.values(), ids=list(APPS))
def test_the_schema_of_an_app_is_valid_and_closed(app: Any) -> None:
    assert jsonschema_rs.meta.is_valid(app.config_schema)
    assert app.config_schema["additionalProperties"] is False
    assert (app.run is not None) == (app.kind == "pure")


@pytest.mark.parametrize(
    ("path", "value", "expected"),
    [
        ("format", "flow/2", ['format: "flow/1" was expected']),
        ("start", "nowhere", ["start: 'nowhere' is no object of type 'start'"]),
        ("start", "end", ["start: 'end' is no object of type 'start'"]),
        ("surprise", 1, ["document: Additional properties are not allowed ('surprise' was unexpected)"]),
        ("limits", {"max_steps": 0}, ["limits/max_steps: the value is less than the minimum of 1"]),
        ("limits", {"expires": "0s"}, ["limits/expires: every run would have expired before it begins"]),
        ("on_error", {"next": "start"}, ["on_error/next: nothing may lead to the start"]),
        ("on_error", {"next": "x"}, ["on_error/next: there is no object 'x'"]),
        ("objects/mark/type", "loop", ["mark/type: object type 'loop' is not supported"]),
        ("objects/mark/type", 7, [
            'mark/type: must be one of start, end, decision, set, wait, stop, webhook, run, move, app']),
        ("objects/mark/next", None, ['mark/next: the value is not of type "object"']),
        ("objects/mark/next/ok", "gone", ["mark/next/ok: there is no object 'gone'"]),
        ("objects/mark/next/ok", "start", ["mark/next/ok: nothing may lead to the start"]),
        ("objects/mark/next/no", "end", ["mark/next/no: the object has no port 'no'"]),
        ("objects/mark/surprise", 1, ["mark: Additional properties are not allowed ('surprise' was unexpected)"]),
        ("objects/mark/set", {"a..b": 1}, [r'mark/set: "a..b" does not match "^[^.]+(\.[^.]+){0,19}$"']),
        ("objects/mark/set", {"a": {"b": "x {{ 1 + }}"}}, [
            "mark/set/a/b: not an expression: invalid syntax (character 9)"]),
        ("objects/adult/next", {"nl": "crm"}, ["adult/next: port 'else' is not connected"]),
        ("objects/adult/rules/0/port", "error", [
            'adult/rules/0/port: {"enum":["else","error"]} is not allowed for the value']),
        ("objects/adult/rules/0/when", "a.b == open('x')", [
            "adult/rules/0/when: only the functions of the language can be called (character 8)"]),
        ("objects/adult/rules/0/when", "keystore.crm", [
            "adult/rules/0/when: name a keystore and a key: keystore.name.key (character 1)"]),
        ("objects/crm/app", "core.fax", ["crm/app: unknown app 'core.fax'"]),
        ("objects/crm/with/url", "{{ keystore }}", [
            "crm/with/url: name a keystore and a key: keystore.name.key (character 4)"]),
        ("objects/crm/with/method", "FETCH", [
            'crm/with/method: must be one of GET, HEAD, POST, PUT, PATCH, DELETE']),
        ("objects/crm/with/timeout", "16s", ["crm/with/timeout: more than 0 and at most 15 seconds"]),
        ("objects/crm/with/timeout", "0s", ["crm/with/timeout: more than 0 and at most 15 seconds"]),
        ("objects/crm/with/timeout", "{{ x }}", [
            "crm/with/timeout: '{{ x }}' is no duration: write 15s, 10m, 2h, 1d or ISO 8601 like P2D or PT1H30M"]),
        ("objects/crm/with/text", "both", ["crm/with: give at most one of 'json', 'xml', 'form' and 'text'"]),
        ("objects/crm/retry/delay", "soon", [
            "crm/retry/delay: 'soon' is no duration: write 15s, 10m, 2h, 1d or ISO 8601 like P2D or PT1H30M"]),
        ("objects/pause/for", "P1M", [
            "pause/for: 'P1M' is no duration: write 15s, 10m, 2h, 1d or ISO 8601 like P2D or PT1H30M"]),
        ("objects/pause/until", "24:00", ['pause/until: the value does not match "^([01][0-9]|2[0-3]):[0-5][0-9]$"']),
        ("objects/pause/date", "2026-05-01", ["pause: give either 'date', or 'for' or 'until' or both"]),
        ("objects/pause/timezone", "Mars/Olympus", ["pause/timezone: unknown time zone 'Mars/Olympus'"]),
        ("objects/later/date", "{{ }}", ["later/date: empty (character 3)"]),
        ("objects/hold/next", {"resume": "crm"}, ["hold/next: port 'timeout' is not connected"]),
        ("objects/hold/next/error", "end", ["hold/next/error: the object has no port 'error'"]),
        ("objects/hold/timeout", "11y", [
            "hold/timeout: '11y' is no duration: write 15s, 10m, 2h, 1d or ISO 8601 like P2D or PT1H30M"]),
        ("objects/end/next", {"ok": "crm"}, ["end: Additional properties are not allowed ('next' was unexpected)"]),
        ("objects/island", {"type": "stop", "next": {"resume": "end"}}, ["island: cannot be reached from the start"]),
        ("objects/second", {"type": "start", "next": {"ok": "end"}}, [
            "objects: there must be one object of type 'start', not 2"]),
        ("objects/check/with", {"schema": "lead"}, [
            "check/with: Additional properties are not allowed ('schema' was unexpected)"]),
    ],
)  # fmt: skip
def test_a_fault_is_named_with_its_place(path: str, value: Any, expected: list[str]) -> None:
    document = copy.deepcopy(WHOLE)
    *parents, last = path.split("/")
    place: Any = document
    for key in parents:
        place = place[int(key)] if isinstance(place, list) else place[key]
    place[last] = value
    assert problems(document) == expected


def test_several_faults_are_all_named(flow: Flow) -> None:
    document = flow(
        first={"type": "set", "set": {"a": "{{ 1 + }}"}, "retry": {"delay": "x1"}, "next": {"ok": "gone"}},
        second={"type": "decision", "rules": [{"port": "a", "when": "("}], "next": {}},
    )
    assert problems(document) == [
        "first/next/ok: there is no object 'gone'",
        "second/next: port 'a' is not connected",
        "second/next: port 'else' is not connected",
        "first/set/a: not an expression: invalid syntax (character 7)",
        "first/retry/delay: 'x1' is no duration: write 15s, 10m, 2h, 1d or ISO 8601 like P2D or PT1H30M",
        "second/rules/0/when: not an expression: '(' was never closed (character 1)",
    ]


def test_a_cycle_of_pure_objects_is_refused(flow: Flow) -> None:
    document = flow(
        ask={"type": "decision", "rules": [{"port": "again", "when": "a"}], "next": {"again": "mark", "else": "end"}},
        mark={"type": "set", "set": {"a": 1}, "next": {"ok": "check"}},
        check={"type": "app", "app": "core.validate", "next": {"ok": "ask", "invalid": "end"}},
    )
    fault = "is on a cycle in which nothing waits or leaves the house"
    assert problems(document) == [f"{name}/next: {fault}" for name in ("ask", "check", "mark")]


def test_an_object_that_leads_to_itself_is_a_cycle(flow: Flow) -> None:
    document = flow(mark={"type": "set", "set": {"a": 1}, "next": {"ok": "end", "error": "mark"}})
    assert problems(document) == ["mark/next: is on a cycle in which nothing waits or leaves the house"]


@pytest.mark.parametrize(
    "pause",
    [
        {"type": "wait", "for": "1m", "next": {"ok": "ask"}},
        {"type": "stop", "next": {"resume": "ask"}},
        {"type": "app", "app": "core.http", "with": {"method": "GET", "url": "http://x"}, "next": {"ok": "ask"}},
    ],
)
def test_a_cycle_that_waits_or_leaves_the_house_is_fine(flow: Flow, pause: dict[str, Any]) -> None:
    rules = [{"port": "again", "when": "a"}]
    document = flow(ask={"type": "decision", "rules": rules, "next": {"again": "pause", "else": "end"}}, pause=pause)
    assert problems(document) == []


def test_what_only_an_error_leads_to_is_reachable(flow: Flow) -> None:
    fails = {"type": "app", "app": "core.validate", "next": {"ok": "end", "invalid": "end"}}
    handler = {"type": "stop", "next": {"resume": "end"}}
    assert problems(flow(fails=fails, handler=handler, on_error="handler")) == []
    handled = {**fails, "next": {**fails["next"], "error": "end"}}
    assert problems(flow(fails=handled, handler=handler, on_error="handler")) == [
        "handler: cannot be reached from the start"
    ]


@pytest.mark.parametrize("document", [None, [], "flow", 7, {}, {"objects": {}}, {"objects": {"a": None}}])
def test_what_is_no_document_has_problems(document: Any) -> None:
    assert problems(document) != []


def test_a_document_is_bounded(flow: Flow) -> None:
    many = {f"o{n}": {"type": "end"} for n in range(499)}
    assert [str(problem) for problem in check_structure(flow(**many))] == [
        "objects: the value has more than 500 properties"
    ]
    assert problems({**WHOLE, "layout": {"a": "x" * 1_000_000}}) == [
        "document: the document is or holds something larger than 1,000,000 characters"
    ]
    nested: Any = []
    for _ in range(5000):
        nested = [nested]
    assert problems({**WHOLE, "layout": {"a": nested}}) == [
        "document: the document is or holds something nested more than 100 deep"
    ]


def test_a_flow_of_twenty_thousand_connections_is_checked_in_linear_time(flow: Flow) -> None:
    ports = [f"p{n}" for n in range(50)]
    objects = {
        f"o{n}": {
            "type": "decision",
            "rules": [{"port": port, "when": "1"} for port in ports],
            "next": {port: f"o{min(n + 1 + i, 397)}" for i, port in enumerate([*ports, "else"])},
        }
        for n in range(397)
    }
    objects["o397"] = {"type": "wait", "for": "1d", "next": {"ok": "end"}}
    started = time.process_time()
    assert problems(flow(**objects)) == []
    assert time.process_time() - started < 5
