"""Telling records that are held that what they wait for has happened.

A record that is told becomes due and looks for itself, under the locks that keep what it waits for still; so it does
no harm to tell one twice, or for nothing.
"""

import hashlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from typing import Any

from django.db import connection, transaction

from apps.records.nudge import nudge_on_commit

# A listener counts while its record is at the step it was written for and has entered it: between two attempts it
# listens to nothing. One that a person has paused is due when it is resumed. One that a worker has at this moment looks
# for itself before it rests.
_WAKE = """
UPDATE records_record r SET
    status = CASE hold WHEN 1 THEN status ELSE 0 END, hold = CASE hold WHEN 1 THEN 1 ELSE 0 END,
    wake_at = CASE hold WHEN 1 THEN NULL ELSE now() END, saved_wake_at = CASE hold WHEN 1 THEN now() END
FROM (
    SELECT w.id FROM records_listener l JOIN records_record w ON w.id = l.record_id
    WHERE {condition} AND w.run_no = l.run_no AND w.seq = l.seq AND w.entered_at IS NOT NULL
      AND (w.hold IN (1, 3) OR w.hold = 0 AND w.status = 4 AND w.wake_at IS NOT NULL)
    ORDER BY w.id FOR UPDATE OF w
) woken WHERE r.id = woken.id
"""
_WAKE_FOR_EVENTS = _WAKE.format(condition="l.webhook_id = %s AND l.identifier = ANY(%s)")
_WAKE_FOR_CHILDREN = _WAKE.format(condition="l.child_id = ANY(%s)")
# Those that are paused and know already are left alone.
_WAKE_ALL = _WAKE.format(
    condition="l.webhook_id = ANY(%s) AND (w.hold <> 1 OR w.saved_wake_at IS NULL OR w.saved_wake_at > now())"
)


@contextmanager
def announced(webhook_id: int, identifiers: Sequence[str]) -> Iterator[None]:
    """Whatever stores events of a webhook happens inside, in a transaction; the records that listen are woken.

    Nobody begins to listen to these identifiers in between: a record has either seen the event, or is seen here. Events
    without an identifier are nobody's and need no transaction.
    """
    named = sorted({identifier for identifier in identifiers if identifier})
    with transaction.atomic(savepoint=False) if named else nullcontext():
        hold_still(webhook_id, named)
        yield
        if named and _wake(_WAKE_FOR_EVENTS, [webhook_id, named]):
            nudge_on_commit()


def hold_still(webhook_id: int, identifiers: Sequence[str]) -> None:
    """Keep others from storing events, or beginning to listen, until the transaction ends.

    Comes before any lock of a record, in both ways, so that neither waits for the other for ever.
    """
    if not identifiers:
        return
    keys = sorted(_lock_key(webhook_id, identifier) for identifier in identifiers)
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(pg_advisory_xact_lock(key)) FROM unnest(%s::bigint[]) AS key", [keys])


def wake_parents(record_ids: Sequence[int]) -> None:
    """Wake the records that wait for these to end; their rows are locked already, with all others of this act."""
    if _wake(_WAKE_FOR_CHILDREN, [list(record_ids)]):
        nudge_on_commit()


def wake_listeners(webhook_ids: Sequence[int]) -> int:
    """Wake everybody who listens to these webhooks; returns how many they are."""
    woken = _wake(_WAKE_ALL, [list(webhook_ids)])
    if woken:
        nudge_on_commit()
    return woken


def _wake(statement: str, values: list[Any]) -> int:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        return cursor.rowcount


def _lock_key(webhook_id: int, identifier: str) -> int:
    digest = hashlib.sha256(f"{webhook_id}:{identifier}".encode()).digest()
    return int.from_bytes(digest[:8], signed=True)
