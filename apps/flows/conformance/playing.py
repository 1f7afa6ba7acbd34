"""Playing a case: every way in which its course differs from what it expects."""

from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

from apps.flows.conformance.format import Case
from apps.flows.engine.checks import check_document
from apps.flows.engine.durations import parse_duration
from apps.flows.engine.host import Host, Options
from apps.flows.engine.outcomes import Call, Launch, Listen, Request
from apps.flows.engine.playing import Clock, Course, Nothing, play
from apps.flows.engine.program import compile_program
from apps.flows.engine.results import Answer, AppError, AppResult, Child, Event
from apps.flows.engine.tokens import StepDone, Token
from apps.flows.engine.values import JSON


class CaseScript:
    """The answers of a case, each given once; the calls that asked for them."""

    def __init__(self, case: Case) -> None:
        self._answers = {name: list(answers) for name, answers in case.apps.items()}
        self._goes_on = {name: list(times) for name, times in case.goes_on.items()}
        self.calls: list[Call] = []

    def answer(self, request: Request) -> Answer | Nothing:
        """The next answer of the object; what a record may wait for has not come when the case has no more."""
        if isinstance(request, Call):
            self.calls.append(request)
        answers = self._answers.get(request.object)
        if not answers and isinstance(request, Listen | Launch):
            return Nothing.YET
        return _answer(answers.pop(0)) if answers else None

    def let_go_on(self, object_id: str) -> timedelta | None:
        """The next of the object's times."""
        times = self._goes_on.get(object_id)
        return parse_duration(times.pop(0)) if times else None

    def left_over(self) -> list[str]:
        """What the case gave and nothing asked for."""
        given: dict[str, dict[str, list[Any]]] = {"apps": self._answers, "goes_on": dict(self._goes_on)}
        return [
            f"{kind}/{name}: {len(rest)} unused"
            for kind, items in given.items()
            for name, rest in items.items()
            if rest
        ]


def differences(case: Case) -> list[str]:
    """Where the course departs from the expected one, one line each; [] when the engine conforms."""
    problems = [str(problem) for problem in check_document(case.flow)]
    expected = case.expect.get("problems", [])
    if problems or expected:
        return _compare("problems", expected, problems)
    clock, script = Clock(case.begins), CaseScript(case)
    token = Token(uuid=case.uuid, flow_name=case.flow.get("name", "case"), run_no=1, data=case.input)
    course = play(compile_program(case.flow), token, _host(case, clock), clock, script)
    return [*_compare_course(case, course, clock), *_compare_calls(case, script), *script.left_over()]


def _host(case: Case, clock: Clock) -> Host:
    options = case.options
    return Host(
        now=clock.now,
        monotonic=clock.monotonic,
        random=lambda: options.get("random", 0.5),
        validate=lambda data: list(case.faults),
        options=Options(
            retries=options.get("retries", 0),
            retry_delay=parse_duration(options.get("retry_delay", "5m")),
            max_executions=options.get("max_executions", 10),
        ),
        timezone=ZoneInfo(case.timezone),
    )


def _compare_course(case: Case, course: Course, clock: Clock) -> list[str]:
    expect = case.expect
    found: dict[str, Any] = {
        "rest": course.rest.value,
        "error": course.error["code"] if course.error else None,
        "trace": [_row(step) for step in course.steps],
        "data": course.token.data,
        "vars": course.token.vars,
    }
    wanted = {"error": None, "data": case.input, "vars": {}} | expect
    lines = [line for name in found for line in _compare(name, wanted[name], found[name])]
    return lines + (_compare("at", expect["at"], f"{clock.moment:%Y-%m-%dT%H:%M:%SZ}") if "at" in expect else [])


def _compare_calls(case: Case, script: CaseScript) -> list[str]:
    if "calls" not in case.expect:
        return []
    found = [{"object": call.object, "config": call.config, "key": call.idempotency_key} for call in script.calls]
    wanted: list[dict[str, JSON]] = case.expect["calls"]
    lines = _compare("number of calls", len(wanted), len(found))
    for number, (want, got) in enumerate(zip(wanted, found, strict=False)):
        for name, value in want.items():
            lines += _compare(f"calls/{number}/{name}", value, got[name])
    return lines


def _compare(name: str, wanted: JSON, found: JSON) -> list[str]:
    return [] if wanted == found else [f"{name}: expected {wanted!r}, found {found!r}"]


def _row(step: StepDone) -> list[JSON]:
    return [step.seq, step.attempt, step.object, step.port, step.error["code"] if step.error else None]


def _answer(answer: dict[str, Any]) -> Answer | Nothing:
    if "nothing" in answer:
        return Nothing.YET
    if "error" in answer:
        return AppError(**answer["error"])
    if "event" in answer:
        return Event(**{"id": "e1", **answer["event"]})
    return Child(**answer["child"]) if "child" in answer else AppResult(**answer)
