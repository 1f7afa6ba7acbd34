"""Moving records to another flow, where they begin anew."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.db import connection

from apps.applications.caller import Caller
from apps.core.errors import BadRequest, Conflict, NotFound
from apps.flows.models import Flow, FlowStatus
from apps.records.life_cycle import Act, QueueState
from apps.records.queueing import Result, act_on

# A new run from the start of the flow's public version: what the old flow saved and counted means nothing there. The
# document and the trace of the runs before stay.
_MOVE = """
WITH moved AS (
    UPDATE records_record SET
        flow_id = %(flow)s, flow_version_id = %(version)s, status = 0, hold = 0, at = '', entered_at = NULL,
        run_no = run_no + 1, run_started = NULL, seq = 0, attempt = 1, claims = 0, wake_at = now(),
        saved_wake_at = NULL, lease_token = NULL, leased_by = '', error_code = '', error_text = ''
    WHERE id = ANY(%(ids)s) RETURNING id, uuid
), content AS (
    UPDATE records_recorddata d SET input = NULL, vars = '{}', state = '{}' FROM moved WHERE d.record_id = moved.id
)
SELECT uuid FROM moved
"""


@dataclass(frozen=True, slots=True)
class Moved:
    """What became of each record, and the name of the flow they were to go to."""

    flow_name: str
    results: list[Result]


def move_records(caller: Caller, flow: str, uuids: Sequence[str]) -> Moved:
    """Let records begin anew in the flow of that name or, failing that, that id; one result for each uuid.

    Raises ``NotFound`` for an unknown flow or when no record exists, ``Conflict`` for a flow that takes no records and
    ``NothingChanged`` when none could be moved.
    """
    caller.require("record")
    target = _target(caller.workspace_id, flow)
    return Moved(target.name, act_on(caller, Act.MOVE, uuids, lambda ids: _move(target, ids)))


def _target(workspace_id: int, reference: str) -> Flow:
    if not reference:
        raise BadRequest("Name the flow to move to: X-MoveToFlow-Flow is missing.")
    flows = Flow.objects.in_workspace(workspace_id)
    flow = flows.filter(name=reference).first()
    if flow is None and reference.isascii() and reference.isdecimal() and len(reference) <= 18:
        flow = flows.filter(pk=int(reference)).first()
    if flow is None:
        raise NotFound("There is no such flow.")
    if flow.status not in (FlowStatus.RUNNING, FlowStatus.PAUSED) or flow.live_version_id is None:
        raise Conflict(f"The flow {flow.name} takes no data records: it is {flow.status}.")
    return flow


def _move(target: Flow, ids: list[int]) -> dict[str, QueueState]:
    with connection.cursor() as cursor:
        cursor.execute(_MOVE, {"flow": target.pk, "version": target.live_version_id, "ids": ids})
        return {uuid: QueueState.NEW for (uuid,) in cursor.fetchall()}
