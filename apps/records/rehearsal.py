"""Rehearsals: records played through another version of their flow in memory, what is outside answered as it was.

Nothing is written and nothing is called. Answers of apps, and when somebody let a record go on, come from the record's
trace; keystores, static data and the schema are read as they are now.
"""

import time
from collections import defaultdict, deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from enum import StrEnum
from typing import Any

from django.db.models import Max
from django.utils import timezone

from apps.applications.caller import Caller
from apps.core.errors import BadRequest, Detail
from apps.core.jsonio import JSON
from apps.flows.engine.mapping import mapped
from apps.flows.engine.outcomes import Call, Error, Launch, Listen, Move, Request
from apps.flows.engine.playing import Clock, Course, Rest, Unanswered, play
from apps.flows.engine.program import Program, compile_program
from apps.flows.engine.results import Answer, AppError, AppResult, Child, Event
from apps.flows.engine.tokens import StepDone, Token
from apps.flows.models import Flow, FlowVersion
from apps.flows.services import problems_of
from apps.records.hosts import host_of
from apps.records.models import Record, RecordData, RecordStep, Status
from apps.webhooks.models import WebhookEvent

MOST_RECORDS = 100
MOST_STEPS = 2_000
SECONDS = 10.0
ENDED = (Status.FINISHED, Status.FAILED, Status.REVIEWED, Status.HANDLED)

# An object, and the port a record left it by.
Passage = tuple[str, str]


class Verdict(StrEnum):
    """What another version would mean for a record."""

    SAME = "same path"
    DIFFERENT = "another path"
    UNKNOWN = "not known"  # it comes to a call that the trace has no answer to


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """One record's course: ``before`` as its trace has it, ``after`` as rehearsed.

    ``parts_at`` is the place in both where they part, None when they do not. ``asks`` is the object whose answer nobody
    knows.
    """

    uuid: str
    verdict: Verdict
    before: tuple[Passage, ...]
    after: tuple[Passage, ...]
    parts_at: int | None
    rest: Rest
    error: Error | None
    asks: str
    data: JSON


class TraceScript:
    """What happened to a record, visit by visit, out of the trace of its last run."""

    def __init__(self, steps: Sequence[RecordStep], workspace_id: int, saved: dict[str, Any]) -> None:
        self._workspace_id = workspace_id
        self._saved = saved
        self._visits: dict[str, deque[RecordStep]] = defaultdict(deque)
        for step in steps:
            self._visits[step.object].append(step)
        self._called: set[str] = set()
        self.asks = ""

    def answer(self, request: Request) -> Answer:
        """What came of the request on this visit; a record that was not told anything yet is not told now."""
        self._called.add(request.object)
        visits = self._visits[request.object]
        if not visits:
            return self._without_trace(request)
        step = visits[0]
        if isinstance(request, Listen) and step.port == "timeout":
            return None
        visits.popleft()
        if step.error:
            return AppError(step.error["code"], step.error["message"])
        return self._done(request, step)

    def let_go_on(self, object_id: str) -> timedelta | None:
        """When somebody let the record leave the object; None when nobody did, or its own time was up."""
        visits = self._visits[object_id]
        if object_id in self._called:  # it failed there, and was let go on if the trace has another first attempt
            return timedelta(0) if visits and visits[0].attempt == 1 and visits[0].port != "timeout" else None
        visit = visits.popleft() if visits else None
        if visit is None or visit.error or visit.type == "wait" or visit.port == "timeout":
            return None
        return timedelta(milliseconds=visit.ms)

    def _without_trace(self, request: Request) -> Answer:
        """Moves need nobody outside, and whoever waits goes on waiting; what others would answer is not known."""
        if isinstance(request, Move):
            return AppResult("")
        if isinstance(request, Call) or (isinstance(request, Launch) and not request.wait):
            raise self._unanswered(request)
        return None

    def _done(self, request: Request, step: RecordStep) -> Answer:
        match request:
            case Listen():
                return self._event(request, step.output or {})
            case Launch():
                return self._child(request, step.output or {})
            case Call():
                return self._result(request, step)
        return AppResult("")

    def _event(self, request: Request, heard: dict[str, Any]) -> Event:
        row = WebhookEvent.objects.in_workspace(self._workspace_id).filter(event_id=heard.get("event", "")).first()
        if row is None:  # removed since
            raise self._unanswered(request)
        return Event(row.event_id, heard.get("status", ""), row.payload)

    def _child(self, request: Launch, launched: dict[str, Any]) -> Child:
        uuid, status = launched.get("uuid", ""), launched.get("status", 0)
        if not request.wait:
            return Child(uuid, status)
        content = RecordData.objects.filter(record__workspace=self._workspace_id, record__uuid=uuid).first()
        return Child(uuid, status, content.data if content else None)

    def _result(self, call: Call, step: RecordStep) -> AppResult | AppError:
        """The answer as the trace or a variable has it, put to use as the draft says."""
        name, output = call.config.get("save_to"), step.output
        if isinstance(output, dict) and output.get("truncated") is True:
            if name not in self._saved:
                raise self._unanswered(call)
            output = self._saved[name]
        return mapped(call.config, output, call.scope, step.port)

    def _unanswered(self, request: Request) -> Unanswered:
        self.asks = request.object
        return Unanswered(request.object)


def rehearse_sample(caller: Caller, version: FlowVersion, data: JSON) -> Rehearsal:
    """The course of a document that nobody sent, up to the first call.

    Raises ``BadRequest`` for a flow with problems and for a document that is no object.
    """
    _require(caller)
    if not isinstance(data, dict):
        raise BadRequest("A data record is an object.")
    clock = Clock(timezone.now())
    token = Token(uuid="sample", flow_name=version.flow.name, run_no=1, data=data, began=clock.moment)
    script = TraceScript([], caller.workspace_id, {})
    course = _play(caller.workspace_id, _program(version), token, clock, script)
    return _compared("", [], course, script, underway=True)


def rehearse_records(caller: Caller, flow: Flow, version: FlowVersion, last: int) -> list[Rehearsal]:
    """The newest ``last`` records of the flow that ran, each through the version; at most 100, and for 10 seconds.

    Raises ``BadRequest`` for a flow with problems.
    """
    _require(caller)
    program = _program(version)
    deadline = time.monotonic() + SECONDS
    found = []
    for record in _records(caller.workspace_id, flow, min(last, MOST_RECORDS)):
        if time.monotonic() > deadline:
            break
        found.append(_rehearse(program, record))
    return found


def _require(caller: Caller) -> None:
    caller.require("flowdiagram.read")
    caller.require("record.read")


def _program(version: FlowVersion) -> Program:
    problems: list[Detail] = problems_of(version.source)
    if problems:
        raise BadRequest("The flow cannot be rehearsed before its problems are solved.", details=problems)
    return compile_program(version.document)


def _records(workspace_id: int, flow: Flow, last: int) -> Iterator[Record]:
    rows = Record.objects.in_workspace(workspace_id).filter(flow=flow, date_started__isnull=False)
    newest = rows.select_related("content", "flow").order_by("-id")[: max(last, 0)]
    return iter(newest)


def _rehearse(program: Program, record: Record) -> Rehearsal:
    steps = _last_run(record)
    content = record.content
    token = Token(
        uuid=record.uuid,
        flow_name=record.flow.name,
        run_no=record.run_no,
        data=content.data if content.input is None else content.input,
        began=steps[0].started_at if steps else record.date_created,
    )
    script = TraceScript(steps, record.workspace_id, content.vars)
    course = _play(record.workspace_id, program, token, Clock(token.began or record.date_created), script)
    return _compared(record.uuid, _path(steps), course, script, underway=record.status not in ENDED)


def _last_run(record: Record) -> list[RecordStep]:
    newest = record.steps.aggregate(run=Max("run_no"))["run"]
    return list(record.steps.filter(run_no=newest).order_by("seq", "attempt")[:MOST_STEPS])


def _play(workspace_id: int, program: Program, token: Token, clock: Clock, script: TraceScript) -> Course:
    host = host_of(workspace_id, timedelta(0))
    host = replace(host, now=clock.now, monotonic=clock.monotonic, random=lambda: 0.5)
    return play(program, token, host, clock, script)


def _path(steps: Sequence[RecordStep | StepDone]) -> list[Passage]:
    """Each object passed once, whatever the number of attempts."""
    passed = {step.seq: (step.object, step.port) for step in steps}
    return [passed[seq] for seq in sorted(passed)]


def _compared(
    uuid: str, before: list[Passage], course: Course, script: TraceScript, *, underway: bool = False
) -> Rehearsal:
    """``underway``: the record has not come to its end, so the rehearsal may know more than its trace."""
    after = _path(course.steps)
    parts_at = _parting(before, after)
    if parts_at == len(before) and underway:
        parts_at = None
    if parts_at is None:
        verdict = Verdict.SAME
    elif course.rest is Rest.UNKNOWN and [was for was, _ in before[len(after) :]][:1] == [script.asks]:
        verdict = Verdict.UNKNOWN
    else:
        verdict = Verdict.DIFFERENT
    return Rehearsal(
        uuid, verdict, tuple(before), tuple(after), parts_at, course.rest, course.error, script.asks, course.token.data
    )


def _parting(before: Sequence[Passage], after: Sequence[Passage]) -> int | None:
    """The first place where the two are not the same; None when they are the same to the end."""
    for place, (was, becomes) in enumerate(zip(before, after, strict=False)):
        if was != becomes:
            return place
    return None if len(before) == len(after) else min(len(before), len(after))
