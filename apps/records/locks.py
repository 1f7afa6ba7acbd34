"""Holding records still while something is decided about them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import connection

from apps.records.life_cycle import QueueState, state_of

# Always in the order of ids, so that two calls about the same records wait for each other instead of for ever.
# With each its parent, which its end may wake.
# The flow's name is no join: a record that was moved while we waited would be lost with the row it joined before.
_LOCK = """
SELECT r.uuid, r.id, (SELECT f.name FROM flows_flow f WHERE f.id = r.flow_id), r.status, r.hold, r.wake_at, now()
FROM records_record r WHERE r.id IN (
    SELECT id FROM records_record WHERE workspace_id = %(workspace)s AND uuid = ANY(%(uuids)s)
    UNION ALL
    SELECT parent_id FROM records_record
    WHERE workspace_id = %(workspace)s AND uuid = ANY(%(uuids)s) AND parent_id IS NOT NULL)
ORDER BY r.id FOR UPDATE OF r
"""


@dataclass(frozen=True, slots=True)
class Locked:
    """A record no worker can claim and nobody else can change before this transaction ends."""

    uuid: str
    record_id: int
    flow_name: str
    state: QueueState


def lock_records(workspace_id: int, uuids: Sequence[str]) -> dict[str, Locked]:
    """The records of a workspace with those uuids, locked until the transaction ends; unknown ones are left out."""
    with connection.cursor() as cursor:
        cursor.execute(_LOCK, {"workspace": workspace_id, "uuids": list(uuids)})
        wanted = set(uuids)
        return {row[0]: _locked(*row) for row in cursor.fetchall() if row[0] in wanted}


def _locked(
    uuid: str, record_id: int, flow_name: str, status: int, hold: int, wake_at: datetime | None, now: datetime
) -> Locked:
    return Locked(uuid, record_id, flow_name, state_of(status, hold, wake_at, now))
