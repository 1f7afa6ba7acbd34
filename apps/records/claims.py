"""Taking due records out of the table under a lease, and giving them back."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from django.conf import settings
from django.db import connection, transaction

from apps.core.jsonio import StoredJSONDecoder
from apps.records.limits import known_limits, members, take

# How many records of a flow one claim takes: a share of the batch, and no more than the flow may have calls under way
# in this worker, so that a receiver that stalls holds up its own flow only.
_SHARE = "least(%(per_flow)s, %(calls_per_flow)s - coalesce(b.n, 0))"
_BUSY = "LEFT JOIN unnest(%(busy)s::bigint[], %(busy_calls)s::int[]) AS b (id, n) ON b.id = f.id"
_OLDEST = """
    SELECT r.id, r.wake_at FROM records_record r
    WHERE r.flow_id = f.id AND r.wake_at <= now() AND r.status <> 1
    ORDER BY r.wake_at LIMIT greatest(f.room, 0) FOR UPDATE SKIP LOCKED
"""

# MATERIALIZED keeps a bad plan from claiming more than the batch; the random order of flows is their fairness, and a
# flow that does not run costs nothing.
_DUE = f"""
    SELECT d.id, d.wake_at FROM (
        SELECT f.id, {_SHARE} AS room FROM flows_flow f {_BUSY} WHERE f.status = 'running' ORDER BY random()
    ) f CROSS JOIN LATERAL ({_OLDEST}) d LIMIT %(batch)s
"""  # noqa: S608 - of constants

# The same where some flows or hosts have a limit. Hosts are pools of workspaces, pool 0 is that of all others; pools
# and flows whose lock somebody else has are left to that one. What is leased counts as running also when its lease
# has run out: whoever takes it over takes its place.
_DUE_WITHIN_LIMITS = f"""
    SELECT d.id, d.wake_at FROM (
        SELECT p.pool, p.most - (
            SELECT count(*) FROM records_record r JOIN flows_flow f ON f.id = r.flow_id
            JOIN unnest(%(members)s::bigint[], %(member_pools)s::int[]) AS m (id, pool) ON m.id = r.workspace_id
            WHERE r.status = 1 AND f.status = 'running' AND m.pool = p.pool
        ) AS room FROM unnest(%(pools)s::int[], %(mosts)s::int[]) AS p (pool, most) ORDER BY random()
    ) p CROSS JOIN LATERAL (
        SELECT d.id, d.wake_at FROM (
            SELECT f.id, CASE
                WHEN f.concurrency = 0 THEN {_SHARE}
                WHEN f.id = ANY(%(held_flows)s) THEN least({_SHARE}, f.concurrency - (
                    SELECT count(*) FROM records_record r WHERE r.status = 1 AND r.flow_id = f.id))
                ELSE 0 END AS room
            FROM flows_flow f {_BUSY}
            LEFT JOIN unnest(%(members)s::bigint[], %(member_pools)s::int[]) AS m (id, pool) ON m.id = f.workspace_id
            WHERE f.status = 'running' AND coalesce(m.pool, 0) = p.pool ORDER BY random()
        ) f CROSS JOIN LATERAL ({_OLDEST}) d LIMIT greatest(p.room, 0)
    ) d LIMIT %(batch)s
"""  # noqa: S608 - of constants

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
        date_last_run = now(), date_started = coalesce(date_started, now()),
        run_started = coalesce(run_started, now())
    FROM due WHERE r.id = due.id
    RETURNING r.id, r.uuid, r.workspace_id, r.flow_id, r.flow_version_id, r.at, r.entered_at, r.run_no, r.seq,
              r.attempt, r.claims, due.wake_at, r.revision, r.application_id,
              r.parent_id, r.depth, r.run_started
)
SELECT c.id, c.uuid, c.workspace_id, c.flow_id, c.flow_version_id, c.at, c.entered_at, c.run_no, c.seq, c.attempt,
       c.claims, c.wake_at, f.name, c.application_id, c.parent_id, c.depth, c.run_started, d.data, d.vars, d.state,
       now(), c.revision <> d.revision
FROM claimed c JOIN flows_flow f ON f.id = c.flow_id JOIN records_recorddata d ON d.record_id = c.id
"""

# A claim sees documents as they were when it began, but rows as they are when it locks them: a document that was
# replaced in between is read again, now that nobody else may replace it.
_REREAD = "SELECT record_id, data FROM records_recorddata WHERE record_id = ANY(%s)"

# In the order in which everybody locks records.
_GIVE_BACK = """
UPDATE records_record r SET lease_token = NULL, leased_by = '', wake_at = now(), claims = claims - 1,
       status = CASE WHEN claims > 1 THEN 1 ELSE 0 END, num_runs = num_runs - CASE WHEN claims > 1 THEN 0 ELSE 1 END
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
    parent_id: int | None
    depth: int
    run_started: datetime
    data: Any
    vars: dict[str, Any]
    state: dict[str, Any]
    ahead: timedelta
    lease_token: UUID


def claim_due(worker: str, batch: int, calls: Mapping[int, int] | None = None) -> list[Claimed]:
    """Lease up to ``batch`` due records of running flows to this worker, at most half of them of one flow.

    ``calls`` says how many calls each flow has under way in this worker. Limits of flows and hosts hold.
    """
    values = _values(worker) | {
        "batch": batch,
        "per_flow": max(1, batch // 2),
        "calls_per_flow": settings.EXTERNAL_CALLS_PER_FLOW,
        "busy": list(calls or ()),
        "busy_calls": list((calls or {}).values()),
    }
    limits = known_limits()
    if not limits:
        return _claim(_DUE, values)
    with transaction.atomic():
        held = take(limits)
        keys, pools = members(limits, held)
        values |= {
            "held_flows": list(held.flows),
            "members": keys,
            "member_pools": pools,
            "pools": list(range(len(held.hosts) + 1)),
            "mosts": [batch, *(host.most for host in held.hosts)],
        }
        return _claim(_DUE_WITHIN_LIMITS, values)


def claim_expired(worker: str) -> list[Claimed]:
    """Lease one record whose worker let its lease run out: it may be the one that ended its worker."""
    return _claim(_EXPIRED, _values(worker))


def _values(worker: str) -> dict[str, Any]:
    return {"token": uuid4(), "worker": worker, "lease": settings.LEASE_SECONDS}


def _claim(due: str, values: dict[str, Any]) -> list[Claimed]:
    with connection.cursor() as cursor:
        cursor.execute(_CLAIM.format(due=due), values)
        rows = cursor.fetchall()
        if replaced := [row[0] for row in rows if row[-1]]:
            cursor.execute(_REREAD, [replaced])
            documents = dict(cursor.fetchall())
            rows = [_with_document(row, documents) for row in rows]
    return sorted((_claimed(row, values["token"]) for row in rows), key=lambda row: row.due_at)


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
    """Return records that were not begun, due at once; one whose worker had died before is still such a one."""
    if not claimed:
        return
    values: dict[str, Any] = {"ids": [row.record_id for row in claimed], "token": claimed[0].lease_token}
    with connection.cursor() as cursor:
        cursor.execute(_GIVE_BACK, values)
