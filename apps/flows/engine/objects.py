"""What each type of object does when a record comes by, and with what the host answered it."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from .configs import rendered_fault
from .course import Visit, Walk
from .expressions import ExpressionError
from .operators import OperationError
from .outcomes import Call, Error, Finished, Held, Launch, Listen, Move, Moved, Outcome, Request, Stopped, Waiting
from .program import Ear, Hold, Launcher, Pause, Rules, Task, Transfer
from .results import Answer, AppError, AppResult, Child, Event
from .schedule import ScheduleError
from .templates import Template, TemplateError
from .tokens import Token
from .values import JSON, ValueRefused, measure

MAX_RESULT = 10_000_000
MAX_RENDERED = 10_000_000
MAX_IDENTIFIER = 512
MAX_MOVES = 1_000


def _start(walk: Walk, visit: Visit, work: None) -> None:
    walk.leave(visit, "ok")


def _end(walk: Walk, visit: Visit, work: None) -> Finished:
    walk.record(visit, "")
    walk.token.seq += 1
    return Finished(bool(walk.token.state.get("handled")))


def _decision(walk: Walk, visit: Visit, work: Rules) -> Outcome | None:
    scope = walk.scope()
    try:
        port = next((port for port, when in work.rules if when.evaluate(scope)), "else")
    except ExpressionError as error:
        return walk.fail(visit, "expression", str(error))
    walk.leave(visit, port)
    return None


def _wait(walk: Walk, visit: Visit, work: Pause) -> Outcome | None:
    token = walk.token
    if token.entered_at is not None:
        walk.leave(walk.waited(visit), "ok")
        return None
    try:
        until = _wait_until(walk, visit, work)
    except (ScheduleError, TemplateError) as error:
        return walk.fail(visit, "wait", str(error))
    if until <= visit.started_at:
        walk.leave(visit, "ok")
        return None
    walk.rest(visit)
    return Waiting(walk.bounded(until) or until)


def _wait_until(walk: Walk, visit: Visit, work: Pause) -> datetime:
    if work.date is None:
        return work.schedule.over_at(visit.started_at, walk.host.timezone)
    return work.schedule.moment(work.date.render(walk.scope()), visit.started_at, walk.host.timezone)


def _stop(walk: Walk, visit: Visit, work: Hold) -> Outcome | None:
    token = walk.token
    if token.entered_at is None:
        walk.rest(visit)
        return Stopped(walk.bounded(None if work.timeout is None else visit.started_at + work.timeout))
    late = work.timeout is not None and visit.started_at >= token.entered_at + work.timeout
    walk.leave(walk.waited(visit), "timeout" if late else "resume")
    return None


def _webhook(walk: Walk, visit: Visit, work: Ear) -> Outcome | None:
    try:
        identifier = _identifier(work.identifier.render(walk.scope()))
    except TemplateError as error:
        return walk.fail(walk.waited(visit), "template", str(error))
    if not 0 < len(identifier) <= MAX_IDENTIFIER:
        return walk.fail(
            walk.waited(visit), "identifier", f"The identifier must have 1 to {MAX_IDENTIFIER} characters."
        )
    entered_at = walk.token.entered_at or visit.started_at
    since = None if work.since is None else entered_at - work.since
    return Listen(visit.node.id, visit.started_at, visit.started, work.webhook, identifier, since)


def _identifier(value: JSON) -> str:
    """As webhooks read it from their payloads; "" for what cannot be one."""
    if value is None or isinstance(value, dict | list):
        return ""
    return str(value).lower() if isinstance(value, bool) else str(value)


def _heard(walk: Walk, visit: Visit, work: Ear, request: Request, answer: Answer) -> Outcome | None:
    if isinstance(answer, Event):
        save = {work.save_to: answer.payload} if work.save_to else {}
        port = work.ports.get(answer.status, "else")
        return _judge(walk, walk.waited(visit), AppResult(port, {"event": answer.id, "status": answer.status}, save))
    if answer is not None:
        return _judge(walk, walk.waited(visit), answer)
    until = None if work.timeout is None else (walk.token.entered_at or visit.started_at) + work.timeout
    if until is not None and visit.started_at >= until:
        walk.leave(walk.waited(visit), "timeout")
        return None
    walk.rest(visit)
    return Held(walk.bounded(until))


def _run(walk: Walk, visit: Visit, work: Launcher) -> Outcome | None:
    token, document = walk.token, None
    if token.entered_at is None:
        try:
            document = token.data if work.input is None else _rendered(walk, work.input)
        except (TemplateError, OperationError) as error:
            return walk.fail(visit, "template" if isinstance(error, TemplateError) else "too_large", str(error))
        if not isinstance(document, dict):
            return walk.fail(visit, "input", "The document of the new record is no object.")
    key = f"{_key(token)}:{token.attempt}"
    return Launch(visit.node.id, visit.started_at, visit.started, work.flow, document, work.wait, key)


def _launched(walk: Walk, visit: Visit, work: Launcher, request: Request, answer: Answer) -> Outcome | None:
    if answer is None:
        walk.rest(visit)
        return Held(walk.bounded(None))
    visit = walk.waited(visit)
    if not isinstance(answer, Child):
        return _judge(walk, visit, answer)
    kept = {"status": answer.status, "uuid": answer.uuid, "data": answer.data, "error": answer.error}
    save = {work.save_to: kept} if work.save_to else {}
    result = AppResult("ok", {"uuid": answer.uuid, "status": answer.status}, save)
    if not answer.code:
        return _judge(walk, visit, result)
    walk.keep(result)
    return walk.fail(visit, answer.code, f"The record {answer.uuid} came to a bad end: {_reason(answer.error)}")


def _reason(error: JSON) -> str:
    return f"{error.get('code')}: {error.get('message')}" if isinstance(error, dict) else "it was taken away"


def _move(walk: Walk, visit: Visit, work: Transfer) -> Outcome | None:
    if walk.token.state.get("moves", 0) >= MAX_MOVES:
        return walk.stay_failed(visit, Error(code="loop_guard", message=f"Moved {MAX_MOVES} times from flow to flow."))
    return Move(visit.node.id, visit.started_at, visit.started, work.flow)


def _moved(walk: Walk, visit: Visit, work: Transfer, request: Request, answer: Answer) -> Outcome | None:
    if isinstance(answer, AppError):
        return walk.fail(visit, answer.code, answer.message)
    token = walk.token
    walk.record(visit, "", output={"flow": work.flow})
    token.seq += 1
    # What the old flow saved and counted means nothing in the new one, but for the moves themselves.
    token.vars, token.state = {}, {"moves": token.state.get("moves", 0) + 1}
    token.changed = True
    return Moved(work.flow)


def _task(walk: Walk, visit: Visit, work: Task) -> Outcome | None:
    try:
        config = _rendered(walk, work.config)
    except TemplateError as error:
        return walk.fail(visit, "template", str(error))
    except OperationError as error:
        return walk.fail(visit, "too_large", str(error))
    if work.config.dynamic and (fault := rendered_fault(work.app, config)) is not None:
        return walk.fail(visit, "config", fault)
    if work.app.run is not None:
        return _take_in(walk, visit, work.app.run(config, walk.token.data, walk.host.validate))
    return _call(walk, visit, work, config)


def _rendered(walk: Walk, template: Template) -> JSON:
    """What the template gives; raises TemplateError, and OperationError when the walk has written too much."""
    value, size = template.render_measured(walk.scope())
    walk.rendered += size
    if walk.rendered > MAX_RENDERED:
        raise OperationError("The templates of this walk wrote more than 10 MB.")
    return value


def _call(walk: Walk, visit: Visit, work: Task, config: dict[str, Any]) -> Outcome | None:
    token = walk.token
    if work.once and token.state.get("intent") == intent_of(token):
        walk.forget("intent")
        return walk.fail(visit, "crashed", "The worker died during the call: whether it was made is not known.")
    return Call(
        object=visit.node.id,
        started_at=visit.started_at,
        started=visit.started,
        app=work.app.name,
        kind="internal" if work.app.kind == "internal" else "external",
        config=config,
        timeout=work.timeout,
        idempotency_key=_key(token),
        once=work.once,
        scope=walk.scope(),
    )


def _key(token: Token) -> str:
    return f"{token.uuid}:{token.run_no}:{token.seq + 1}"


def intent_of(token: Token) -> str:
    """What the state names a call by that is under way and must not be made twice."""
    return f"{token.run_no}:{token.seq + 1}:{token.attempt}"


def _called(walk: Walk, visit: Visit, work: Task, request: Request, answer: Answer) -> Outcome | None:
    walk.forget("intent")
    return _judge(walk, visit, answer)


def _judge(walk: Walk, visit: Visit, answer: Answer) -> Outcome | None:
    """Takes in an answer from outside, unless it holds something that cannot be kept."""
    if isinstance(answer, AppResult):
        try:
            measure([answer.output, dict(answer.save), answer.data], MAX_RESULT)
        except ValueRefused as refusal:
            return walk.fail(visit, "output", f"The app answered something that cannot be kept: {refusal}.")
    return _take_in(walk, visit, answer)


def _take_in(walk: Walk, visit: Visit, answer: Answer) -> Outcome | None:
    """Applies what an app answered."""
    if isinstance(answer, AppError):
        return walk.fail(visit, answer.code, answer.message, answer.retry_after)
    if not isinstance(answer, AppResult):
        raise TypeError(f"{type(answer).__name__} is no answer to an object of type '{visit.node.type}'")
    if answer.port not in visit.node.next:
        return walk.fail(visit, "app", f"The app answered the port '{answer.port}', which is not connected.")
    walk.keep(answer)
    walk.leave(visit, answer.port, answer.output)
    return None


EXECUTE: dict[str, Callable[..., Outcome | None]] = {
    "start": _start,
    "end": _end,
    "decision": _decision,
    "set": _task,
    "wait": _wait,
    "stop": _stop,
    "webhook": _webhook,
    "run": _run,
    "move": _move,
    "app": _task,
}
TAKE_IN: dict[type[Request], Callable[..., Outcome | None]] = {
    Listen: _heard,
    Launch: _launched,
    Move: _moved,
    Call: _called,
}
