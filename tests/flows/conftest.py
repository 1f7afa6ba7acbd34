"""Flows in every status."""

from typing import Any

from apps.flows import services
from apps.flows.models import Flow
from tests.conftest import STRAIGHT_FLOW, Tenant

CALLING_FLOW: dict[str, Any] = {
    "format": "flow/1",
    "name": "calling",
    "start": "start",
    "objects": {
        "start": {"type": "start", "next": {"ok": "call"}},
        "call": {
            "type": "app",
            "app": "core.http",
            "text": "Call the CRM",
            "with": {"method": "GET", "url": "https://crm.example/hidden", "headers": {"X-Key": "top secret"}},
            "next": {"ok": "end", "error": "end"},
        },
        "end": {"type": "end", "text": "Done"},
    },
}


def draft(tenant: Tenant, document: dict[str, Any] = STRAIGHT_FLOW, name: str = "fresh") -> Flow:
    """A flow that was never published."""
    flow = services.create_flow(tenant.caller, name=name, description="What it does")
    services.save_draft(tenant.caller, flow, services.format_source(document))
    return flow


def flow_in(tenant: Tenant, status: str) -> Flow:
    """A flow of that status; ``empty`` is a draft without a document."""
    if status == "empty":
        return services.create_flow(tenant.caller, name="fresh")
    flow = draft(tenant)
    if status == "draft":
        return flow
    words = {"running": ["public"], "paused": ["public", "paused"], "inactive": ["public", "inactive"]}[status]
    for word in words:
        flow = services.change_status(tenant.caller, flow, word)
    return flow
