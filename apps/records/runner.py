"""The thread in each worker process that runs flows.

It begins a round when it is rung, when a call has ended, and once a second in any case: so due records are found
whether or not messages come, and calls that take long hold up neither it nor the tasks of its process.
"""

import faulthandler
import threading
import time

import structlog
from django.conf import settings
from django.db import close_old_connections, connection

from apps.core.patience import bound_statements
from apps.records.execution import DATABASE_ERRORS, Drain, worker_name

log = structlog.get_logger(__name__)

TICK_SECONDS = 1.0
# Longer than any round may take: a worker that hangs ends itself, and what it held is taken over when its lease ends.
STUCK_SECONDS = 120.0


class Runner:
    """Drains for as long as its process lives."""

    def __init__(self) -> None:
        self._bell = threading.Event()
        self._ending = threading.Event()
        self._watched_at = float("-inf")
        self._bounded: object = None
        self._thread = threading.Thread(target=self._run, name="runner", daemon=True)

    def start(self) -> None:
        """Begin; in the process that is to run flows, not in the one that forks it."""
        self._thread.start()

    def ring(self) -> None:
        """Something may be due."""
        self._bell.set()

    def end(self, seconds: float) -> None:
        """Claim no more, finish what was begun, hand back what is not finished within ``seconds``."""
        self._ending.set()
        self._bell.set()
        self._thread.join(seconds + 5.0)

    def _run(self) -> None:
        drain = Drain(worker_name(), self._bell)
        while not self._ending.is_set():
            self._watch()
            try:
                self._bound()
                if not drain.go_round():
                    self._bell.wait(TICK_SECONDS)
            except DATABASE_ERRORS as error:
                log.warning("database away", error=type(error).__name__)
                self._reconnect()
            except Exception as error:
                log.error("round failed", exc_info=error)
                self._ending.wait(TICK_SECONDS)
        self._finish(drain)

    def _bound(self) -> None:
        """Each new connection gives up in time, so that no statement can hold the thread for good."""
        connection.ensure_connection()
        if connection.connection is not self._bounded:
            bound_statements()
            self._bounded = connection.connection

    def _reconnect(self) -> None:
        """Before the next attempt; a connection that is no more is dropped."""
        close_old_connections()
        self._ending.wait(TICK_SECONDS)

    def _finish(self, drain: Drain) -> None:
        faulthandler.cancel_dump_traceback_later()
        try:
            drain.finish(self._grace)
        except DATABASE_ERRORS as error:
            log.warning("nothing handed back", error=type(error).__name__)
        finally:
            connection.close()

    @property
    def _grace(self) -> float:
        return settings.CELERY_WORKER_SOFT_SHUTDOWN_TIMEOUT

    def _watch(self) -> None:
        """Have the process ended, also by a thread that lets no other one run, if this is not called again in time."""
        if time.monotonic() - self._watched_at > TICK_SECONDS:
            self._watched_at = time.monotonic()
            # By its number: Celery puts an object without a file in the place of sys.stderr.
            faulthandler.dump_traceback_later(STUCK_SECONDS, exit=True, file=2)


_runner: Runner | None = None


def start_runner() -> None:
    """Run flows in this process from now on."""
    global _runner
    _runner = Runner()
    _runner.start()


def end_runner() -> None:
    """End the runner of this process, if it has one; returns when it has handed back what it could not finish."""
    global _runner
    runner, _runner = _runner, None
    if runner is not None:
        runner.end(settings.CELERY_WORKER_SOFT_SHUTDOWN_TIMEOUT)


def ring_runner() -> bool:
    """Tell the runner of this process that something may be due; ``False`` when it has none."""
    if _runner is None:
        return False
    _runner.ring()
    return True
