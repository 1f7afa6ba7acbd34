"""The drain: claim due records, walk each through its flow to its next wait, stop or end.

Between a claim and the last checkpoint nothing is held but a lease: no transaction stays open while a call is under
way, and a worker that dies leaves rows that become due again when their lease ends.
"""

import contextlib
import os
import socket
import threading
import time
from collections import Counter, deque
from concurrent.futures import Future, ThreadPoolExecutor

from django.conf import settings
from django.db import InterfaceError, OperationalError, connection

from apps.core.failpoints import failpoint
from apps.flows.engine.results import AppError, AppResult
from apps.flows.engine.walk import Call, Outcome, Request, StepDone, advance, complete, note_intent
from apps.flows.selectors import program
from apps.records.claims import MOST_CLAIMS, Claimed, claim_due, claim_expired, give_back
from apps.records.effects import perform
from apps.records.house import prepare
from apps.records.inside import carry_out, is_inside
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
DRAIN_SECONDS = 5.0
SUSPECT_SECONDS = 1.0
DATABASE_ERRORS = (OperationalError, InterfaceError)


def worker_name() -> str:
    """This process, as leases name it."""
    return f"{socket.gethostname()[:48]}:{os.getpid()}"


class Drain:
    """Takes on due records, round by round; calls under way never keep it from others.

    ``bell`` is set when a call has ended, so that whoever waits for the next round can begin it.
    """

    def __init__(self, worker: str, bell: threading.Event | None = None) -> None:
        self.worker = worker
        self.bell = bell or threading.Event()
        self.calls: dict[Future[AppResult | AppError], tuple[Run, Call]] = {}
        self.suspect: Claimed | None = None
        self.parked_at = self.look_at = float("-inf")
        self.turn = True
        self.handled = 0
        self.pulse = float("-inf")
        self.pool = ThreadPoolExecutor(settings.EXTERNAL_CALLS, thread_name_prefix="call")

    def run(self, seconds: float) -> tuple[int, bool]:
        """Rounds until nothing is due or ``seconds`` are used; then the calls under way are waited for.

        Returns how many records were taken on, and whether the time ended before the queue did.
        """
        deadline, more = time.monotonic() + seconds, True
        try:
            while time.monotonic() < deadline and (more or self.calls):
                found = self.go_round()
                more = found or self.is_full or self.suspect is not None
                if not found and more | bool(self.calls):
                    self.bell.wait(0.05)
            self.finish()
        finally:
            self.pool.shutdown(wait=False, cancel_futures=True)
        return self.handled, more

    def go_round(self) -> bool:
        """Take in what calls have answered, then claim and walk what there is room for; whether there was anything."""
        self.bell.clear()
        self._note_pulse()
        self._collect()
        if self._has_suspect():
            return not self.calls and self._run_suspect()
        skipped, self.turn = not self.turn, True
        if self.is_full:
            return False
        free = settings.EXTERNAL_CALLS - len(self.calls)
        under_way = Counter(run.claimed.flow_id for run, _ in self.calls.values())
        claimed = claim_due(self.worker, min(free, settings.CLAIM_BATCH), under_way)
        if claimed:
            failpoint("after-claim")
        self._take_on(deque(claimed))
        return bool(claimed) or skipped

    @property
    def is_full(self) -> bool:
        """Whether no further call could begin."""
        return len(self.calls) >= settings.EXTERNAL_CALLS

    def finish(self, seconds: float = float("inf")) -> None:
        """Wait for the calls under way; what takes longer than ``seconds`` is handed back to whoever comes next."""
        deadline = time.monotonic() + seconds
        while self.calls and time.monotonic() < deadline:
            self.bell.clear()
            self._note_pulse()
            self._collect()
            if self.calls:
                self.bell.wait(min(1.0, max(deadline - time.monotonic(), 0.0)))
        if self.suspect:
            give_back([self.suspect])
        for run, _ in self.calls.values():
            checkpoint(run, postponed(run), [])
        self.suspect = None
        self.calls.clear()

    def _note_pulse(self) -> None:
        if time.monotonic() - self.pulse > PULSE_SECONDS:
            self.pulse = time.monotonic()
            note_pulse(self.worker)

    def _has_suspect(self) -> bool:
        """Whether a record is to run alone whose last worker died: it may be what that one died of.

        It is claimed before the calls under way have ended, so that only one worker stands still for it, and given
        back when they take too long. Afterwards everybody else has at least a round, and as much time as it took.
        """
        if self.suspect is None and self.turn and (not self.calls or time.monotonic() > self.look_at):
            (self.suspect,) = claim_expired(self.worker) or (None,)
            self.parked_at = time.monotonic()
            self.look_at = self.parked_at + SUSPECT_SECONDS
            if self.suspect:
                failpoint("after-claim")
        elif self.suspect and self.calls and time.monotonic() - self.parked_at > settings.LEASE_SECONDS / 2:
            give_back(self._unpark())
        return self.suspect is not None

    def _unpark(self) -> list[Claimed]:
        """The suspect, which is no longer kept; the next one has its turn after everybody else."""
        parked = [self.suspect] if self.suspect else []
        self.suspect, self.turn = None, False
        self.look_at = time.monotonic() + max(SUSPECT_SECONDS, time.monotonic() - self.parked_at)
        return parked

    def _run_suspect(self) -> bool:
        """Alone until its first checkpoint after a call: then it has got further than the time before."""
        self._take_on(deque(self._unpark()))
        first = list(self.calls)
        while any(call in self.calls for call in first):
            self.bell.wait(1.0)
            self.bell.clear()
            self._note_pulse()
            self._collect()
        return True

    def _take_on(self, claimed: deque[Claimed]) -> None:
        """Walk the batch; what is not begun within a third of the lease goes back to other workers."""
        begun = time.monotonic()
        try:
            while claimed:
                if time.monotonic() - begun > settings.LEASE_SECONDS / 3:
                    break
                self.handled += 1
                self._begin(claimed.popleft())
                self._collect()
        finally:
            with contextlib.suppress(*DATABASE_ERRORS):
                give_back(claimed)

    def _begin(self, claimed: Claimed) -> None:
        if claimed.claims > MOST_CLAIMS:
            set_aside(claimed, spot_of(claimed), CRASH_LOOP["code"], CRASH_LOOP["message"])
            return
        run = None
        try:
            run = Run.of(claimed)
            failpoint("before-walk", claimed.uuid)
            self._follow(run, *advance(program(claimed.version_id), run.token, run.host))
        except DATABASE_ERRORS:
            raise
        except Exception as error:  # noqa: BLE001 - one record's defect must not stop the others
            set_aside_defect(claimed, run.reached if run else spot_of(claimed), error)

    def _follow(self, run: Run, outcome: Outcome, steps: list[StepDone]) -> None:
        """Write the checkpoint of an outcome, carry out what belongs inside, begin the call it asks for outside."""
        while is_inside(outcome):
            done = carry_out(run, outcome, steps)
            if not isinstance(done, Request):
                return
            outcome, steps = done, []
        if isinstance(outcome, Call):
            self._call(run, outcome, steps)
        else:
            checkpoint(run, resting(run, outcome), steps)

    def _call(self, run: Run, call: Call, steps: list[StepDone]) -> None:
        """Hand an external call to a thread, after the checkpoint that another worker would begin it at."""
        if call.once:
            note_intent(run.token)
        stale = time.monotonic() - run.begun > FRESH_SECONDS or run.claimed.claims > 1
        if (steps or run.token.changed or stale) and not checkpoint(run, underway(run), steps):
            return
        future = self.pool.submit(_perform, run.claimed.uuid, prepare(run.place, call))
        self.calls[future] = (run, call)
        future.add_done_callback(lambda _: self.bell.set())

    def _collect(self) -> None:
        for future in [future for future in self.calls if future.done()]:
            run, call = self.calls.pop(future)
            self._continue(run, call, future)

    def _continue(self, run: Run, call: Call, future: Future[AppResult | AppError]) -> None:
        failpoint("after-effect", run.claimed.uuid)
        try:
            self._follow(run, *complete(program(run.claimed.version_id), run.token, call, future.result(), run.host))
        except DATABASE_ERRORS:
            raise
        except Exception as error:  # noqa: BLE001 - as above
            set_aside_defect(run.claimed, run.reached, error)


def drain(seconds: float = DRAIN_SECONDS) -> tuple[int, bool]:
    """Run what is due for at most ``seconds``, then wait for the calls under way.

    Returns how many records were taken on, and whether the time ended before the queue did.
    """
    return Drain(worker_name()).run(seconds)


def note_pulse(worker: str) -> None:
    """Say that this worker is alive."""
    with connection.cursor() as cursor:
        cursor.execute(
            "WITH gone AS (DELETE FROM records_workerpulse WHERE seen_at < now() - interval '1 day')"
            " INSERT INTO records_workerpulse AS p (name, seen_at) VALUES (%s, now()) ON CONFLICT (name)"
            " DO UPDATE SET seen_at = now() WHERE p.seen_at < now() - interval '2 seconds'",
            [worker],
        )


def _perform(uuid: str, call: Call | AppError) -> AppResult | AppError:
    if isinstance(call, AppError):
        return call
    failpoint("before-effect", uuid)
    return perform(call)
