"""Flows, as their published versions."""

from typing import Any

from apps.core.errors import Conflict
from apps.environments.definitions.section import NAME, TEXT, Items, Section, Target, described, placed
from apps.flows.models import Flow, FlowStatus
from apps.flows.services import change_status, create_flow, save_draft


def _export(workspace_id: int) -> Items:
    rows = Flow.objects.in_workspace(workspace_id).filter(live_version__isnull=False).select_related("live_version")
    return [
        {
            "name": flow.name,
            "description": flow.description,
            "source": flow.live_version.source,
            "active": flow.status in (FlowStatus.RUNNING, FlowStatus.PAUSED),
        }
        for flow in rows.order_by("name")
        if flow.live_version is not None
    ]


def _apply(target: Target, items: Items) -> None:
    """First all names, then all drafts, then all published: flows name each other."""
    rows = Flow.objects.in_workspace(target.workspace_id).select_related("live_version")
    present = {flow.name: flow for flow in rows}
    changed = []
    for number, item in enumerate(items):
        with placed(number, item["name"]):
            flow = present.get(item["name"]) or create_flow(target.caller, name=item["name"])
            if _draft(target, flow, item):
                changed.append((flow, item))
            elif not item["active"]:
                change_status(target.caller, flow, "inactive")
    for flow, item in changed:
        _publish(target, flow, item)
    for name in sorted(present.keys() - {item["name"] for item in items}):
        if present[name].live_version is not None:
            change_status(target.caller, present[name], "inactive")
            target.notes.append(f"The flow {name} is no longer part of the project and takes no more records.")


def _draft(target: Target, flow: Flow, item: dict[str, Any]) -> bool:
    """Give the flow its description and, where it changes, its draft; returns whether there is one to be published."""
    if flow.description != item["description"]:
        flow.description = item["description"]
        flow.save(update_fields=["description", "date_modified"])
    if flow.live_version is not None and flow.live_version.source == item["source"]:
        return False
    save_draft(target.caller, flow, item["source"])
    return True


def _publish(target: Target, flow: Flow, item: dict[str, Any]) -> None:
    """A flow that was paused there stays so."""
    was_paused = flow.status == FlowStatus.PAUSED
    try:
        change_status(target.caller, flow, "public")
    except Conflict as error:
        faults = "; ".join(f"{detail.path}: {detail.message}" for detail in error.details[:3]) or error.message
        raise Conflict(f"The flow {flow.name} cannot be published: {faults}", details=error.details) from None
    if not item["active"]:
        change_status(target.caller, flow, "inactive")
    elif was_paused:
        change_status(target.caller, flow, "paused")


FLOWS = Section(
    name="flows",
    item_schema=described({"name": NAME, "source": TEXT, "active": {"type": "boolean"}}, {"description": TEXT}),
    export=_export,
    apply=_apply,
)
