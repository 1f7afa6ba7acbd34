"""The statement that makes records."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection
from psycopg.types.json import Jsonb

from apps.core import metrics
from apps.core.jsonio import JSON
from apps.records.fields import field_value
from apps.records.models import Status

# One statement whatever the number of records: it commits by itself, all of them or none.
_INSERT = """
WITH input AS (
    SELECT * FROM unnest(%(uuids)s::text[], %(documents)s::jsonb[]) WITH ORDINALITY AS t (uuid, data, n)
), inserted AS (
    INSERT INTO records_record (
        workspace_id, flow_id, flow_version_id, application_id, parent_id, depth, uuid, status, hold, at, run_no, seq,
        attempt, num_runs, claims, revision, leased_by, error_code, error_text, wake_at, date_created)
    SELECT %(workspace)s, %(flow)s, %(version)s, %(application)s, %(parent)s, %(depth)s, uuid,
           CASE WHEN %(execute_at)s::timestamptz > now() THEN %(scheduled)s ELSE %(new)s END,
           0, '', 1, 0, 1, 0, 0, 0, '', '', '', greatest(%(execute_at)s::timestamptz, now()), now()
    FROM input ORDER BY n
    RETURNING id, uuid
), content AS (
    INSERT INTO records_recorddata (record_id, data, vars, state, revision)
    SELECT inserted.id, input.data, '{}', '{}', 0 FROM inserted JOIN input USING (uuid)
)
INSERT INTO records_recordfield (record_id, field_id, value)
SELECT inserted.id, f.id, {value} FROM inserted JOIN input USING (uuid) CROSS JOIN schemas_datafield f
WHERE f.workspace_id = %(workspace)s AND {value} IS NOT NULL
""".replace("{value}", field_value("input.data"))


@dataclass(frozen=True, slots=True)
class Origin:
    """Where records come from: the application that sent them, or the record that launched them."""

    workspace_id: int
    application_id: int | None
    parent_id: int | None = None
    depth: int = 0


def insert_records(
    origin: Origin,
    flow_id: int,
    version_id: int,
    uuids: Sequence[str],
    documents: Sequence[JSON],
    execute_at: datetime | None = None,
) -> None:
    """Put documents into a flow under these uuids; raises ``IntegrityError`` when one is taken."""
    values: dict[str, Any] = {
        "uuids": list(uuids),
        "documents": [Jsonb(document) for document in documents],
        "workspace": origin.workspace_id,
        "application": origin.application_id,
        "parent": origin.parent_id,
        "depth": origin.depth,
        "flow": flow_id,
        "version": version_id,
        "execute_at": execute_at,
        "new": Status.NOT_RUNNING.value,
        "scheduled": Status.SCHEDULED.value,
    }
    with connection.cursor() as cursor:
        cursor.execute(_INSERT, values)
    metrics.count("records_created", by=len(uuids))
