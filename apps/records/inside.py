"""Carrying out what belongs in the database, in one transaction with the checkpoint that follows it."""

import structlog
from django.db import OperationalError, transaction

from apps.flows.engine.results import AppError
from apps.flows.engine.walk import Call, Outcome, StepDone, complete
from apps.flows.selectors import program
from apps.records.checkpoints import holds_lease
from apps.records.house import REPEATABLE, perform_inside, sqlstate
from apps.records.runs import Run, checkpoint, resting, underway

log = structlog.get_logger(__name__)

MOST_TRIES = 3
CLASH = AppError("clash", "Others were changing the same rows at the same time.")


def carry_out(run: Run, call: Call, steps: list[StepDone]) -> Outcome | None:
    """The app's work, the walk to the next outcome and its checkpoint, all or nothing.

    Returns the outcome, or nothing when the lease was lost. A deadlock or a serialization failure is tried again;
    after three the app has failed with ``clash``.
    """
    for _ in range(MOST_TRIES):
        try:
            return _carry_out(run, call, steps)
        except OperationalError as error:
            if sqlstate(error) not in REPEATABLE:
                raise
    return _carry_out(run, call, steps, CLASH)


def _carry_out(run: Run, call: Call, steps: list[StepDone], result: AppError | None = None) -> Outcome | None:
    ahead = run.copy()
    with transaction.atomic():
        if not holds_lease(run.claimed.record_id, run.claimed.lease_token):
            log.warning("lease lost", record=run.claimed.uuid)
            return None
        answer = result or perform_inside(ahead.place, call)
        outcome, more = complete(program(run.claimed.version_id), ahead.token, call, answer, run.host)
        checkpoint(ahead, underway(ahead) if isinstance(outcome, Call) else resting(ahead, outcome), [*steps, *more])
    run.adopt(ahead)
    return outcome
