"""The job that brings the physical tables in line with what people asked for.

The rows are the queue: a column that wants an index says so itself, and what is there without a row is dropped. Every
step can be interrupted at any point; the next run begins where the last one ended.
"""

from datetime import datetime, timedelta
from typing import NamedTuple

import structlog
from django.db import Error, OperationalError, connection
from django.db.models import QuerySet
from django.utils import timezone

from apps.core.errors import Conflict
from apps.tables import indexes, storage
from apps.tables.models import Column, IndexState, Kind, Upload

log = structlog.get_logger(__name__)

UPLOAD_LIFETIME = timedelta(days=1)
NO_TRIGRAMS = "Built without contains and ends_with: the extension pg_trgm is not installed."

# A builder that is silent for this long and has no index under way is gone.
_SILENCE = timedelta(seconds=30)

_CLAIM = """
UPDATE tables_column SET index_state = 'building', index_error = '', index_claimed_at = clock_timestamp()
WHERE id = (
    SELECT id FROM tables_column c
    WHERE index_state = 'wanted' OR index_state = 'building' AND index_claimed_at < %s AND NOT EXISTS (
        SELECT FROM pg_stat_progress_create_index p WHERE p.relid = to_regclass(%s || '.t' || c.table_id))
    ORDER BY id LIMIT 1 FOR UPDATE SKIP LOCKED)
RETURNING id, table_id, kind, index_claimed_at
"""

_STRAY_INDEXES = """
SELECT i.relname FROM pg_class i LEFT JOIN tables_column c ON c.id = substr(i.relname, 4)::bigint
WHERE i.relnamespace = %s::regnamespace AND i.relkind = 'i' AND i.relname ~ '^(tr|tg)_[0-9]+$'
  AND c.index_state IN ('none', 'unwanted')
"""

_STRAY_COLUMNS = """
SELECT t.id, substr(a.attname, 2)::bigint
FROM pg_class r
JOIN pg_attribute a ON a.attrelid = r.oid AND NOT a.attisdropped AND a.attname ~ '^c[0-9]+$'
JOIN tables_table t ON t.id = substr(r.relname, 2)::bigint
LEFT JOIN tables_column c ON c.id = substr(a.attname, 2)::bigint
WHERE r.relnamespace = %s::regnamespace AND r.relkind = 'r' AND r.relname ~ '^t[0-9]+$' AND c.id IS NULL
"""

_STRAY_TABLES = """
SELECT substr(r.relname, 2)::bigint
FROM pg_class r LEFT JOIN tables_table t ON t.id = substr(r.relname, 2)::bigint
WHERE r.relnamespace = %s::regnamespace AND r.relkind = 'r' AND r.relname ~ '^t[0-9]+$' AND t.id IS NULL
"""


class Claim(NamedTuple):
    """A column whose index this process builds, until ``at`` is no longer what the row says."""

    column_id: int
    table_id: int
    kind: str
    at: datetime


def tend() -> None:
    """Do all that is due: drop what nothing refers to, build the indexes that are wanted."""
    Upload.objects.filter(date_created__lt=timezone.now() - UPLOAD_LIFETIME).delete()
    _drop_strays()
    while claim := _claim():
        _build(claim)


def _drop_strays() -> None:
    for (name,) in _lines(_STRAY_INDEXES):
        _drop_index(name)
    Column.objects.filter(index_state=IndexState.UNWANTED).update(index_state=IndexState.NONE, index_error="")
    try:
        for table_id, column_id in _lines(_STRAY_COLUMNS):
            storage.drop_column(table_id, column_id)
        for (table_id,) in _lines(_STRAY_TABLES):
            storage.drop(table_id)
    except Conflict:
        log.info("table in use, tried again later")


def _lines(query: str) -> list[tuple[int, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(query, [storage.SCHEMA])
        lines: list[tuple[int, ...]] = cursor.fetchall()
    return lines


def _claim() -> Claim | None:
    with connection.cursor() as cursor:
        cursor.execute(_CLAIM, [timezone.now() - _SILENCE, storage.SCHEMA])
        line = cursor.fetchone()
    return Claim(*line) if line else None


def _build(claim: Claim) -> None:
    """Build the column's indexes, from the beginning when an earlier attempt was interrupted."""
    try:
        note = _build_all(claim)
    except OperationalError:
        raise  # the database went away, or was too busy: it is taken up again
    except Error as error:
        log.warning("index failed", column=claim.column_id, exc_info=error)
        _finish(claim, IndexState.FAILED, str(error).partition("\n")[0][:500])
    else:
        _finish(claim, IndexState.READY, note)


def _build_all(claim: Claim) -> str:
    for index in indexes.wanted(claim.column_id, claim.kind):
        if _is_ours(claim):
            _drop_index(index.name)
            storage.execute(
                f"CREATE INDEX CONCURRENTLY {index.name} ON {storage.relation(claim.table_id)} {index.keys}"
            )
    storage.analyze(claim.table_id)
    return NO_TRIGRAMS if claim.kind == Kind.TEXT and not indexes.has_trigrams() else ""


def _drop_index(name: object) -> None:
    storage.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {storage.SCHEMA}.{name}")


def _is_ours(claim: Claim) -> bool:
    return _claimed(claim).exists()


def _finish(claim: Claim, state: str, note: str) -> None:
    """What nobody wants any more is a stray by now, and dropped as one."""
    _claimed(claim).update(index_state=state, index_error=note)


def _claimed(claim: Claim) -> QuerySet[Column]:
    return Column.objects.filter(pk=claim.column_id, index_state=IndexState.BUILDING, index_claimed_at=claim.at)
