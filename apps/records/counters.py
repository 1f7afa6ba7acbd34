"""Carrying what each process has counted to the one table that all of them add to."""

import json
import threading
from collections.abc import Mapping

import structlog
from django.db import close_old_connections, connection

from apps.core import metrics
from apps.core.metrics import Series

log = structlog.get_logger(__name__)

FLUSH_SECONDS = 2.0

# In the order of the key, so that two processes never wait for each other.
_ADD = """
INSERT INTO records_counter AS kept (name, labels, value)
SELECT * FROM unnest(%s::text[], %s::text[], %s::float8[]) AS counted (name, labels, value) ORDER BY name, labels
ON CONFLICT (name, labels) DO UPDATE SET value = kept.value + excluded.value
"""


def flush() -> None:
    """Add what this process has counted to the table; what cannot be written is kept for the next time, and raised."""
    counted = metrics.take()
    if not counted:
        return
    keys = [(name, json.dumps(labels), value) for (name, labels), value in counted.items()]
    try:
        with connection.cursor() as cursor:
            cursor.execute(_ADD, [list(column) for column in zip(*keys, strict=True)])
    except Exception:
        metrics.give_back(counted)
        raise


def read() -> Mapping[Series, float]:
    """The numbers of all processes together."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT name, labels, value FROM records_counter")
        return {(name, tuple(json.loads(labels))): value for name, labels, value in cursor.fetchall()}


class Flusher:
    """A thread that flushes every two seconds, with a connection of its own; a database that is away it sits out."""

    def __init__(self) -> None:
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._run, name="counters", daemon=True)

    def start(self) -> None:
        """Begin; once in each process."""
        self._thread.start()

    def end(self) -> None:
        """Flush once more and stop."""
        self._ending.set()
        if self._thread.is_alive():
            self._thread.join(timeout=5)

    def _run(self) -> None:
        while not self._ending.wait(FLUSH_SECONDS):
            self._try()
        self._try()
        connection.close()

    @staticmethod
    def _try() -> None:
        try:
            close_old_connections()
            flush()
        except Exception as error:  # noqa: BLE001 - whatever it is, the counts are kept and the next attempt is near
            log.warning("counters not written", error=type(error).__name__)
