"""The token walker: takes a record from object to object until something has to be waited for or done outside."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from .configs import rendered_fault
from .expressions import ExpressionError
from .host import Host, Options
from .outcomes import Call, Error, Failed, Finished, Outcome, Retry, Stopped, Waiting
from .program import Hold, Node, Pause, Program, Rules, Task
from .results import AppError, AppResult
from .schedule import ScheduleError
from .templates import TemplateError
from .tokens import StepDone, Token, bounded_output
from .values import JSON, ValueRefused, measure

__all__ = [
    "AppError",
    "AppResult",
    "Call",
    "Error",
    "Failed",
    "Finished",
    "Host",
    "Options",
    "Outcome",
    "Retry",
    "StepDone",
    "Stopped",
    "Token",
    "Waiting",
    "advance",
    "complete",
]

MAX_RESULT = 10_000_000
MAX_RENDERED = 10_000_000
MAX_MESSAGE = 500


def advance(program: Program, token: Token, host: Host) -> tuple[Outcome, list[StepDone]]:
    """Walks on from where the token stands, changing it, until an outcome; the steps are those done on the way."""
    walk = _Walk(program, token, host)
    return walk.go_on(None), walk.steps


def complete(
    program: Program, token: Token, call: Call, result: AppResult | AppError, host: Host
) -> tuple[Outcome, list[StepDone]]:
    """Takes in what the app of a call answered, then walks on; raises ValueError when the token stands elsewhere."""
    if token.at != call.object or token.at not in program.nodes:
        raise ValueError(f"the token stands at '{token.at}', the call was for '{call.object}'")
    walk = _Walk(program, token, host)
    visit = _Visit(program.nodes[token.at], call.started_at, call.started)
    return walk.go_on(walk.judge(visit, result)), walk.steps


@dataclass(frozen=True, slots=True)
class _Visit:
    """One attempt at an object, from its beginning."""

    node: Node
    started_at: datetime
    started: float


class _Walk:
    def __init__(self, program: Program, token: Token, host: Host) -> None:
        self.program = program
        self.token = token
        self.host = host
        self.steps: list[StepDone] = []
        self.rendered = 0

    def go_on(self, outcome: Outcome | None) -> Outcome:
        while outcome is None:
            outcome = self.visit()
        return outcome

    def visit(self) -> Outcome | None:
        """Carries out the object the token stands at; None when it was left and the walk goes on."""
        token, host = self.token, self.host
        token.at = token.at or self.program.start
        node = self.program.nodes.get(token.at)
        if node is None:
            return Failed(Error(code="unknown_object", message=f"The flow has no object '{token.at}'."))
        visit = _Visit(node, host.now(), host.monotonic())
        refusal = self.refuse(node)
        if refusal is not None:
            return self.stay_failed(visit, refusal)
        return _EXECUTE[node.type](self, visit, node.work)

    def refuse(self, node: Node) -> Error | None:
        """Counts a new visit of an object that may repeat; the error when it, or any further step, is too much."""
        token = self.token
        if token.attempt > 1 or token.entered_at is not None:
            return None
        if token.seq >= self.program.max_steps:
            return Error(code="max_steps", message=f"More than {self.program.max_steps} steps in one run.")
        if not node.repeats:
            return None
        executions = token.state.get("executions", {})
        count, most = executions.get(node.id, 0) + 1, self.host.options.max_executions
        if 0 < most < count:
            return Error(code="loop_guard", message=f"Executed more than {most} times in one run.")
        self.remember(executions={**executions, node.id: count})
        return None

    def remember(self, **state: Any) -> None:
        self.token.state = {**self.token.state, **state}
        self.token.changed = True

    def record(self, visit: _Visit, port: str, error: Error | None = None, output: JSON = None) -> None:
        token, node = self.token, visit.node
        ms = round((self.host.monotonic() - visit.started) * 1000)
        step = (token.seq + 1, token.attempt, node.id, node.type, node.text, port, visit.started_at, ms)
        self.steps.append(StepDone(*step, error, bounded_output(output)))

    def leave(self, visit: _Visit, port: str, output: JSON = None) -> None:
        """Journals the object as done and moves to where its port leads."""
        self.record(visit, port, output=output)
        self.move(visit.node.next[port])

    def move(self, target: str) -> None:
        token = self.token
        token.seq += 1
        token.at, token.attempt, token.entered_at = target, 1, None

    def fail(self, visit: _Visit, code: str, message: str) -> Outcome | None:
        """The way of every error: another attempt, the port ``error``, ``on_error``, or the record fails."""
        token, node, options = self.token, visit.node, self.host.options
        error = Error(code=code, message=message[:MAX_MESSAGE])
        if node.retry.allows(token.attempt, code, options.retries):
            delay = node.retry.delay_after(token.attempt, options.retry_delay, self.host.random)
            self.record(visit, "", error)
            token.attempt += 1
            return Retry(self.host.now() + delay, error)
        target = node.next.get("error") or self.on_error(node)
        if target is None:
            return self.stay_failed(visit, error)
        self.record(visit, "error" if "error" in node.next else "", error)
        self.remember(handled=True, error={"object": node.id, **error})
        self.move(target)
        return None

    def on_error(self, node: Node) -> str | None:
        """The document's handler; the handler itself has none, or its own failure would go round for ever."""
        return self.program.on_error if self.program.on_error != node.id else None

    def stay_failed(self, visit: _Visit, error: Error) -> Failed:
        self.record(visit, "", error)
        # The step is over: when somebody resumes the record it is a new one, with a new idempotency key.
        self.token.seq += 1
        return Failed(error)

    def scope(self) -> dict[str, Any]:
        """The roots of expressions; the reserved ones hide keys of the record with the same name."""
        token = self.token
        system = {
            "now": self.host.now().isoformat(),
            "uuid": token.uuid,
            "flow": token.flow_name,
            "error": token.state.get("error"),
        }
        roots = dict(token.data) if isinstance(token.data, dict) else {}
        roots.update(record=token.data, vars=token.vars, system=system, keystore=None, static=None)
        return roots

    def take_in(self, visit: _Visit, result: AppResult | AppError) -> Outcome | None:
        """Applies what an app answered."""
        if isinstance(result, AppError):
            return self.fail(visit, result.code, result.message)
        if result.port not in visit.node.next:
            return self.fail(visit, "app", f"The app answered the port '{result.port}', which is not connected.")
        self.keep(result)
        self.leave(visit, result.port, result.output)
        return None

    def judge(self, visit: _Visit, result: AppResult | AppError) -> Outcome | None:
        """Takes in an answer from outside, unless it holds something that cannot be kept."""
        if isinstance(result, AppResult):
            try:
                measure([result.output, dict(result.save), result.data], MAX_RESULT)
            except ValueRefused as refusal:
                return self.fail(visit, "output", f"The app answered something that cannot be kept: {refusal}.")
        return self.take_in(visit, result)

    def keep(self, result: AppResult) -> None:
        if result.save:
            self.token.vars = {**self.token.vars, **result.save}
            self.token.changed = True
        if result.data is not None:
            self.token.data = result.data
            self.token.changed = True


def _start(walk: _Walk, visit: _Visit, work: None) -> None:
    walk.leave(visit, "ok")


def _end(walk: _Walk, visit: _Visit, work: None) -> Finished:
    walk.record(visit, "")
    walk.token.seq += 1
    return Finished(bool(walk.token.state.get("handled")))


def _decision(walk: _Walk, visit: _Visit, work: Rules) -> Outcome | None:
    scope = walk.scope()
    try:
        port = next((port for port, when in work.rules if when.evaluate(scope)), "else")
    except ExpressionError as error:
        return walk.fail(visit, "expression", str(error))
    walk.leave(visit, port)
    return None


def _wait(walk: _Walk, visit: _Visit, work: Pause) -> Outcome | None:
    token = walk.token
    if token.entered_at is not None:
        walk.leave(_since(visit, token.entered_at), "ok")
        return None
    try:
        until = _wait_until(walk, visit, work)
    except (ScheduleError, TemplateError) as error:
        return walk.fail(visit, "wait", str(error))
    if until <= visit.started_at:
        walk.leave(visit, "ok")
        return None
    token.entered_at = visit.started_at
    return Waiting(until)


def _wait_until(walk: _Walk, visit: _Visit, work: Pause) -> datetime:
    if work.date is None:
        return work.schedule.over_at(visit.started_at, walk.host.timezone)
    return work.schedule.moment(work.date.render(walk.scope()), visit.started_at, walk.host.timezone)


def _stop(walk: _Walk, visit: _Visit, work: Hold) -> Outcome | None:
    token = walk.token
    if token.entered_at is None:
        token.entered_at = visit.started_at
        return Stopped(None if work.timeout is None else visit.started_at + work.timeout)
    late = work.timeout is not None and visit.started_at >= token.entered_at + work.timeout
    walk.leave(_since(visit, token.entered_at), "timeout" if late else "resume")
    return None


def _since(visit: _Visit, entered_at: datetime) -> _Visit:
    """The visit as one that began when the record came to wait; only the wall clock runs through a wait."""
    waited = (visit.started_at - entered_at).total_seconds()
    return _Visit(visit.node, entered_at, visit.started - max(waited, 0.0))


def _task(walk: _Walk, visit: _Visit, work: Task) -> Outcome | None:
    try:
        config, size = work.config.render_measured(walk.scope())
    except TemplateError as error:
        return walk.fail(visit, "template", str(error))
    walk.rendered += size
    if walk.rendered > MAX_RENDERED:
        return walk.fail(visit, "too_large", "The templates of this walk wrote more than 10 MB.")
    if work.config.dynamic and (fault := rendered_fault(work.app, config)) is not None:
        return walk.fail(visit, "config", fault)
    if work.app.run is not None:
        return walk.take_in(visit, work.app.run(config, walk.token.data, walk.host.validate))
    return _call(walk, visit, work, config)


def _call(walk: _Walk, visit: _Visit, work: Task, config: dict[str, Any]) -> Call:
    token = walk.token
    return Call(
        object=visit.node.id,
        app=work.app.name,
        kind="internal" if work.app.kind == "internal" else "external",
        config=config,
        timeout=work.timeout,
        idempotency_key=f"{token.uuid}:{token.run_no}:{token.seq + 1}",
        started_at=visit.started_at,
        started=visit.started,
        scope=walk.scope(),
    )


_EXECUTE: dict[str, Callable[..., Outcome | None]] = {
    "start": _start,
    "end": _end,
    "decision": _decision,
    "set": _task,
    "wait": _wait,
    "stop": _stop,
    "app": _task,
}
