"""A whole flow from its leads to their ends: the apps are scripted, everything else is the engine."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from apps.flows.engine.apps import APPS, App
from apps.flows.engine.checks import check_document
from apps.flows.engine.configs import _validator
from apps.flows.engine.outcomes import Call, Launch, Move, Request
from apps.flows.engine.playing import Clock, Course, Rest, play
from apps.flows.engine.program import compile_program
from apps.flows.engine.references import Reference, references
from apps.flows.engine.results import Answer, AppError, AppResult, Child
from apps.flows.engine.walk import Host, Token

LEADS: dict[str, Any] = {
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
            "next": {"ok": "adult", "invalid": "reject"},
        },
        "adult": {
            "type": "decision",
            "text": "Adult in NL or BE?",
            "rules": [
                {"port": "nl", "when": "client.country == 'NL' and client.age >= 18"},
                {"port": "be", "when": "client.country == 'BE' and client.age >= 18"},
            ],
            "next": {"nl": "crm", "be": "belgium", "else": "reject"},
        },
        "crm": {
            "type": "app",
            "app": "core.http",
            "text": "Create in CRM",
            "with": {
                "method": "POST",
                "url": "{{ keystore.crm.main.endpoint }}/leads",
                "auth": {"connection": "crm"},
                "json": {"name": "{{ client.name }}"},
                "timeout": "15s",
                "save_to": "crm",
            },
            "retry": {
                "max": 5,
                "delay": "10s",
                "factor": 2,
                "max_delay": "10m",
                "jitter": True,
                "on": ["timeout", "connection", "http.429", "http.5xx"],
            },
            "next": {"ok": "pause", "error": "tell_ops"},
        },
        "pause": {
            "type": "wait",
            "for": "P2D",
            "until": "09:00",
            "timezone": "Europe/Amsterdam",
            "next": {"ok": "welcome"},
        },
        "welcome": {
            "type": "app",
            "app": "core.email",
            "with": {"to": "{{ client.email }}", "template": "welcome"},
            "retry": {"max": 3, "delay": "1m"},
            "next": {"ok": "end"},
        },
        "tell_ops": {
            "type": "app",
            "app": "core.email",
            "with": {"to": "ops@example.com", "template": "crm_down"},
            "next": {"ok": "hold"},
        },
        "hold": {"type": "stop", "text": "Wait for a person", "next": {"resume": "crm"}},
        "belgium": {"type": "move", "flow": "lead_intake_be"},
        "reject": {"type": "run", "flow": "archive_lead", "wait": False, "next": {"ok": "end"}},
        "end": {"type": "end"},
    },
    "on_error": {"next": "tell_ops"},
    "limits": {"max_steps": 1000, "expires": "P30D", "concurrency": 20},
    "layout": {},
}
ADA = {"client": {"name": "Ada", "age": 36, "country": "NL", "email": "ada@example.com"}}
DOWN = AppError("http.503", "The service answered 503.")
SENT = AppResult("ok")


class Scripted:
    """Answers by object, each given once; what was asked, and when."""

    def __init__(self, clock: Clock, answers: dict[str, list[Answer]], goes_on: dict[str, timedelta]) -> None:
        self.clock = clock
        self.answers = {name: list(given) for name, given in answers.items()}
        self.goes_on = goes_on
        self.asked: list[tuple[datetime, Request]] = []

    def answer(self, request: Request) -> Answer:
        self.asked.append((self.clock.now(), request))
        return self.answers[request.object].pop(0)

    def let_go_on(self, object_id: str) -> timedelta | None:
        return self.goes_on.get(object_id)


Played = tuple[Course, Scripted]


@pytest.fixture
def played(monkeypatch: pytest.MonkeyPatch, make_host: Callable[..., Host]) -> Callable[..., Played]:
    """Plays a lead; mails and calls are apps of the test's own, that take any config."""
    anything = {"type": "object"}
    for name in ("core.email", "core.http"):
        monkeypatch.setitem(APPS, name, App(name, 1, name, "external", anything, ("ok", "error"), 15.0))
    _validator.cache_clear()

    def play_lead(
        data: Any, answers: dict[str, list[Answer]], goes_on: dict[str, timedelta] | None = None, **host: Any
    ) -> Played:
        clock = Clock(datetime(2026, 3, 26, 15, tzinfo=UTC))
        script = Scripted(clock, answers, goes_on or {})
        world = replace(
            make_host(timezone="Europe/Amsterdam", retries=0, **host),
            now=clock.now,
            monotonic=clock.monotonic,
            keystore=lambda store, key: {"endpoint": f"https://{store}.example.com/{key}"},
        )
        token = Token(uuid="lead-1", flow_name="lead_intake", run_no=1, data=data)
        assert check_document(LEADS) == []
        return play(compile_program(LEADS), token, world, clock, script), script

    yield play_lead
    _validator.cache_clear()


def passed(course: Course) -> list[tuple[int, str, str]]:
    return [(step.attempt, step.object, step.port) for step in course.steps]


def test_what_the_flow_names() -> None:
    assert {
        Reference("belgium", "flow", "flow", "lead_intake_be"),
        Reference("crm", "with/url", "keystore", "crm"),
        Reference("reject", "flow", "flow", "archive_lead"),
    } <= set(references(LEADS))


def test_a_lead_of_age_is_welcomed_the_third_morning_by_local_time(played: Callable[..., Played]) -> None:
    """The clocks go forward in the night before: nine o'clock is an hour earlier in UTC than on the day it came."""
    answers = {"crm": [DOWN, DOWN, AppResult("ok", {"id": 7}, {"crm": {"id": 7}})], "welcome": [SENT]}
    course, script = played(ADA, answers)
    assert (course.rest, course.error) == (Rest.FINISHED, None)
    assert passed(course) == [
        (1, "start", "ok"),
        (1, "check", "ok"),
        (1, "adult", "nl"),
        (1, "crm", ""),
        (2, "crm", ""),
        (3, "crm", "ok"),
        (1, "pause", "ok"),
        (1, "welcome", "ok"),
        (1, "end", ""),
    ]
    assert course.token.vars == {"crm": {"id": 7}}
    calls = [request for _, request in script.asked if isinstance(request, Call)]
    assert calls[0].config["url"] == "https://crm.example.com/main/leads"
    assert calls[0].config["json"] == {"name": "Ada"}
    assert [call.idempotency_key for call in calls] == ["lead-1:1:4"] * 3 + ["lead-1:1:6"]
    assert calls[3].config == {"to": "ada@example.com", "template": "welcome"}
    assert script.asked[1][0] - script.asked[0][0] == timedelta(seconds=7.5)  # 10 s, of which chance takes a part
    assert script.asked[2][0] - script.asked[1][0] == timedelta(seconds=15)
    assert script.asked[3][0] == datetime(2026, 3, 29, 7, tzinfo=UTC)


def test_a_crm_that_stays_down_is_told_and_waits_for_a_person(played: Callable[..., Played]) -> None:
    answers = {"crm": [DOWN] * 6 + [SENT], "tell_ops": [SENT], "welcome": [SENT]}
    course, script = played(ADA, answers, {"hold": timedelta(hours=4)})
    assert course.rest is Rest.HANDLED
    assert passed(course)[3:12] == [
        *[(attempt, "crm", "") for attempt in range(1, 6)],
        (6, "crm", "error"),
        (1, "tell_ops", "ok"),
        (1, "hold", "resume"),
        (1, "crm", "ok"),
    ]
    keys = [request.idempotency_key for _, request in script.asked if isinstance(request, Call)]
    assert keys[5:8] == ["lead-1:1:4", "lead-1:1:5", "lead-1:1:7"]


def test_a_refusal_is_not_tried_again(played: Callable[..., Played]) -> None:
    course, _ = played(ADA, {"crm": [AppError("http.422", "No.")], "tell_ops": [SENT]})
    assert passed(course)[3:] == [(1, "crm", "error"), (1, "tell_ops", "ok"), (1, "hold", "")]


def test_a_mail_that_cannot_be_sent_goes_to_the_flows_handler(played: Callable[..., Played]) -> None:
    bounced = AppError("connection", "No mail server.")
    course, _ = played(ADA, {"crm": [SENT], "welcome": [bounced] * 4, "tell_ops": [SENT]})
    tried = [(attempt, "welcome", "") for attempt in range(1, 5)]
    assert passed(course)[-6:] == [*tried, (1, "tell_ops", "ok"), (1, "hold", "")]


def test_the_handler_itself_has_none(played: Callable[..., Played]) -> None:
    course, _ = played(ADA, {"crm": [AppError("tls", "Bad.")], "tell_ops": [AppError("connection", "None.")]})
    assert (course.rest, course.error) == (Rest.FAILED, {"code": "connection", "message": "None."})


def test_a_lead_from_belgium_moves_on(played: Callable[..., Played]) -> None:
    lead = {"client": ADA["client"] | {"country": "BE"}}
    course, script = played(lead, {"belgium": [AppResult("")]})
    assert course.rest is Rest.MOVED
    assert [type(request) for _, request in script.asked] == [Move]
    assert passed(course)[2:] == [(1, "adult", "be"), (1, "belgium", "")]


@pytest.mark.parametrize("client", [{"country": "NL", "age": 17}, {"country": "DE", "age": 40}, {}])
def test_others_are_archived_by_a_flow_of_their_own(played: Callable[..., Played], client: Any) -> None:
    course, script = played({"client": client}, {"reject": [Child("c1", 0)]})
    ((_, launch),) = script.asked
    assert isinstance(launch, Launch)
    assert (launch.flow, launch.input, launch.wait) == ("archive_lead", {"client": client}, False)
    assert (course.rest, passed(course)[2:]) == (
        Rest.FINISHED,
        [(1, "adult", "else"), (1, "reject", "ok"), (1, "end", "")],
    )


def test_a_lead_that_does_not_fit_is_archived_as_well(played: Callable[..., Played]) -> None:
    faults = ({"path": "/client", "message": "is missing"},)
    course, _ = played({}, {"reject": [Child("c1", 0)]}, faults=faults)
    assert passed(course)[1:3] == [(1, "check", "invalid"), (1, "reject", "ok")]


def test_a_lead_that_nobody_resumes_expires(played: Callable[..., Played]) -> None:
    course, script = played(ADA, {"crm": [AppError("tls", "Bad.")], "tell_ops": [SENT]})
    assert course.error == {"code": "expired", "message": "The run has taken longer than the flow allows."}
    assert (course.rest, course.token.at) == (Rest.FAILED, "hold")
    assert script.clock.now() == datetime(2026, 3, 26, 15, tzinfo=UTC) + timedelta(days=30)
