"""The drain: claim due records, walk each through its flow to its next wait, stop or end.

Between a claim and the last checkpoint nothing is held but a lease: no transaction stays open while a call is under
way, and a worker that dies leaves rows that become due again when their lease ends.
"""

import os
import socket
import time
from collections import deque
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait

from django.conf import settings
from django.db import InterfaceError, OperationalError, connection

from apps.core.failpoints import failpoint
from apps.flows.engine.results import AppError, AppResult
from apps.flows.engine.walk import Call, Outcome, StepDone, advance, complete
from apps.flows.selectors import program
from apps.records.claims import MOST_CLAIMS, Claimed, claim_due, claim_expired, give_back
from apps.records.effects import perform
from apps.records.house import prepare
from apps.records.inside import carry_out
from apps.records.runs import (
    CRASH_LOOP,
    Run,
    checkpoint,
    postponed,
    resting,
    set_aside,
    set_aside_defect,
    spot_of,
    underway,
)

PULSE_SECONDS = 2.0
FRESH_SECONDS = 2.0


def worker_name() -> str:
    """This process, as leases name it."""
    return f"{socket.gethostname()[:48]}:{os.getpid()}"


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
            set_aside(claimed, spot_of(claimed), CRASH_LOOP["code"], CRASH_LOOP["message"])
            return
        run = None
        try:
            run = Run.of(claimed)
            self._follow(run, *advance(program(claimed.version_id), run.token, run.host))
        except (OperationalError, InterfaceError):
            raise
        except Exception as error:  # noqa: BLE001 - one record's defect must not stop the others
            set_aside_defect(claimed, run.reached if run else spot_of(claimed), error)

    def _follow(self, run: Run, outcome: Outcome, steps: list[StepDone]) -> None:
        """Write the checkpoint of an outcome, carry out what belongs inside, begin the call it asks for outside."""
        while isinstance(outcome, Call) and outcome.kind == "internal":
            done = carry_out(run, outcome, steps)
            if not isinstance(done, Call):
                return
            outcome, steps = done, []
        if isinstance(outcome, Call):
            self._call(run, outcome, steps)
        else:
            checkpoint(run, resting(run, outcome), steps)

    def _call(self, run: Run, call: Call, steps: list[StepDone]) -> None:
        """Hand an external call to a thread, after the checkpoint that another worker would begin it at."""
        if time.monotonic() > self.deadline + settings.LEASE_SECONDS:
            checkpoint(run, postponed(run), steps)
            return
        stale = time.monotonic() - run.begun > FRESH_SECONDS or run.claimed.claims > 1
        if (steps or run.token.changed or stale) and not checkpoint(run, underway(run), steps):
            return
        prepared = prepare(run.place, call)
        self.calls[self.pool.submit(_perform, prepared)] = (run, call)

    def _collect(self, timeout: float | None) -> None:
        if not self.calls:
            return
        done, _ = wait(self.calls, timeout=timeout, return_when=FIRST_COMPLETED)
        for future in done:
            run, call = self.calls.pop(future)
            self._continue(run, call, future)

    def _continue(self, run: Run, call: Call, future: Future[AppResult | AppError]) -> None:
        failpoint("after-effect")
        try:
            self._follow(run, *complete(program(run.claimed.version_id), run.token, call, future.result(), run.host))
        except (OperationalError, InterfaceError):
            raise
        except Exception as error:  # noqa: BLE001 - as above
            set_aside_defect(run.claimed, run.reached, error)


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


def _perform(call: Call | AppError) -> AppResult | AppError:
    if isinstance(call, AppError):
        return call
    failpoint("before-effect")
    return perform(call)
