"""Flows as callers read them, whichever way they came."""

from collections.abc import Iterator
from typing import Any

from apps.applications.caller import Caller
from apps.core import dates
from apps.flows.models import Flow, FlowVersion

# What a change of status is called once it is done.
STATUS_TEXTS = {"public": "published", "paused": "paused", "running": "resumed", "inactive": "stopped"}


def flow_resource(caller: Caller, flow: Flow) -> dict[str, Any]:
    """A flow's diagram: its live version with objects and connections, and the list of its versions."""
    versions = list(flow.versions.all())
    return {
        "customer": caller.project_name,
        "flow_name": flow.name,
        "description": flow.description,
        "current_flow": _current(caller, flow, versions),
        "versions": [_version(caller, version) for version in versions],
    }


def shown_version(flow: Flow, versions: list[FlowVersion]) -> FlowVersion | None:
    """The live version; of a flow never published, its draft. ``versions`` are the flow's, the newest first."""
    return flow.live_version or next(iter(versions), None)


def _current(caller: Caller, flow: Flow, versions: list[FlowVersion]) -> dict[str, Any]:
    shown = shown_version(flow, versions)
    objects = _objects(shown.document) if shown else {}
    return {
        "flow_id": str(flow.pk),
        "version": str(shown.number) if shown else "",
        "status": flow.status,
        "date_published": dates.render(shown.date_published if shown else None, caller.zone),
        "objects": [_object(name, body) for name, body in objects.items()],
        "connections": list(_connections(objects)),
    }


def _version(caller: Caller, version: FlowVersion) -> dict[str, str]:
    return {
        "version": str(version.number),
        "status": version.status,
        "date_created": dates.render(version.date_created, caller.zone),
        "date_published": dates.render(version.date_published, caller.zone),
    }


def _objects(document: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """The objects of a document; a draft may hold anything in their place, which is left out."""
    objects = document.get("objects")
    if not isinstance(objects, dict):
        return {}
    return {name: body for name, body in objects.items() if isinstance(body, dict)}


def _object(name: str, body: dict[str, Any]) -> dict[str, Any]:
    """What callers may know of an object: its configuration may hold secrets and stays inside."""
    known = {"id": name, "type": "", "text": name}
    return known | {key: body[key] for key in ("type", "text", "app") if isinstance(body.get(key), str)}


def _connections(objects: dict[str, dict[str, Any]]) -> Iterator[dict[str, str]]:
    for name, body in objects.items():
        ports = body.get("next")
        for port, target in (ports if isinstance(ports, dict) else {}).items():
            if isinstance(target, str):
                yield {"from": name, "port": port, "to": target}
