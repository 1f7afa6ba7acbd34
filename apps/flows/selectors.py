"""Finding flows, and their versions compiled."""

from functools import lru_cache

from django.db.models import QuerySet

from apps.core.crypto import Undecipherable
from apps.core.errors import BadRequest, NotFound
from apps.core.preconditions import Part
from apps.flows.engine.program import Program, compile_program
from apps.flows.models import Connection, ConnectionKind, ConnectionSecret, Flow, FlowVersion, VersionStatus


class NoSecret(Exception):
    """The connection has not been given the secret that its kind of credentials needs."""


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


def has_secret(connection: Connection) -> bool:
    """Whether a secret is kept with the connection; asks without reading it."""
    return ConnectionSecret.objects.filter(connection_id=connection.pk).exists()


def find_connection(workspace_id: int, name: str) -> Connection:
    """The connection of that name with its secret at hand; raises ``NotFound``, ``NoSecret`` and ``Undecipherable``."""
    rows = Connection.objects.in_workspace(workspace_id).filter(name=name)
    return with_secret(rows, f"There is no connection '{name}'.")


def with_secret(rows: QuerySet[Connection], otherwise: str) -> Connection:
    """The one row and its secret; raises ``NotFound`` with ``otherwise``, ``NoSecret`` and ``Undecipherable``."""
    try:
        found = rows.select_related("kept").first()
    except Undecipherable:  # perhaps only the token, which can be bought again
        found = rows.select_related("kept").defer("kept__token").first()
        if found is not None:
            found.kept.token = ""
    if found is None:
        raise NotFound(otherwise)
    if found.kind != ConnectionKind.NONE and not getattr(found, "kept", None):
        raise NoSecret(f"The connection {found.name} has no secret: enter it.")
    return found


def flows_using(connection: Connection) -> list[Flow]:
    """The flows whose live version or draft names the connection."""
    versions = (
        FlowVersion.objects.filter(flow__workspace_id=connection.workspace_id, source__contains='"connection"')
        .exclude(status=VersionStatus.RETIRED)
        .select_related("flow")
        .order_by("flow__name")
    )
    found = {version.flow_id: version.flow for version in versions if connection.name in _connections_of(version)}
    return list(found.values())


def _connections_of(version: FlowVersion) -> set[str]:
    """The names in a document, which may be a draft of any shape."""
    objects = version.document.get("objects")
    names = set()
    for item in objects.values() if isinstance(objects, dict) else ():
        config = item.get("with") if isinstance(item, dict) else None
        auth = config.get("auth") if isinstance(config, dict) else None
        name = auth.get("connection") if isinstance(auth, dict) else None
        if isinstance(name, str):
            names.add(name)
    return names
