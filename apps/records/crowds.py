"""How many records stand at each object of a flow, and how many passed it lately, counted while that is cheap."""

from datetime import timedelta
from typing import Any

from django.db import connection

from apps.flows.diagram.marks import Crowd
from apps.flows.models import FlowVersion
from apps.records.models import Status

MOST_STANDING = 20_000  # of each status
NEWEST, MOST_PASSES = 2_000, 100_000

# The newest of each status that may stand somewhere; what is finished, reviewed or taken out does not.
_STANDING = """
SELECT at, count(*) FILTER (WHERE version = %(version)s AND stands), count(*)
FROM (SELECT unnest(%(statuses)s::smallint[]) AS status) s CROSS JOIN LATERAL (
    SELECT r.at, r.flow_version_id AS version, r.wake_at IS NOT NULL OR r.hold <> 0 AS stands
    FROM records_record r WHERE r.flow_id = %(flow)s AND r.status = s.status
    ORDER BY r.date_created DESC, r.id DESC LIMIT %(most)s
) newest GROUP BY at, s.status
"""

# The passes of the newest records. Traces have no index by date: it would cost every step, and this only a look.
_PASSED = """
SELECT object, count(*) FROM (
    SELECT step.object
    FROM (
        SELECT id, version FROM (SELECT unnest(%(statuses)s::smallint[]) AS status) s CROSS JOIN LATERAL (
            SELECT r.id, r.flow_version_id AS version, r.date_created FROM records_record r
            WHERE r.flow_id = %(flow)s AND r.status = s.status
            ORDER BY r.date_created DESC, r.id DESC LIMIT %(newest)s
        ) each_status ORDER BY date_created DESC, id DESC LIMIT %(newest)s
    ) record JOIN records_recordstep step ON step.record_id = record.id
    WHERE record.version = %(version)s AND (step.error IS NULL OR step.port <> '')
      AND step.started_at >= now() - %(since)s
    LIMIT %(most)s
) passed GROUP BY object
"""


def crowds_of(version: FlowVersion, days: int) -> dict[str, Crowd]:
    """The crowd at each object of a version: those that stand there now, and the passes of the last ``days``.

    ``more_here`` and ``more_passed`` mark counts that stopped at their bound.
    """
    document = version.document
    start = str(document.get("start", "")) if isinstance(document, dict) else ""
    here, more_here = _standing(version, start)
    passed = _passed(version, days)
    more_passed = sum(passed.values()) >= MOST_PASSES
    return {
        name: Crowd(here.get(name, 0), passed.get(name, 0), more_here and name in here, more_passed and name in passed)
        for name in here | passed
    }


def _standing(version: FlowVersion, start: str) -> tuple[dict[str, int], bool]:
    values: dict[str, Any] = {"flow": version.flow_id, "version": version.pk, "most": MOST_STANDING}
    values["statuses"] = [
        Status.NOT_RUNNING.value,
        Status.PROCESSING.value,
        Status.FAILED.value,
        Status.SCHEDULED.value,
    ]
    with connection.cursor() as cursor:
        cursor.execute(_STANDING, values)
        rows = cursor.fetchall()
    found: dict[str, int] = {}
    for at, standing, _ in rows:
        if standing:
            found[at or start] = found.get(at or start, 0) + standing
    return found, sum(looked_at for _, _, looked_at in rows) >= MOST_STANDING


def _passed(version: FlowVersion, days: int) -> dict[str, int]:
    values: dict[str, Any] = {"flow": version.flow_id, "version": version.pk, "newest": NEWEST, "most": MOST_PASSES}
    values |= {"statuses": list(Status.values), "since": timedelta(days=days)}
    with connection.cursor() as cursor:
        cursor.execute(_PASSED, values)
        return dict(cursor.fetchall())
