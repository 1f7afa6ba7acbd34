"""The token walker: takes a record from object to object until something has to be waited for or done outside."""

from .course import Walk
from .host import Host, Options
from .objects import EXECUTE, TAKE_IN, intent_of
from .outcomes import (
    Call,
    Error,
    Failed,
    Finished,
    Held,
    Launch,
    Listen,
    Move,
    Moved,
    Outcome,
    Request,
    Retry,
    Stopped,
    Waiting,
)
from .program import Program
from .results import Answer, AppError, AppResult, Child, Event
from .tokens import StepDone, Token

__all__ = [
    "Answer",
    "AppError",
    "AppResult",
    "Call",
    "Child",
    "Error",
    "Event",
    "Failed",
    "Finished",
    "Held",
    "Host",
    "Launch",
    "Listen",
    "Move",
    "Moved",
    "Options",
    "Outcome",
    "Request",
    "Retry",
    "StepDone",
    "Stopped",
    "Token",
    "Waiting",
    "advance",
    "complete",
    "note_intent",
]


def advance(program: Program, token: Token, host: Host) -> tuple[Outcome, list[StepDone]]:
    """Walks on from where the token stands, changing it, until an outcome; the steps are those done on the way."""
    walk = Walk(program, token, host)
    return _go_on(walk, None), walk.steps


def complete(
    program: Program, token: Token, request: Request, answer: Answer, host: Host
) -> tuple[Outcome, list[StepDone]]:
    """Takes in what came of a request, then walks on; raises ValueError when the token stands elsewhere."""
    if token.at != request.object or token.at not in program.nodes:
        raise ValueError(f"the token stands at '{token.at}', the request was for '{request.object}'")
    walk = Walk(program, token, host)
    visit = walk.visit(request.started_at, request.started)
    return _go_on(walk, TAKE_IN[type(request)](walk, visit, visit.node.work, request, answer)), walk.steps


def note_intent(token: Token) -> None:
    """Notes in the token's state that its call is about to be made; belongs in the checkpoint before a ``once`` call.

    Whoever finds the note instead of an answer knows that the worker died in between.
    """
    token.state = {**token.state, "intent": intent_of(token)}
    token.changed = True


def _go_on(walk: Walk, outcome: Outcome | None) -> Outcome:
    while outcome is None:
        outcome = _visit(walk)
    return outcome


def _visit(walk: Walk) -> Outcome | None:
    """Carries out the object the token stands at; None when it was left and the walk goes on."""
    token, host = walk.token, walk.host
    token.at = token.at or walk.program.start
    if token.at not in walk.program.nodes:
        return Failed(Error(code="unknown_object", message=f"The flow has no object '{token.at}'."))
    visit = walk.visit(host.now(), host.monotonic())
    refusal = walk.expired(visit) or walk.refuse(visit.node)
    if refusal is not None:
        return walk.stay_failed(walk.waited(visit), refusal)
    return EXECUTE[visit.node.type](walk, visit, visit.node.work)
