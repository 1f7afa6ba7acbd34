"""One claimed record on its way through its flow, and where it rests after each outcome."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import structlog
from django.db import transaction

from apps.core.failpoints import failpoint
from apps.flows.engine.walk import (
    Failed,
    Finished,
    Held,
    Host,
    Moved,
    Outcome,
    Retry,
    StepDone,
    Stopped,
    Token,
    Waiting,
)
from apps.records.checkpoints import Content, Position, holds_lease, write_checkpoint
from apps.records.claims import Claimed
from apps.records.hosts import host_of, surroundings_of
from apps.records.house import Place
from apps.records.models import Hold, Status
from apps.records.waking import wake_parents

log = structlog.get_logger(__name__)

# Where a record stands: the object, when it was entered, the steps done, the attempt.
Spot = tuple[str, datetime | None, int, int]
ENDS = frozenset({Status.FINISHED, Status.HANDLED, Status.FAILED})
CRASH_LOOP = {"code": "crash_loop", "message": "The record ended its worker three times and was set aside."}


@dataclass(slots=True)
class Run:
    """A claimed record with the engine's token for it; ``begun`` is the monotonic clock at its last checkpoint."""

    claimed: Claimed
    token: Token
    host: Host
    begun: float
    reached: Spot

    @classmethod
    def of(cls, claimed: Claimed) -> "Run":
        """The run that continues where the record's last checkpoint is."""
        token = Token(
            uuid=claimed.uuid,
            flow_name=claimed.flow_name,
            run_no=claimed.run_no,
            at=claimed.at,
            seq=claimed.seq,
            attempt=claimed.attempt,
            entered_at=claimed.entered_at,
            began=claimed.run_started,
            data=claimed.data,
            vars=claimed.vars,
            state=claimed.state,
        )
        host = host_of(claimed.workspace_id, claimed.ahead)
        return cls(claimed, token, host, time.monotonic(), spot_of(claimed))

    @property
    def place(self) -> Place:
        """The record and its tenant, as apps inside the house know them."""
        claimed, around = self.claimed, surroundings_of(self.claimed.workspace_id)
        return Place(
            workspace_id=claimed.workspace_id,
            project_id=around.project_id,
            project_name=around.project_name,
            organization_id=around.organization_id,
            time_zone=around.time_zone,
            record_id=claimed.record_id,
            uuid=claimed.uuid,
            flow_id=claimed.flow_id,
            flow_name=claimed.flow_name,
            run_no=claimed.run_no,
            application_id=claimed.application_id,
        )

    def copy(self) -> "Run":
        """The same run to go on with; a transaction that is rolled back leaves this one where it was."""
        return replace(self, token=replace(self.token))

    def adopt(self, other: "Run") -> None:
        """Stand where that copy stands, once its transaction is committed."""
        self.token, self.begun, self.reached = other.token, other.begun, other.reached


def spot_of(claimed: Claimed) -> Spot:
    """Where the record's last checkpoint is."""
    return claimed.at, claimed.entered_at, claimed.seq, claimed.attempt


def checkpoint(run: Run, position: Position, steps: list[StepDone]) -> bool:
    """Write down how far the run has come; ``False`` when its lease is lost, and nothing is written."""
    token = run.token
    failpoint("before-checkpoint", run.claimed.uuid)
    content = Content(token.data, token.vars, token.state) if token.changed else None
    kept = _write(run.claimed, token.run_no, position, content, steps)
    failpoint("after-checkpoint", run.claimed.uuid)
    if not kept:
        log.warning("lease lost", record=run.claimed.uuid)
    token.changed = False
    run.begun = time.monotonic()
    run.reached = (position.at, position.entered_at, position.seq, position.attempt)
    return kept


def underway(run: Run) -> Position:
    """The checkpoint before a call: if the worker dies, the next one begins at this call with the same key."""
    token = run.token
    return Position(Status.PROCESSING, token.at, token.entered_at, token.seq, token.attempt, keep=True)


def postponed(run: Run) -> Position:
    """A call this worker has no time for: due at once, for the next one."""
    token = run.token
    return Position(Status.NOT_RUNNING, token.at, token.entered_at, token.seq, token.attempt, wake_at=run.host.now())


def resting(run: Run, outcome: Outcome) -> Position:
    """Where a record rests after an outcome."""
    token = run.token
    where = (token.at, token.entered_at, token.seq, token.attempt)
    match outcome:
        case Finished(handled):
            return Position(Status.HANDLED if handled else Status.FINISHED, *where)
        case Waiting(until):
            return Position(Status.SCHEDULED, *where, wake_at=until)
        case Held(until):
            return Position(Status.NOT_RUNNING, *where, hold=Hold.WAITING, wake_at=until)
        case Moved():
            return Position(Status.NOT_RUNNING, *where, wake_at=run.host.now())
        case Stopped(until):  # without a timeout it waits for somebody; with one it is also due by itself
            return Position(Status.NOT_RUNNING, *where, hold=Hold.STOPPED, wake_at=until)
        case Retry(until, error):
            return Position(
                Status.SCHEDULED, *where, wake_at=until, error_code=error["code"], error_text=error["message"]
            )
        case Failed(error):
            return Position(
                Status.FAILED, *where, hold=Hold.ERROR, error_code=error["code"], error_text=error["message"]
            )
    raise AssertionError(outcome)


def set_aside_defect(claimed: Claimed, reached: Spot, error: Exception) -> None:
    """Fail a record that the platform itself could not run; the log has the cause."""
    log.error("flow execution failed", record=claimed.uuid, exc_info=error)
    set_aside(claimed, reached, "defect", f"The platform could not run this record ({type(error).__name__}).")


def set_aside(claimed: Claimed, reached: Spot, code: str, message: str) -> None:
    """Fail a record where its last checkpoint is, leaving its document and trace as they are."""
    position = Position(Status.FAILED, *reached, hold=Hold.ERROR, error_code=code, error_text=message)
    _write(claimed, claimed.run_no, position, None, [])


def _write(
    claimed: Claimed, run_no: int, position: Position, content: Content | None, steps: Sequence[StepDone]
) -> bool:
    """The checkpoint; where it is the end of a record that another one may wait for, that one is told."""
    where = (claimed.record_id, claimed.lease_token)
    if claimed.parent_id is None or position.status not in ENDS:
        return write_checkpoint(*where, run_no, position, content, steps)
    with transaction.atomic():
        kept = holds_lease(*where, claimed.parent_id) and write_checkpoint(*where, run_no, position, content, steps)
        if kept:
            wake_parents([claimed.record_id])
    return kept
