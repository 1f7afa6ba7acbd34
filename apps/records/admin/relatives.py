"""The records around one: the one that launched it, those it has launched, and what it waits for."""

from typing import Any

from apps.records.models import Hold, Listener, Record

MOST_CHILDREN = 20


def relatives_of(record: Record) -> dict[str, Any]:
    """What the page shows of them; all are of the same workspace, or they are not shown."""
    here = Record.objects.in_workspace(record.workspace_id).select_related("flow")
    children = list(here.filter(parent=record).order_by("-pk")[: MOST_CHILDREN + 1])
    return {
        "parent": here.filter(pk=record.parent_id).first() if record.parent_id else None,
        "children": children[:MOST_CHILDREN],
        "more_children": len(children) > MOST_CHILDREN,
        "listens": _listens(record, here) if record.hold == Hold.WAITING else None,
    }


def _listens(record: Record, here: Any) -> dict[str, Any] | None:
    """The event or the record that a held record waits for; nothing when its listener is of an earlier step."""
    rows = Listener.objects.filter(record=record, run_no=record.run_no, seq=record.seq).select_related("webhook")
    listener = rows.first()
    if listener is None:
        return None
    if listener.webhook_id is None:
        return {"what": "the end of", "child": here.filter(pk=listener.child_id).first()}
    name = listener.webhook.name if listener.webhook else "a webhook that is gone"
    return {"what": f"an event of {name} with the identifier {listener.identifier}", "child": None}
