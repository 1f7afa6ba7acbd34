"""What the demonstration organizations lack for these tests; runs in a process with Django."""

from typing import Any

from apps.accounts.models import Project, Role, Workspace
from apps.applications import services as applications
from apps.applications.members import member_caller
from apps.flows import services as flows

FLOW_NAME = "tell_sink"
ELSEWHERE = "acme-elsewhere"


def add_stock(project_id: str, sink_url: str) -> str:
    """A flow that calls the sink, and an application that may only be used from 10.0.0.1; returns its key."""
    workspace = Workspace.objects.get(project_id=project_id, api_host="")
    caller = member_caller(workspace, Role.OWNER)
    flow = flows.create_flow(caller, name=FLOW_NAME)
    flows.save_draft(caller, flow, flows.format_source(_document(sink_url)))
    flows.change_status(caller, flow, "public")
    registered = applications.register_application(
        Project.objects.get(pk=project_id), name=ELSEWHERE, oauth2=False, addresses="10.0.0.1", scopes=["record"]
    )
    return registered.application.app_key


def _document(sink_url: str) -> dict[str, Any]:
    """``delay`` seconds of the record's document are what the sink takes to answer."""
    return {
        "format": "flow/1",
        "name": FLOW_NAME,
        "start": "start",
        "objects": {
            "start": {"type": "start", "next": {"ok": "before"}},
            "before": {"type": "set", "set": {"progress": "before"}, "next": {"ok": "tell"}},
            "tell": {
                "type": "app",
                "app": "core.http",
                "with": {
                    "method": "POST",
                    "url": sink_url,
                    "json": {"uuid": "{{ system.uuid }}", "delay": "{{ delay }}"},
                    "timeout": "10s",
                },
                "next": {"ok": "after"},
            },
            "after": {"type": "set", "set": {"progress": "after"}, "next": {"ok": "end"}},
            "end": {"type": "end"},
        },
    }
