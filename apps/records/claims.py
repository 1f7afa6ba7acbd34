"""Taking due records out of the table under a lease, and giving them back."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from django.conf import settings
from django.db import connection

from apps.core.jsonio import StoredJSONDecoder

# MATERIALIZED keeps a bad plan from claiming more than the batch; the random order of flows is their fairness, and a
# flow that does not run costs nothing.
_DUE = """
    SELECT d.id, d.wake_at FROM (SELECT id FROM flows_flow WHERE status = 'running' ORDER BY random()) f
    CROSS JOIN LATERAL (
        SELECT r.id, r.wake_at FROM records_record r
        WHERE r.flow_id = f.id AND r.wake_at <= now() AND r.status <> 1
        ORDER BY r.wake_at LIMIT %(per_flow)s FOR UPDATE SKIP LOCKED
    ) d LIMIT %(batch)s
"""

# A lease that ran out: the record has probably killed its worker, so it is claimed alone and takes no others along.
_EXPIRED = """
    SELECT r.id, r.wake_at FROM records_record r
    WHERE r.status = 1 AND r.wake_at <= now()
      AND EXISTS (SELECT 1 FROM flows_flow f WHERE f.id = r.flow_id AND f.status = 'running')
    ORDER BY r.wake_at LIMIT 1 FOR UPDATE SKIP LOCKED
"""

_CLAIM = """
WITH due AS MATERIALIZED ({due}), claimed AS (
    UPDATE records_record r
    SET status = 1, hold = 0, lease_token = %(token)s, leased_by = %(worker)s, claims = claims + 1,
        num_runs = num_runs + CASE WHEN status = 1 THEN 0 ELSE 1 END,
        wake_at = now() + %(lease)s * interval '1 second',
        date_last_run = now(), date_started = coalesce(date_started, now())
    FROM due WHERE r.id = due.id
    RETURNING r.id, r.uuid, r.workspace_id, r.flow_id, r.flow_version_id, r.at, r.entered_at, r.run_no, r.seq,
              r.attempt, r.claims, due.wake_at, r.revision, r.application_id
)
SELECT c.id, c.uuid, c.workspace_id, c.flow_id, c.flow_version_id, c.at, c.entered_at, c.run_no, c.seq, c.attempt,
       c.claims, c.wake_at, f.name, c.application_id, d.data, d.vars, d.state, now(), c.revision <> d.revision
FROM claimed c JOIN flows_flow f ON f.id = c.flow_id JOIN records_recorddata d ON d.record_id = c.id
"""

# A claim sees documents as they were when it began, but rows as they are when it locks them: a document that was
# replaced in between is read again, now that nobody else may replace it.
_REREAD = "SELECT record_id, data FROM records_recorddata WHERE record_id = ANY(%s)"

# In the order in which everybody locks records.
_GIVE_BACK = """
UPDATE records_record r SET status = 0, hold = 0, lease_token = NULL, leased_by = '', wake_at = now(),
       claims = claims - 1, num_runs = num_runs - 1
FROM (SELECT id FROM records_record WHERE id = ANY(%(ids)s) AND lease_token = %(token)s ORDER BY id FOR UPDATE) mine
WHERE r.id = mine.id
"""

MOST_CLAIMS = 3


@dataclass(frozen=True, slots=True)
class Claimed:
    """A record under this worker's lease, with all its flow needs; ``ahead`` is the database's clock before ours."""

    record_id: int
    uuid: str
    workspace_id: int
    flow_id: int
    version_id: int
    at: str
    entered_at: datetime | None
    run_no: int
    seq: int
    attempt: int
    claims: int
    due_at: datetime
    flow_name: str
    application_id: int | None
    data: Any
    vars: dict[str, Any]
    state: dict[str, Any]
    ahead: timedelta
    lease_token: UUID


def claim_due(worker: str, batch: int) -> list[Claimed]:
    """Lease up to ``batch`` due records of running flows to this worker, at most half of them of one flow."""
    return _claim(worker, _DUE, batch)


def claim_expired(worker: str) -> list[Claimed]:
    """Lease one record whose worker let its lease run out: it may be the one that ended its worker."""
    return _claim(worker, _EXPIRED, 1)


def _claim(worker: str, due: str, batch: int) -> list[Claimed]:
    token = uuid4()
    values: dict[str, Any] = {
        "batch": batch,
        "per_flow": max(1, batch // 2),
        "token": token,
        "worker": worker,
        "lease": settings.LEASE_SECONDS,
    }
    with connection.cursor() as cursor:
        cursor.execute(_CLAIM.format(due=due), values)
        rows = cursor.fetchall()
        if replaced := [row[0] for row in rows if row[-1]]:
            cursor.execute(_REREAD, [replaced])
            documents = dict(cursor.fetchall())
            rows = [_with_document(row, documents) for row in rows]
    return sorted((_claimed(row, token) for row in rows), key=lambda row: row.due_at)


def _with_document(row: Sequence[Any], documents: dict[int, str]) -> Sequence[Any]:
    place = Claimed.__slots__.index("data")
    return (*row[:place], documents.get(row[0], row[place]), *row[place + 1 :])


def _claimed(row: Sequence[Any], token: UUID) -> Claimed:
    """The columns come in the order of the fields; Django reads json of plain cursors as text."""
    values = dict(zip(Claimed.__slots__, row[:-1], strict=False))
    values["ahead"] -= datetime.now(UTC)
    values |= {name: json.loads(values[name], cls=StoredJSONDecoder) for name in ("data", "vars", "state")}
    return Claimed(**values, lease_token=token)


def give_back(claimed: Sequence[Claimed]) -> None:
    """Return records that were not begun, due at once."""
    if not claimed:
        return
    values: dict[str, Any] = {"ids": [row.record_id for row in claimed], "token": claimed[0].lease_token}
    with connection.cursor() as cursor:
        cursor.execute(_GIVE_BACK, values)
