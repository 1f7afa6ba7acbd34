"""The way of one record through the objects of its flow, counted from its trace."""

from typing import Any

from django.db import connection

from apps.flows.diagram.marks import Passage
from apps.records.models import Hold, Record, Status

MOST_STEPS = 50_000

# Each step with the one after it, so that it is known where the record went; another attempt is no going on.
_TRACK = """
WITH steps AS (
    SELECT object, port, seq, error IS NOT NULL AS failed,
           lead(object) OVER way AS next_object, lead(seq) OVER way AS next_seq
    FROM (
        SELECT object, port, seq, attempt, error FROM records_recordstep
        WHERE record_id = %(record)s AND run_no = %(run_no)s ORDER BY seq DESC, attempt DESC LIMIT %(most)s
    ) newest
    WINDOW way AS (ORDER BY seq, attempt)
)
SELECT object, failed AND port = '' AS unhandled,
       CASE WHEN next_seq IS NULL THEN %(at)s WHEN next_seq > seq THEN next_object ELSE '' END AS onwards,
       next_seq IS NULL AS last, count(*) FILTER (WHERE NOT failed), count(*) FILTER (WHERE failed)
FROM steps GROUP BY 1, 2, 3, 4
"""

Way = tuple[str, str]
_STANDS = (Status.NOT_RUNNING, Status.PROCESSING, Status.SCHEDULED)


def track_of(record: Record, start: str) -> tuple[dict[str, Passage], dict[Way, int]]:
    """What a record did at each object of its present run, and how often it took each connection.

    ``start`` is where a record stands that has not begun. Errors that the document's ``on_error`` handled lead from ""
    to the handler. Of longer runs the newest steps are counted.
    """
    values: dict[str, Any] = {"record": record.pk, "run_no": record.run_no, "at": record.at, "most": MOST_STEPS}
    with connection.cursor() as cursor:
        cursor.execute(_TRACK, values)
        rows = cursor.fetchall()
    done: dict[str, list[int]] = {}
    taken: dict[Way, int] = {}
    for name, unhandled, onwards, last, passed, failed in rows:
        counts = done.setdefault(name, [0, 0])
        counts[0] += passed
        counts[1] += failed
        if onwards and not (last and onwards == name):
            way = ("" if unhandled else name, onwards)
            taken[way] = taken.get(way, 0) + passed + failed
    return _passages(record, start, done), taken


def _passages(record: Record, start: str, done: dict[str, list[int]]) -> dict[str, Passage]:
    passages = {name: Passage(passed, failed) for name, (passed, failed) in done.items()}
    at = record.at or start
    stays = record.status in _STANDS and (record.wake_at is not None or record.hold != Hold.NONE)
    stuck = record.status in (Status.FAILED, Status.REVIEWED) and bool(record.error_code)
    if at and (stays or stuck):
        counts = done.get(at, [0, 0])
        passages[at] = Passage(counts[0], counts[1], current=stays, stays_failed=stuck)
    return passages
