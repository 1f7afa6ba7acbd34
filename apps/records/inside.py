"""Carrying out what belongs in the database, in one transaction with the checkpoint that follows it."""

from collections.abc import Callable
from typing import TypeGuard

import structlog
from django.db import OperationalError, connection, transaction

from apps.flows.engine.results import Answer, AppError, AppResult
from apps.flows.engine.walk import Call, Launch, Listen, Move, Moved, Outcome, Request, StepDone, complete
from apps.flows.models import Flow
from apps.flows.selectors import program
from apps.records.checkpoints import holds_lease
from apps.records.house import REPEATABLE, perform_inside, sqlstate
from apps.records.launching import find_destination, find_or_launch, keep_waiting
from apps.records.listening import hold_events_still, keep_listening, next_event, webhook_of
from apps.records.runs import Run, checkpoint, resting, underway

log = structlog.get_logger(__name__)

MOST_TRIES = 3
CLASH = AppError("clash", "Others were changing the same rows at the same time.")
# Where a record begins anew; everything else of its position is written by the checkpoint before.
_BEGIN_ANEW = """
WITH content AS (UPDATE records_recorddata SET input = NULL WHERE record_id = %(record)s)
UPDATE records_record SET flow_id = %(flow)s, flow_version_id = %(version)s, at = '', seq = 0, attempt = 1,
       run_no = run_no + 1, run_started = NULL, entered_at = NULL, wake_at = now()
WHERE id = %(record)s
"""


def is_inside(outcome: Outcome) -> TypeGuard[Request]:
    """Whether the outcome asks for something that belongs in the transaction of the next checkpoint."""
    return isinstance(outcome, Request) and not (isinstance(outcome, Call) and outcome.kind == "external")


def carry_out(run: Run, request: Request, steps: list[StepDone]) -> Outcome | None:
    """What is asked for, the walk to the next outcome and its checkpoint, all or nothing.

    Returns the outcome, or nothing when the lease was lost. A deadlock or a serialization failure is tried again;
    after three the object has failed with ``clash``.
    """
    act = _ACTS[type(request)]
    for _ in range(MOST_TRIES):
        try:
            return _in_transaction(act, run, request, steps)
        except OperationalError as error:
            if sqlstate(error) not in REPEATABLE:
                raise
    return _in_transaction(_give_up, run, request, steps)


Act = Callable[[Run, Request, list[StepDone]], Outcome | None]


def _in_transaction(act: Act, run: Run, request: Request, steps: list[StepDone]) -> Outcome | None:
    ahead = run.copy()
    with transaction.atomic():
        outcome = act(ahead, request, steps)
    if outcome is None:
        log.warning("lease lost", record=run.claimed.uuid)
    else:
        run.adopt(ahead)
    return outcome


def _ours(run: Run) -> bool:
    return holds_lease(run.claimed.record_id, run.claimed.lease_token, run.claimed.parent_id)


def _go_on(run: Run, request: Request, answer: Answer, steps: list[StepDone]) -> Outcome:
    outcome, more = complete(program(run.claimed.version_id), run.token, request, answer, run.host)
    checkpoint(run, underway(run) if isinstance(outcome, Request) else resting(run, outcome), [*steps, *more])
    return outcome


def _call(run: Run, request: Call, steps: list[StepDone]) -> Outcome | None:
    return _go_on(run, request, perform_inside(run.place, request), steps) if _ours(run) else None


def _listen(run: Run, request: Listen, steps: list[StepDone]) -> Outcome | None:
    webhook_id = webhook_of(run, request)
    hold_events_still(request, webhook_id)
    if not _ours(run):
        return None
    outcome = _go_on(run, request, next_event(run, request, webhook_id), steps)
    keep_listening(run, request, webhook_id, outcome)
    return outcome


def _launch(run: Run, request: Launch, steps: list[StepDone]) -> Outcome | None:
    if not _ours(run):
        return None
    outcome = _go_on(run, request, find_or_launch(run, request), steps)
    keep_waiting(run, request, outcome)
    return outcome


def _move(run: Run, request: Move, steps: list[StepDone]) -> Outcome | None:
    if not _ours(run):
        return None
    flow = find_destination(run.claimed.workspace_id, request.flow)
    outcome = _go_on(run, request, flow if isinstance(flow, AppError) else AppResult(""), steps)
    if isinstance(outcome, Moved) and isinstance(flow, Flow):
        with connection.cursor() as cursor:
            cursor.execute(
                _BEGIN_ANEW, {"flow": flow.pk, "version": flow.live_version_id, "record": run.claimed.record_id}
            )
    return outcome


def _give_up(run: Run, request: Request, steps: list[StepDone]) -> Outcome | None:
    return _go_on(run, request, CLASH, steps) if _ours(run) else None


_ACTS: dict[type[Request], Callable[..., Outcome | None]] = {
    Call: _call,
    Listen: _listen,
    Launch: _launch,
    Move: _move,
}
