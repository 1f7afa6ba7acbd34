"""The flows of these tests; runs in a process with Django."""

from typing import Any

from apps.accounts.models import Role, Workspace
from apps.applications.members import member_caller
from apps.flows import services

DELIVER = "deliver"  # three steps, one of them outside
QUICK = "quick"  # never leaves the house
OTHER = "other"  # where records are moved
STALLED = ("stalled-one", "stalled-two")  # call receivers that do not answer in time
WAITING = "waiting"  # waits for two seconds


def add_flows(project_id: str, url: str) -> None:
    """Make and publish them in a project's workspace."""
    workspace = Workspace.objects.get(project_id=project_id, api_host="")
    caller = member_caller(workspace, Role.OWNER)
    for document in documents(url):
        flow = services.create_flow(caller, name=document["name"])
        services.save_draft(caller, flow, services.format_source(document))
        services.change_status(caller, flow, "public")


def documents(url: str) -> list[dict[str, Any]]:
    """All of them; ``delay`` seconds of a document are what the receiver takes for its first answer about it."""
    retry = {"max": 20, "delay": "1s"}
    impatient = {"max": 0}
    return [
        _flow(DELIVER, before=_set("before", "tell"), tell=_tell(url, "10s", retry), after=_set("after", "end")),
        _flow(QUICK, before=_set("before", "after"), after=_set("after", "end")),
        _flow(OTHER, before=_set("elsewhere", "end")),
        *(_flow(name, tell=_tell(url, "15s", impatient), after=_set("after", "end")) for name in STALLED),
        _flow(WAITING, pause={"type": "wait", "for": "2s", "next": {"ok": "after"}}, after=_set("after", "end")),
    ]


def _flow(name: str, **objects: dict[str, Any]) -> dict[str, Any]:
    first = next(iter(objects))
    ends = {"start": {"type": "start", "next": {"ok": first}}, "end": {"type": "end"}}
    return {"format": "flow/1", "name": name, "start": "start", "objects": ends | objects}


def _set(word: str, then: str) -> dict[str, Any]:
    """``progress`` is the one key of a document that flows write."""
    return {"type": "set", "set": {"progress": word}, "next": {"ok": then}}


def _tell(url: str, timeout: str, retry: dict[str, Any]) -> dict[str, Any]:
    config = {
        "method": "POST",
        "url": url,
        "json": {"uuid": "{{ system.uuid }}", "delay": "{{ delay }}"},
        "timeout": timeout,
    }
    return {"type": "app", "app": "core.http", "with": config, "retry": retry, "next": {"ok": "after"}}
