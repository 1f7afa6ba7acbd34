"""The values of data fields: taken from documents in the statement that stores them, and later for what was there."""

import time
from dataclasses import dataclass

from django.db import connection

from apps.core.timed_cache import TimedCache
from apps.schemas.models import DataField

LONGEST_VALUE = 255
BATCH = 1000
# Inserts that began before a field was saved do not know it; by then they have ended, and the job finds their rows.
SETTLED = "interval '5 seconds'"


def field_value(document: str) -> str:
    """The SQL for the value of the data field ``f`` in a document; ``document`` is SQL of ours, never a caller's text.

    Strings, numbers and booleans as text, cut to what an index takes; null for anything else.
    """
    path = "string_to_array(f.path, '.')"
    kinds = "('string', 'number', 'boolean')"
    return (
        f"CASE WHEN jsonb_typeof({document} #> {path}) IN {kinds} THEN left({document} #>> {path}, {LONGEST_VALUE}) END"
    )


@dataclass(frozen=True, slots=True)
class KnownField:
    """A data field as searches need it; until it ``is_complete`` older records may lack their values."""

    field_id: int
    path: tuple[str, ...]
    is_complete: bool


_known: TimedCache[int, dict[str, KnownField]] = TimedCache(lambda: 1.0, size=1000)
forget_fields = _known.clear


def find_field(workspace_id: int, name: str) -> KnownField | None:
    """The workspace's data field of that name, as of a second ago at most."""
    return _known.get_or_make(workspace_id, lambda: _load(workspace_id)).get(name)


def _load(workspace_id: int) -> dict[str, KnownField]:
    rows = DataField.objects.in_workspace(workspace_id)
    return {row.name: KnownField(row.pk, tuple(row.path.split(".")), row.is_filled) for row in rows}


# One batch of one field, with where it ended, in one commit: a worker that dies loses a batch at most. The lock keeps
# a second worker from the same rows. A value that is there already was written by whoever knew a newer document.
_FILL = f"""
WITH f AS MATERIALIZED (
    SELECT id, workspace_id, path, coalesce(filled_date, '-infinity') AS filled_date, filled_id FROM schemas_datafield
    WHERE NOT is_filled AND date_created < now() - {SETTLED} ORDER BY id LIMIT 1 FOR NO KEY UPDATE SKIP LOCKED
), batch AS MATERIALIZED (
    SELECT r.id, r.date_created FROM f CROSS JOIN LATERAL (
        SELECT id, date_created FROM records_record r
        WHERE r.workspace_id = f.workspace_id AND (r.date_created, r.id) > (f.filled_date, f.filled_id)
        ORDER BY r.date_created, r.id LIMIT {BATCH}
    ) r
), last AS (
    SELECT id, date_created FROM batch ORDER BY date_created DESC, id DESC LIMIT 1
), filled AS (
    INSERT INTO records_recordfield (record_id, field_id, value)
    SELECT d.record_id, f.id, {field_value("d.data")}
    FROM f CROSS JOIN batch JOIN records_recorddata d ON d.record_id = batch.id
    WHERE {field_value("d.data")} IS NOT NULL
    ON CONFLICT (record_id, field_id) DO NOTHING
)
UPDATE schemas_datafield SET
    filled_date = coalesce((SELECT date_created FROM last), schemas_datafield.filled_date),
    filled_id = coalesce((SELECT id FROM last), schemas_datafield.filled_id),
    is_filled = (SELECT count(*) FROM batch) < {BATCH}
FROM f WHERE schemas_datafield.id = f.id
"""  # noqa: S608 - of constants


def fill_fields(seconds: float) -> bool:
    """Read new data fields out of the records that were there before them, for at most ``seconds``.

    Returns whether there is more to do.
    """
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        with connection.cursor() as cursor:
            cursor.execute(_FILL)
            if not cursor.rowcount:
                return False
    return True
