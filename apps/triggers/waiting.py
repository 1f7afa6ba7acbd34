"""Waiting in a web process until a record comes to rest.

One of the waiting threads asks the database for all of them, every few milliseconds and with one statement; when it
leaves, another takes its place. A database that is away is asked again until the time of the waiters is over.
"""

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

import structlog
from django.conf import settings
from django.db import InterfaceError, OperationalError, connection

log = structlog.get_logger(__name__)

POLL_SECONDS = 0.02
PATIENCE_SECONDS = 0.5  # between questions to a database that is away
READ_TRIES = 4
Read = TypeVar("Read")
Key = tuple[int, str]
"""A workspace and the uuid of a record in it."""

# A record has come to rest when somebody or something must move it on, or nothing will; when it has sent work or itself
# to another flow; and when an answer is set, at any rest. What is gone is not in the result.
_RESTS = """
SELECT r.workspace_id, r.uuid,
       r.hold <> 0 OR r.wake_at IS NULL
       OR EXISTS (SELECT FROM records_recordstep s WHERE s.record_id = r.id AND s.type IN ('run', 'move'))
       OR r.status <> 1 AND EXISTS (SELECT FROM records_recordanswer a WHERE a.record_id = r.id)
FROM unnest(%(workspaces)s::bigint[], %(uuids)s::text[]) AS wanted (workspace_id, uuid)
JOIN records_record r USING (workspace_id, uuid)
"""


@dataclass(slots=True, eq=False)
class _Waiter:
    key: Key
    done: bool = False


@dataclass(slots=True)
class WaitingRoom:
    """Everybody of this process who waits for a record; at most ``SYNC_WAITING`` at once."""

    changed: threading.Condition = field(default_factory=threading.Condition)
    waiters: set[_Waiter] = field(default_factory=set)
    polling: bool = False

    def wait(self, workspace_id: int, uuid: str, seconds: float) -> bool:
        """Wait for a record to come to rest or to be removed; ``False`` when time or room is lacking."""
        deadline = time.monotonic() + seconds
        waiter = _Waiter((workspace_id, uuid))
        with self.changed:
            if len(self.waiters) >= settings.SYNC_WAITING:
                return False
            self.waiters.add(waiter)
        try:
            while not waiter.done and time.monotonic() < deadline:
                self._poll_or_wait(waiter, deadline)
        finally:
            with self.changed:
                self.waiters.discard(waiter)
        return waiter.done

    def _poll_or_wait(self, waiter: _Waiter, deadline: float) -> None:
        with self.changed:
            if self.polling:
                self.changed.wait(max(0.0, deadline - time.monotonic()))
                return
            self.polling = True
        try:
            while not waiter.done and time.monotonic() < deadline:
                pause = self._poll()
                if not waiter.done:
                    time.sleep(max(0.0, min(pause, deadline - time.monotonic())))
        finally:
            with self.changed:
                self.polling = False
                self.changed.notify_all()

    def _poll(self) -> float:
        """Ask once for all who wait; returns how long to pause before the next time."""
        with self.changed:
            waiters = list(self.waiters)
        try:
            rests = _ask({waiter.key for waiter in waiters})
        except (OperationalError, InterfaceError) as error:
            log.warning("waiting for the database", error=type(error).__name__)
            connection.close()
            return PATIENCE_SECONDS
        found = [waiter for waiter in waiters if rests.get(waiter.key, True)]
        if found:
            with self.changed:
                for waiter in found:
                    waiter.done = True
                self.changed.notify_all()
        return POLL_SECONDS


def _ask(keys: set[Key]) -> Mapping[Key, bool]:
    """Which of these records have come to rest; one that is not there is not in the answer."""
    values: dict[str, Any] = {"workspaces": [key[0] for key in keys], "uuids": [key[1] for key in keys]}
    with connection.cursor() as cursor:
        cursor.execute(_RESTS, values)
        return {(workspace_id, uuid): rests for workspace_id, uuid, rests in cursor.fetchall()}


ROOM = WaitingRoom()


def patiently(read: Callable[[], Read]) -> Read | None:
    """What ``read`` returns, after a few tries when the database ends the connection of this thread; or nothing."""
    for _ in range(READ_TRIES):
        try:
            return read()
        except (OperationalError, InterfaceError) as error:
            log.warning("reading again", error=type(error).__name__)
            connection.close()
            time.sleep(PATIENCE_SECONDS)
    return None
