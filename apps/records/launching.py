"""Records that flows start in other flows, and what becomes of them."""

import json
import uuid as uuids

from django.db import IntegrityError, connection, transaction

from apps.core.jsonio import StoredJSONDecoder
from apps.flows.engine.results import AppError, Child
from apps.flows.engine.walk import Held, Launch, Outcome
from apps.flows.models import Flow, FlowStatus
from apps.records.inserting import Origin, insert_records
from apps.records.life_cycle import QueueState, state_of
from apps.records.models import Record, Status
from apps.records.nudge import nudge_on_commit
from apps.records.runs import Run

MAX_DEPTH = 10
_NAMESPACE = uuids.UUID("6f1c1d0e-5f0b-4c4e-9a55-0f6f1f5c7a10")
_LISTEN = """
INSERT INTO records_listener (record_id, run_no, seq, child_id, identifier) VALUES (%s, %s, %s, %s, '')
ON CONFLICT (record_id) DO UPDATE SET run_no = excluded.run_no, seq = excluded.seq, child_id = excluded.child_id,
    webhook_id = NULL, identifier = ''
"""


def find_destination(workspace_id: int, name: str) -> Flow | AppError:
    """The flow that records may enter by that name, else why there is none."""
    flow = Flow.objects.in_workspace(workspace_id).filter(name=name).first()
    if flow is None:
        return AppError("no_flow", f"There is no flow named {name}.")
    if flow.status not in (FlowStatus.RUNNING, FlowStatus.PAUSED) or flow.live_version_id is None:
        return AppError("no_flow", f"The flow {name} takes no data records: it is {flow.status}.")
    return flow


def child_uuid(run: Run, launch: Launch) -> str:
    """The same for the same step, whoever asks; a later record of the parent's uuid has other children."""
    return str(uuids.uuid5(_NAMESPACE, f"{run.claimed.record_id}/{launch.key}"))


def find_or_launch(run: Run, launch: Launch) -> Child | AppError | None:
    """The child, made now when it is not there yet; nothing while it is waited for."""
    name = child_uuid(run, launch)
    row = _find(run.claimed.workspace_id, name)
    if row is None and launch.input is None:
        return AppError("run_removed", f"The record {name} was removed.")
    if row is None:
        if (error := _launch(run, launch, name)) is not None:
            return error
        return None if launch.wait else Child(name, Status.NOT_RUNNING)
    if row.parent_id != run.claimed.record_id:
        return AppError("uuid_taken", f"The uuid {name} is taken by another data record.")
    return _ended(row) if launch.wait else Child(name, row.status)


def keep_waiting(run: Run, launch: Launch, outcome: Outcome) -> None:
    """Have the record woken by the end of its child, when it is held for it."""
    if not isinstance(outcome, Held):
        return
    child = _find(run.claimed.workspace_id, child_uuid(run, launch))
    values = [run.claimed.record_id, run.token.run_no, run.token.seq, child.pk if child else None]
    with connection.cursor() as cursor:
        cursor.execute(_LISTEN, values)


def _find(workspace_id: int, name: str) -> Record | None:
    return Record.objects.in_workspace(workspace_id).filter(uuid=name).first()


def _launch(run: Run, launch: Launch, name: str) -> AppError | None:
    if run.claimed.depth >= MAX_DEPTH:
        return AppError("too_deep", f"More than {MAX_DEPTH} records launched one another.")
    flow = find_destination(run.claimed.workspace_id, launch.flow)
    if isinstance(flow, AppError):
        return flow
    claimed = run.claimed
    origin = Origin(claimed.workspace_id, claimed.application_id, claimed.record_id, claimed.depth + 1)
    try:
        with transaction.atomic():
            insert_records(origin, flow.pk, flow.live_version_id or 0, [name], [launch.input])
    except IntegrityError:
        return AppError("uuid_taken", f"The uuid {name} is taken by another data record.")
    nudge_on_commit()
    return None


def _ended(child: Record) -> Child | None:
    """What became of a child; nothing while it is under way."""
    if child.status in (Status.FINISHED, Status.HANDLED):
        return Child(child.uuid, child.status, _document(child))
    if child.status in (Status.FAILED, Status.REVIEWED):
        error = {"object": child.at, "code": child.error_code, "message": child.error_text}
        return Child(child.uuid, child.status, _document(child), error, "run_failed")
    if state_of(child.status, child.hold, child.wake_at) is QueueState.NONE:
        return Child(child.uuid, child.status, _document(child), None, "run_removed")
    return None


def _document(child: Record) -> object:
    with connection.cursor() as cursor:
        cursor.execute("SELECT data::text FROM records_recorddata WHERE record_id = %s", [child.pk])
        (text,) = cursor.fetchone()
    return json.loads(text, cls=StoredJSONDecoder)
