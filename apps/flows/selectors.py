"""Finding flows, and their versions compiled."""

from functools import lru_cache

from apps.core.errors import BadRequest, NotFound
from apps.core.preconditions import Part
from apps.flows.engine.program import Program, compile_program
from apps.flows.models import Flow, FlowVersion


@lru_cache(maxsize=512)
def program(version_id: int) -> Program:
    """The compiled document of a version; only versions that never change again are asked for here."""
    return compile_program(FlowVersion.objects.exclude(status="draft").get(pk=version_id).document)


def find_flow(workspace_id: int, *, flow_id: str | None, name: str | None) -> Flow:
    """The flow an id (which wins) or a name stands for; raises ``BadRequest`` without either, ``NotFound``."""
    rows = Flow.objects.in_workspace(workspace_id).select_related("live_version")
    flow = rows.filter(**flow_lookup(flow_id, name)).first()
    if flow is None:
        raise NotFound("There is no such flow.")
    return flow


def flow_lookup(flow_id: str | None, name: str | None) -> dict[str, int | str]:
    """The filter for an id, else a name; an id that is no number is a ``BadRequest``."""
    if flow_id:
        if not (flow_id.isascii() and flow_id.isdecimal() and len(flow_id) <= 18):
            raise BadRequest("The flow id must be a number.")
        return {"id": int(flow_id)}
    if not name:
        raise BadRequest("Name the flow: X-Flow or X-Flow-Id is missing.")
    return {"name": name}


def version_of(flow: Flow) -> tuple[Part, ...]:
    """What tells a flow with its versions from every earlier state of it."""
    return ("flow", flow.pk, flow.date_modified, flow.status, flow.live_version_id)
