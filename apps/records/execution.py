"""The drain: claim due records, walk each through its flow to its next wait, stop or end.

Between a claim and the last checkpoint nothing is held but a lease: no transaction stays open while a call is under
way, and a worker that dies leaves rows that become due again when their lease ends.
"""

import os
import socket
import time
from collections import deque
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from datetime import datetime

import structlog
from django.conf import settings
from django.db import InterfaceError, OperationalError, connection

from apps.core.failpoints import failpoint
from apps.flows.engine.results import AppError, AppResult
from apps.flows.engine.walk import (
    Call,
    Failed,
    Finished,
    Host,
    Outcome,
    Retry,
    StepDone,
    Stopped,
    Token,
    Waiting,
    advance,
    complete,
)
from apps.flows.selectors import program
from apps.records.checkpoints import Content, Position, write_checkpoint
from apps.records.claims import MOST_CLAIMS, Claimed, claim_due, claim_expired, give_back
from apps.records.effects import perform
from apps.records.hosts import host_of
from apps.records.models import Hold, Status

log = structlog.get_logger(__name__)

# Where a record stands: the object, when it was entered, the steps done, the attempt.
Place = tuple[str, datetime | None, int, int]
PULSE_SECONDS = 2.0
FRESH_SECONDS = 2.0
CRASH_LOOP = {"code": "crash_loop", "message": "The record ended its worker three times and was set aside."}


def worker_name() -> str:
    """This process, as leases name it."""
    return f"{socket.gethostname()[:48]}:{os.getpid()}"


@dataclass(slots=True)
class Run:
    """One claimed record on its way through its flow."""

    claimed: Claimed
    token: Token
    host: Host
    begun: float
    reached: Place

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
            data=claimed.data,
            vars=claimed.vars,
            state=claimed.state,
        )
        host = host_of(claimed.workspace_id, claimed.ahead)
        return cls(claimed, token, host, time.monotonic(), _place(claimed))


class Drain:
    """Runs due records until none is left or ``seconds`` are used; calls under way are waited for at the end."""

    def __init__(self, worker: str, seconds: float) -> None:
        self.worker = worker
        self.deadline = time.monotonic() + seconds
        self.calls: dict[Future[AppResult | AppError], tuple[Run, Call]] = {}
        self.handled = 0
        self.more = False
        self.pulse = float("-inf")

    def run(self) -> tuple[int, bool]:
        """Returns how many records were taken on, and whether there may be more."""
        with ThreadPoolExecutor(settings.EXTERNAL_CALLS, thread_name_prefix="call") as pool:
            self.pool = pool
            while time.monotonic() < self.deadline and (self._claim_and_walk() or self.calls):
                self._collect(0.0 if self.more else 0.05)
            self._finish_calls()
        return self.handled, self.more

    def _claim_and_walk(self) -> bool:
        """Claim what there is room for; one whose last worker died runs while nothing else does."""
        self._note_pulse()
        free = settings.EXTERNAL_CALLS - len(self.calls)
        if free <= 0:
            self.more = True
            return True
        expired = [] if self.calls else claim_expired(self.worker)
        claimed = expired or claim_due(self.worker, min(free, settings.CLAIM_BATCH))
        failpoint("after-claim")
        self._take_on(deque(claimed))
        if expired:
            self._finish_calls()
        self.more = bool(claimed)
        return self.more

    def _finish_calls(self) -> None:
        while self.calls:
            self._note_pulse()
            self._collect(1.0)

    def _note_pulse(self) -> None:
        if time.monotonic() - self.pulse > PULSE_SECONDS:
            self.pulse = time.monotonic()
            note_pulse(self.worker)

    def _take_on(self, claimed: deque[Claimed]) -> None:
        """Walk the batch; what is not begun within a third of the lease goes back to other workers."""
        begun = time.monotonic()
        while claimed:
            if time.monotonic() - begun > settings.LEASE_SECONDS / 3:
                give_back(claimed)
                return
            self.handled += 1
            self._begin(claimed.popleft())
            self._collect(0.0)

    def _begin(self, claimed: Claimed) -> None:
        if claimed.claims > MOST_CLAIMS:
            _set_aside(claimed, _place(claimed), CRASH_LOOP["code"], CRASH_LOOP["message"])
            return
        run = None
        try:
            run = Run.of(claimed)
            failpoint("before-walk", claimed.uuid)
            self._follow(run, *advance(program(claimed.version_id), run.token, run.host))
        except (OperationalError, InterfaceError):
            raise
        except Exception as error:  # noqa: BLE001 - one record's defect must not stop the others
            _set_aside_defect(claimed, run.reached if run else _place(claimed), error)

    def _follow(self, run: Run, outcome: Outcome, steps: list[StepDone]) -> None:
        """Write the checkpoint of an outcome, and begin the call it asks for."""
        if isinstance(outcome, Call) and time.monotonic() > self.deadline + settings.LEASE_SECONDS:
            _checkpoint(run, _postponed(run), steps)
        elif isinstance(outcome, Call):
            stale = time.monotonic() - run.begun > FRESH_SECONDS or run.claimed.claims > 1
            if (steps or run.token.changed or stale) and not _checkpoint(run, _underway(run), steps):
                return
            self.calls[self.pool.submit(_perform, run.claimed.uuid, outcome)] = (run, outcome)
        else:
            _checkpoint(run, _position(run, outcome), steps)

    def _collect(self, timeout: float | None) -> None:
        if not self.calls:
            return
        done, _ = wait(self.calls, timeout=timeout, return_when=FIRST_COMPLETED)
        for future in done:
            run, call = self.calls.pop(future)
            self._continue(run, call, future)

    def _continue(self, run: Run, call: Call, future: Future[AppResult | AppError]) -> None:
        failpoint("after-effect", run.claimed.uuid)
        try:
            self._follow(run, *complete(program(run.claimed.version_id), run.token, call, future.result(), run.host))
        except (OperationalError, InterfaceError):
            raise
        except Exception as error:  # noqa: BLE001 - as above
            _set_aside_defect(run.claimed, run.reached, error)


def drain(seconds: float | None = None) -> tuple[int, bool]:
    """Run what is due for at most ``seconds`` (``DRAIN_SECONDS``).

    Returns how many records were taken on, and whether the time ended before the queue did.
    """
    return Drain(worker_name(), settings.DRAIN_SECONDS if seconds is None else seconds).run()


def note_pulse(worker: str) -> None:
    """Say that this worker is alive."""
    with connection.cursor() as cursor:
        cursor.execute(
            "WITH gone AS (DELETE FROM records_workerpulse WHERE seen_at < now() - interval '1 day')"
            " INSERT INTO records_workerpulse AS p (name, seen_at) VALUES (%s, now()) ON CONFLICT (name)"
            " DO UPDATE SET seen_at = now() WHERE p.seen_at < now() - interval '2 seconds'",
            [worker],
        )


def _perform(uuid: str, call: Call) -> AppResult | AppError:
    failpoint("before-effect", uuid)
    return perform(call)


def _checkpoint(run: Run, position: Position, steps: list[StepDone]) -> bool:
    token = run.token
    failpoint("before-checkpoint", run.claimed.uuid)
    content = Content(token.data, token.vars, token.state) if token.changed else None
    kept = write_checkpoint(run.claimed.record_id, run.claimed.lease_token, token.run_no, position, content, steps)
    failpoint("after-checkpoint", run.claimed.uuid)
    if not kept:
        log.warning("lease lost", record=run.claimed.uuid)
    token.changed = False
    run.begun = time.monotonic()
    run.reached = (position.at, position.entered_at, position.seq, position.attempt)
    return kept


def _underway(run: Run) -> Position:
    """The checkpoint before a call: if the worker dies, the next one begins at this call with the same key."""
    token = run.token
    return Position(Status.PROCESSING, token.at, token.entered_at, token.seq, token.attempt, keep=True)


def _postponed(run: Run) -> Position:
    """A call this drain has no time for: due at once, for the next one."""
    token = run.token
    return Position(Status.NOT_RUNNING, token.at, token.entered_at, token.seq, token.attempt, wake_at=run.host.now())


def _position(run: Run, outcome: Outcome) -> Position:
    """Where a record rests after an outcome."""
    token = run.token
    where = (token.at, token.entered_at, token.seq, token.attempt)
    match outcome:
        case Finished(handled):
            return Position(Status.HANDLED if handled else Status.FINISHED, *where)
        case Waiting(until):
            return Position(Status.SCHEDULED, *where, wake_at=until)
        case Stopped(until):
            return _stopped(where, until)
        case Retry(until, error):
            return Position(
                Status.SCHEDULED, *where, wake_at=until, error_code=error["code"], error_text=error["message"]
            )
        case Failed(error):
            return Position(
                Status.FAILED, *where, hold=Hold.ERROR, error_code=error["code"], error_text=error["message"]
            )
    raise AssertionError(outcome)


def _stopped(where: Place, until: datetime | None) -> Position:
    """A stop without a timeout waits for somebody; with one it is also due by itself."""
    return Position(Status.NOT_RUNNING, *where, hold=Hold.STOPPED, wake_at=until)


def _set_aside_defect(claimed: Claimed, reached: Place, error: Exception) -> None:
    log.error("flow execution failed", record=claimed.uuid, exc_info=error)
    _set_aside(claimed, reached, "defect", f"The platform could not run this record ({type(error).__name__}).")


def _set_aside(claimed: Claimed, reached: Place, code: str, message: str) -> None:
    """Fail a record where its last checkpoint is, leaving its document and trace as they are."""
    position = Position(Status.FAILED, *reached, hold=Hold.ERROR, error_code=code, error_text=message)
    write_checkpoint(claimed.record_id, claimed.lease_token, claimed.run_no, position, None, [])


def _place(claimed: Claimed) -> Place:
    return claimed.at, claimed.entered_at, claimed.seq, claimed.attempt
