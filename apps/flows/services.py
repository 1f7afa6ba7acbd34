"""Creating flows, changing their drafts, publishing, pausing, resuming and stopping them."""

import hashlib
import json
from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone

from apps.applications.caller import Caller
from apps.core.errors import BadRequest, Conflict, Detail, NotFound
from apps.core.jsonio import read_json
from apps.core.preconditions import Precondition
from apps.flows.engine.checks import check_document
from apps.flows.engine.document import check_structure
from apps.flows.models import Flow, FlowStatus, FlowVersion, VersionStatus
from apps.flows.references import missing
from apps.flows.selectors import find_flow, version_of


def create_flow(caller: Caller, *, name: str, description: str = "") -> Flow:
    """A flow without any version; raises ``Conflict`` when the name is taken."""
    caller.require("flowdiagram")
    try:
        with transaction.atomic():
            return Flow.objects.create(workspace_id=caller.workspace_id, name=name, description=description)
    except IntegrityError:
        raise Conflict(f"There is a flow named {name} already.") from None


def save_draft(caller: Caller, flow: Flow, source: str) -> FlowVersion:
    """Keep ``source`` as the flow's draft, whatever its problems; only what is no JSON object is refused."""
    caller.require("flowdiagram")
    if not isinstance(read_json(source), dict):
        raise BadRequest("A flow document is a JSON object.")
    with transaction.atomic():
        locked = _locked(caller, flow)
        draft = locked.versions.filter(status=VersionStatus.DRAFT).first()
        if draft is None:
            newest = locked.versions.order_by("-number").first()
            draft = FlowVersion(flow=locked, number=newest.number + 1 if newest else 1)
        draft.source, draft.sha256 = source, hashlib.sha256(source.encode()).hexdigest()
        draft.save()
        locked.save(update_fields=["date_modified"])  # a flow has changed when its draft has
    return draft


def problems_of(source: str, workspace_id: int | None = None) -> list[Detail]:
    """Everything that keeps a flow document from being published, as ``object/path`` and message.

    With a workspace also what the document names and the workspace does not have.
    """
    document = read_json(source)
    found = check_document(document)
    if workspace_id is not None and isinstance(document, dict) and not check_structure(document):
        found += missing(document, workspace_id)
    return [Detail(f"{problem.object}/{problem.path}".rstrip("/"), problem.message) for problem in found]


def change_status(caller: Caller, flow: Flow, status: str, precondition: Precondition | None = None) -> Flow:
    """Bring a flow to ``public`` (publish the draft), ``paused``, ``running`` or ``inactive``.

    The state it is in already is no error. Raises ``BadRequest`` for another word and ``Conflict``, naming the present
    status, for what cannot follow it.
    """
    caller.require("flowdiagram")
    act = _TRANSITIONS.get(status)
    if act is None:
        raise BadRequest(f"The status must be one of {', '.join(_TRANSITIONS)}.")
    with transaction.atomic():
        locked = _locked(caller, flow)
        if precondition:
            precondition.check(*version_of(locked), modified=locked.date_modified)
        act(locked)
        locked.save(update_fields=["status", "live_version", "concurrency", "date_modified"])
    return locked


def _publish(flow: Flow) -> None:
    draft = flow.versions.filter(status=VersionStatus.DRAFT).first()
    if draft is not None:
        _freeze(flow, draft)
    elif flow.live_version_id is None:
        raise Conflict(f"The flow is {flow.status} and has no draft to publish.")
    flow.status = FlowStatus.RUNNING


def _freeze(flow: Flow, draft: FlowVersion) -> None:
    problems = problems_of(draft.source, flow.workspace_id)
    if problems:
        raise Conflict(f"The flow is {flow.status}; its draft has problems to solve first.", details=problems)
    flow.versions.filter(status=VersionStatus.PUBLISHED).update(status=VersionStatus.RETIRED)
    draft.status, draft.date_published = VersionStatus.PUBLISHED, timezone.now()
    draft.save()
    flow.live_version = draft
    flow.concurrency = draft.document.get("limits", {}).get("concurrency", 0)


def _pause(flow: Flow) -> None:
    _require(flow, FlowStatus.RUNNING, FlowStatus.PAUSED)
    flow.status = FlowStatus.PAUSED


def _resume(flow: Flow) -> None:
    _require(flow, FlowStatus.PAUSED, FlowStatus.RUNNING)
    flow.status = FlowStatus.RUNNING


def _deactivate(flow: Flow) -> None:
    flow.status = FlowStatus.INACTIVE


def _require(flow: Flow, *statuses: FlowStatus) -> None:
    if flow.status not in statuses:
        raise Conflict(f"The flow is {flow.status}: that cannot follow.")


_TRANSITIONS = {"public": _publish, "paused": _pause, "running": _resume, "inactive": _deactivate}


def _locked(caller: Caller, flow: Flow) -> Flow:
    locked = Flow.objects.in_workspace(caller.workspace_id).select_for_update().filter(pk=flow.pk).first()
    if locked is None:
        raise NotFound("There is no such flow.")
    return locked


def get_flow(caller: Caller, *, flow_id: str | None, name: str | None) -> Flow:
    """The caller's flow by id or name."""
    caller.require("flowdiagram.read")
    return find_flow(caller.workspace_id, flow_id=flow_id, name=name)


def format_source(document: Any) -> str:
    """A flow document as people edit it."""
    return json.dumps(document, indent=2, ensure_ascii=False)
