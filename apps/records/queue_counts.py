"""How many records are due, scheduled, held and in work, flow by flow: counted by index, up to a bound."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import connection

from apps.records.models import Hold, Status

MOST_COUNTED = 10_000  # in each state of each flow
MOST_RUNS = 20_000  # in each workspace
MINUTES = 30
LIVE_SECONDS = 15

_BY_FLOW = f"""
SELECT f.id, f.name, f.status, f.workspace_id, due.number, due.oldest, scheduled.number,
       coalesce(held.paused, 0), coalesce(held.waiting, 0), coalesce(held.failed, 0),
       coalesce(leased.live, 0), coalesce(leased.expired, 0), now()
FROM flows_flow f CROSS JOIN LATERAL (
    SELECT count(*) AS number, min(wake_at) AS oldest FROM (
        SELECT r.wake_at FROM records_record r
        WHERE r.flow_id = f.id AND r.wake_at <= now() AND r.status <> {Status.PROCESSING.value}
        ORDER BY r.wake_at LIMIT %(most)s
    ) counted
) due CROSS JOIN LATERAL (
    SELECT count(*) AS number FROM (
        SELECT FROM records_record r
        WHERE r.flow_id = f.id AND r.wake_at > now() AND r.status <> {Status.PROCESSING.value} AND r.hold = 0
        ORDER BY r.wake_at LIMIT %(most)s
    ) counted
) scheduled CROSS JOIN LATERAL (
    SELECT (sum(number) FILTER (WHERE hold = {Hold.PAUSED.value}))::bigint AS paused,
           (sum(number) FILTER (WHERE hold IN ({Hold.STOPPED.value}, {Hold.WAITING.value})))::bigint AS waiting,
           (sum(number) FILTER (WHERE hold = {Hold.ERROR.value}))::bigint AS failed
    FROM (SELECT unnest(%(holds)s::smallint[]) AS hold) h CROSS JOIN LATERAL (
        SELECT count(*) AS number FROM (
            SELECT FROM records_record r WHERE r.flow_id = f.id AND r.hold = h.hold AND r.hold > 0 LIMIT %(most)s
        ) counted
    ) each_hold
) held LEFT JOIN (
    SELECT flow_id, count(*) FILTER (WHERE wake_at > now()) AS live, count(*) FILTER (WHERE wake_at <= now()) AS expired
    FROM (SELECT flow_id, wake_at FROM records_record WHERE status = {Status.PROCESSING.value} LIMIT 100000) counted
    GROUP BY flow_id
) leased ON leased.flow_id = f.id
WHERE f.workspace_id = ANY(%(workspaces)s) OR %(workspaces)s IS NULL
ORDER BY f.name, f.id LIMIT %(flows)s
"""  # noqa: S608 - numbers of ours

_RUNS = """
SELECT width_bucket(extract(epoch FROM newest.date_last_run), extract(epoch FROM %(since)s::timestamptz),
                    extract(epoch FROM now()), %(minutes)s), count(*)
FROM (SELECT unnest(%(workspaces)s::bigint[]) AS id) w CROSS JOIN LATERAL (
    SELECT date_last_run FROM records_record r
    WHERE r.workspace_id = w.id AND r.date_last_run >= %(since)s ORDER BY date_last_run DESC LIMIT %(most)s
) newest GROUP BY 1
"""


@dataclass(frozen=True, slots=True)
class FlowQueue:
    """The records of one flow by what they wait for; ``at`` is the database's clock.

    ``due`` may be claimed now, if the flow runs; ``expired`` had a worker that let its lease run out.
    """

    flow_id: int
    name: str
    status: str
    workspace_id: int
    due: int
    oldest_due: datetime | None
    scheduled: int
    paused: int
    waiting: int
    failed: int
    processing: int
    expired: int
    at: datetime

    @property
    def oldest_due_seconds(self) -> float:
        """How long the oldest one has been due."""
        return (self.at - self.oldest_due).total_seconds() if self.oldest_due else 0.0


def queues(workspaces: Sequence[int] | None = None, most_flows: int = 5_000) -> list[FlowQueue]:
    """The queue of each flow, of the whole installation unless workspaces are named."""
    values: dict[str, Any] = {"workspaces": None if workspaces is None else list(workspaces), "most": MOST_COUNTED}
    values |= {"holds": [hold.value for hold in Hold if hold is not Hold.NONE], "flows": most_flows}
    with connection.cursor() as cursor:
        cursor.execute(_BY_FLOW, values)
        return [FlowQueue(*row) for row in cursor.fetchall()]


def runs_by_minute(workspaces: Sequence[int]) -> list[int]:
    """How many records had their last run in each of the last thirty minutes, the oldest minute first."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT now()")
        values: dict[str, Any] = {"since": cursor.fetchone()[0] - timedelta(minutes=MINUTES), "minutes": MINUTES}
        values |= {"workspaces": list(workspaces), "most": MOST_RUNS}
        cursor.execute(_RUNS, values)
        counted = dict(cursor.fetchall())
    counted[MINUTES] = counted.get(MINUTES, 0) + counted.get(MINUTES + 1, 0)  # of this very moment
    return [counted.get(minute, 0) for minute in range(1, MINUTES + 1)]


def workers() -> list[tuple[str, float]]:
    """The workers seen lately by name, with the seconds since their last sign of life."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT name, extract(epoch FROM now() - seen_at)::float8 FROM records_workerpulse"
            " WHERE seen_at > now() - interval '10 minutes' ORDER BY name LIMIT 200"
        )
        return cursor.fetchall()
