"""Measuring environments now and then: what they hold, and what happened in them since the last time."""

import time
from datetime import datetime, timedelta
from typing import Any

from django.db import connection, transaction
from django.db.models import Q
from django.utils import timezone

from apps.accounts.models import Workspace
from apps.environments import quota, storage
from apps.environments.models import SERVING, Environment, Measure
from apps.flows.engine.graph import WAITING_TYPES

OFTEN = timedelta(minutes=1)
SHARE = 50  # measuring storage takes at most one fiftieth of the time
LAG = timedelta(minutes=1)  # what began earlier may not have been committed yet
LONGEST_RUN = timedelta(hours=1)  # how long a pass of a record may be under way and its objects still be counted

# What of a window belongs to which minute, added to the hours. Steps count when they end: then they are stored.
_COUNT = """
WITH minutes AS (
    SELECT date_trunc('minute', at) AS minute, sum(records) AS records, sum(tasks) AS tasks,
           sum(webhooks) AS webhooks, sum(batches) AS batches, sum(ms) AS ms
    FROM (
        SELECT r.date_created AS at, 1 AS records, 0 AS tasks, 0 AS webhooks, 0 AS batches, 0 AS ms
        FROM records_record r
        WHERE r.workspace_id = ANY(%(ids)s) AND r.date_created >= %(since)s AND r.date_created < %(until)s
        UNION ALL
        SELECT s.started_at + s.ms * interval '1 millisecond', 0, 1, 0, 0,
               CASE WHEN s.type = ANY(%(waiting)s) THEN 0 ELSE s.ms END
        FROM records_record r JOIN records_recordstep s ON s.record_id = r.id
        WHERE r.workspace_id = ANY(%(ids)s) AND r.date_last_run >= %(began)s
          AND s.started_at + s.ms * interval '1 millisecond' >= %(since)s
          AND s.started_at + s.ms * interval '1 millisecond' < %(until)s
        UNION ALL
        SELECT b.date_started, 0, 0, 0, 1, 0 FROM triggers_batch b
        WHERE b.workspace_id = ANY(%(ids)s) AND b.date_started >= %(since)s AND b.date_started < %(until)s
        UNION ALL
        SELECT e.received_at, 0, 0, 1, 0, 0 FROM webhooks_webhook w JOIN webhooks_webhookevent e ON e.webhook_id = w.id
        WHERE w.workspace_id = ANY(%(ids)s) AND e.received_at >= %(since)s AND e.received_at < %(until)s
    ) happened GROUP BY 1
)
INSERT INTO environments_activityhour AS a
    (environment_id, hour, records, tasks, webhooks, batches, visits, busy_ms, peak_ms, minutes)
SELECT %(environment)s, date_trunc('hour', minute), sum(records), sum(tasks), sum(webhooks), sum(batches), 0, sum(ms),
       max(ms),
       count(*) FILTER (WHERE tasks > 0)
FROM minutes GROUP BY 2
ON CONFLICT (environment_id, hour) DO UPDATE SET
    records = a.records + excluded.records, tasks = a.tasks + excluded.tasks,
    webhooks = a.webhooks + excluded.webhooks, batches = a.batches + excluded.batches,
    busy_ms = a.busy_ms + excluded.busy_ms,
    peak_ms = greatest(a.peak_ms, excluded.peak_ms), minutes = a.minutes + excluded.minutes
"""
_VISIT = """
INSERT INTO environments_activityhour AS a
    (environment_id, hour, records, tasks, webhooks, batches, visits, busy_ms, peak_ms, minutes)
VALUES (%s, date_trunc('hour', now()), 0, 0, 0, 0, 1, 0, 0, 0)
ON CONFLICT (environment_id, hour) DO UPDATE SET visits = a.visits + 1
"""


def measure_due() -> int:
    """Measure every environment whose time has come; returns how many."""
    due = Q(measure__due_at__lte=timezone.now()) | Q(measure__counted_until__lt=timezone.now() - 2 * LAG)
    done = 0
    for environment in Environment.objects.filter(due, status__in=SERVING):
        done += measure(environment)
    return done


def measure(environment: Environment) -> bool:
    """Count what has happened and what is stored; returns False when another worker is at it."""
    with transaction.atomic():
        row = Measure.objects.select_for_update(skip_locked=True).filter(environment=environment).first()
        if row is None:
            return False
        ids = workspace_ids(environment)
        _count(row, ids)
        if row.due_at is None or row.due_at <= timezone.now():
            _weigh(row, ids)
        row.save()
    quota.judge(environment)
    return True


def workspace_ids(environment: Environment) -> list[int]:
    """The workspaces of the projects that are deployed in it."""
    rows = Workspace.objects.filter(deployment__environment=environment)
    return list(rows.order_by("pk").values_list("pk", flat=True))


def count_visit(environment_id: int) -> None:
    """One page of the html host was asked for."""
    with connection.cursor() as cursor:
        cursor.execute(_VISIT, [environment_id])


def _count(row: Measure, ids: list[int]) -> None:
    """Whole minutes since the last time, each of them once."""
    until = (timezone.now() - LAG).replace(second=0, microsecond=0)
    since = row.counted_until or row.environment.date_created
    if until <= since:
        return
    with connection.cursor() as cursor:
        cursor.execute(_COUNT, _window(row, ids, since, until))
    row.counted_until = until


def _window(row: Measure, ids: list[int], since: datetime, until: datetime) -> dict[str, Any]:
    return {
        "environment": row.environment_id,
        "ids": ids,
        "since": since,
        "until": until,
        "began": since - LONGEST_RUN,
        "waiting": list(WAITING_TYPES),
    }


def _weigh(row: Measure, ids: list[int]) -> None:
    started = time.monotonic()
    row.parts = storage.bytes_of(ids)
    row.used = sum(row.parts.values())
    row.measured_at = timezone.now()
    row.due_at = timezone.now() + max(OFTEN, timedelta(seconds=SHARE * (time.monotonic() - started)))
