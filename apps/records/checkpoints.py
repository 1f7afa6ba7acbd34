"""Writing down how far a record has come, under its lease."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db import connection
from psycopg.types.json import Jsonb

from apps.records.fields import field_value
from apps.records.models import Hold, Status
from apps.records.observing import note_checkpoint

# One statement, so one commit: position, document and trace move together or not at all. A lease that was lost in
# the meantime changes no row, and so writes no trace either.
_CHECKPOINT = """
WITH moved AS (
    UPDATE records_record SET
        status = %(status)s, hold = %(hold)s, at = %(at)s, entered_at = %(entered_at)s, seq = %(seq)s,
        attempt = %(attempt)s, claims = CASE WHEN %(progressed)s OR NOT %(keep)s THEN %(held)s ELSE claims END,
        wake_at = CASE WHEN %(keep)s THEN now() + %(lease)s * interval '1 second' ELSE %(wake_at)s::timestamptz END,
        lease_token = CASE WHEN %(keep)s THEN lease_token END,
        leased_by = CASE WHEN %(keep)s THEN leased_by ELSE '' END,
        error_code = %(error_code)s, error_text = %(error_text)s
    WHERE id = %(id)s AND lease_token = %(token)s
    RETURNING id, workspace_id
), content AS (
    UPDATE records_recorddata d SET
        input = CASE WHEN d.input IS NULL AND d.data <> %(data)s THEN d.data ELSE d.input END,
        data = %(data)s, vars = %(vars)s, state = %(state)s
    FROM moved WHERE d.record_id = moved.id AND %(changed)s
), fields AS (
    INSERT INTO records_recordfield AS kept (record_id, field_id, value)
    SELECT moved.id, f.id, {value} FROM moved JOIN schemas_datafield f USING (workspace_id) WHERE %(changed)s
    ON CONFLICT (record_id, field_id) DO UPDATE SET value = excluded.value
    WHERE kept.value IS DISTINCT FROM excluded.value
), trace AS (
    INSERT INTO records_recordstep
        (record_id, run_no, seq, attempt, object, type, text, port, started_at, ms, error, output)
    SELECT moved.id, s.* FROM moved, unnest(
        %(run_nos)s::int[], %(seqs)s::int[], %(attempts)s::int[], %(objects)s::text[], %(types)s::text[],
        %(texts)s::text[], %(ports)s::text[], %(starts)s::timestamptz[], %(mss)s::bigint[], %(errors)s::jsonb[],
        %(outputs)s::jsonb[]) AS s
)
SELECT count(*) FROM moved
""".replace("{value}", field_value("%(data)s::jsonb"))


# In the order in which everybody locks records.
_LOCK = "SELECT id, lease_token FROM records_record WHERE id = ANY(%s::bigint[]) ORDER BY id FOR UPDATE"


@dataclass(frozen=True, slots=True)
class Position:
    """Where a record stands after a checkpoint; ``keep`` holds the lease for an effect that is about to begin."""

    status: Status
    at: str
    entered_at: datetime | None
    seq: int
    attempt: int
    hold: Hold = Hold.NONE
    wake_at: datetime | None = None
    keep: bool = False
    error_code: str = ""
    error_text: str = ""


@dataclass(frozen=True, slots=True)
class Content:
    """The document, what the flow saved, and the run's counters."""

    data: Any
    vars: dict[str, Any]
    state: dict[str, Any]


def write_checkpoint(
    record_id: int,
    lease_token: uuid.UUID,
    run_no: int,
    position: Position,
    content: Content | None,
    steps: Sequence[Any],
) -> bool:
    """Store position, changed content and new steps; ``False`` when the lease is no longer ours, and nothing is stored.

    ``content`` is ``None`` when it has not changed.
    """
    values = _position_values(position) | _content_values(content) | _step_values(run_no, steps)
    values |= {"id": record_id, "token": lease_token, "lease": settings.LEASE_SECONDS, "progressed": bool(steps)}
    with connection.cursor() as cursor:
        cursor.execute(_CHECKPOINT, values)
        kept: bool = cursor.fetchone()[0] == 1
    note_checkpoint(kept, position.status, position.error_code, steps)
    return kept


def _position_values(position: Position) -> dict[str, Any]:
    return {
        "status": position.status.value,
        "hold": position.hold.value,
        "at": position.at,
        "entered_at": position.entered_at,
        "seq": position.seq,
        "attempt": position.attempt,
        "wake_at": position.wake_at,
        "keep": position.keep,
        # A record in a worker's hands has been claimed once since its last progress; one at rest not at all.
        "held": 1 if position.keep else 0,
        "error_code": position.error_code[:64],
        "error_text": position.error_text[:2000],
    }


def _content_values(content: Content | None) -> dict[str, Any]:
    return {
        "changed": content is not None,
        "data": Jsonb(content.data if content else None),
        "vars": Jsonb(content.vars if content else {}),
        "state": Jsonb(content.state if content else {}),
    }


def _step_values(run_no: int, steps: Sequence[Any]) -> dict[str, list[Any]]:
    return {
        "run_nos": [run_no] * len(steps),
        "seqs": [step.seq for step in steps],
        "attempts": [step.attempt for step in steps],
        "objects": [step.object for step in steps],
        "types": [step.type for step in steps],
        "texts": [step.text for step in steps],
        "ports": [step.port for step in steps],
        "starts": [step.started_at for step in steps],
        "mss": [step.ms for step in steps],
        "errors": [None if step.error is None else Jsonb(step.error) for step in steps],
        "outputs": [None if step.output is None else Jsonb(step.output) for step in steps],
    }


def holds_lease(record_id: int, lease_token: uuid.UUID, parent_id: int | None = None) -> bool:
    """Whether the record is still ours; nobody else changes it, or its parent, before this transaction ends."""
    with connection.cursor() as cursor:
        cursor.execute(_LOCK, [[record_id, parent_id]])
        return (record_id, lease_token) in cursor.fetchall()
