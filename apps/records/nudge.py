"""The bell that tells the workers there is something due: coalesced, best effort, never in a request's way."""

import threading
import time
from functools import partial

import structlog
from celery import current_app
from django.db import transaction

from apps.core import metrics
from apps.core.failpoints import failpoint

log = structlog.get_logger(__name__)

COALESCE_SECONDS = 0.02
BREAK_SECONDS = 5.0
DRAIN = "records.drain"


class Bell:
    """One sender thread a process; however often it is rung, it sends at most once every 20 ms.

    After a failed send it stays silent for five seconds: the rows are in the database, and the tick finds them.
    """

    task = DRAIN

    def __init__(self) -> None:
        self._rung = threading.Event()
        self._starting = threading.Lock()
        self._thread: threading.Thread | None = None

    def ring(self) -> None:
        """Ask for a drain; returns at once and never raises."""
        failpoint("before-nudge")
        self._rung.set()
        if self._thread is None or not self._thread.is_alive():
            self._start()

    def _start(self) -> None:
        with self._starting:
            if self._thread is None or not self._thread.is_alive():
                self._thread = threading.Thread(target=self._send_forever, name="nudge", daemon=True)
                self._thread.start()

    def _send_forever(self) -> None:
        while True:
            self._rung.wait()
            time.sleep(COALESCE_SECONDS)
            self._rung.clear()
            if not self._send():
                time.sleep(BREAK_SECONDS)

    def _send(self) -> bool:
        try:
            current_app.send_task(self.task, retry=False, expires=60, ignore_result=True)
        except Exception as error:  # noqa: BLE001 - whatever the broker's library raises, the records are safe
            log.warning("nudge failed", error=type(error).__name__)
            metrics.count("nudge_failures")
            return False
        return True


_bell = Bell()


def nudge_on_commit() -> None:
    """Ring once what this transaction wrote can be seen; at once when none is open."""
    transaction.on_commit(partial(_bell.ring), robust=True)
