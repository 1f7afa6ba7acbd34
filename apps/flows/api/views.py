"""``/v1/flowdiagram`` and ``/v1/changeflowstatus``."""

from collections.abc import Iterator
from typing import Any

from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from apps.applications.api.base import CallerViewSet
from apps.core import dates
from apps.core.errors import BadRequest
from apps.core.http.etag import NotModified
from apps.core.http.openapi.operation import operation
from apps.core.http.parameters import one_of
from apps.core.http.renderers import JSONRenderer, SVGRenderer
from apps.flows import services
from apps.flows.api import openapi
from apps.flows.diagram.picture import connections
from apps.flows.drawings import DRAWING_POLICY, drawing_of
from apps.flows.models import Flow, FlowVersion
from apps.flows.selectors import version_of

STATUS_TEXTS = {"public": "published", "paused": "paused", "running": "resumed", "inactive": "stopped"}


class FlowViewSet(CallerViewSet):
    """Flow diagrams and their status."""

    required_scopes = {"retrieve": "flowdiagram.read", "change_status": "flowdiagram"}

    @operation(openapi.RETRIEVE)
    def retrieve(self, request: Request) -> Response:
        """A flow's diagram: its live version with objects and connections, and the list of its versions."""
        flow = services.get_flow(self.caller, **flow_reference(request))
        self.unless_current(*version_of(flow), modified=flow.date_modified)
        versions = list(flow.versions.all())
        if self.is_drawn:
            return self._drawing(flow, _shown(flow, versions))
        resource = {
            "customer": self.caller.project_name,
            "flow_name": flow.name,
            "description": flow.description,
            "current_flow": self._current(flow, versions),
            "versions": [self._version(version) for version in versions],
        }
        return self.answer(resource, "Flow diagram is retrieving successfully")

    def get_renderers(self) -> list[BaseRenderer]:
        """A flow can be had as a drawing, too."""
        return [*super().get_renderers(), *([SVGRenderer()] if self.action == "retrieve" else [])]

    @property
    def is_drawn(self) -> bool:
        """Whether the answer is to be a drawing."""
        return isinstance(getattr(self.request, "accepted_renderer", None), SVGRenderer)

    def handle_exception(self, exc: Exception) -> Response:
        """An envelope cannot be drawn: it goes out as JSON."""
        if self.is_drawn and not isinstance(exc, NotModified):
            self.request.accepted_renderer, self.request.accepted_media_type = JSONRenderer(), JSONRenderer.media_type
        return super().handle_exception(exc)

    def _drawing(self, flow: Flow, version: FlowVersion | None) -> Response:
        if self.fields is not None:
            raise BadRequest("A drawing has no fields to choose from.")
        return Response(drawing_of(flow, version), headers={"Content-Security-Policy": DRAWING_POLICY})

    @operation(openapi.CHANGE_STATUS)
    def change_status(self, request: Request) -> Response:
        """Publish the draft, pause, resume or stop a flow; a body is ignored."""
        flow = services.get_flow(self.caller, **flow_reference(request))
        status = one_of(request, headers=("X-Status",), parameters=("status",))
        if not status:
            raise BadRequest(f"X-Status is missing: one of {', '.join(STATUS_TEXTS)}.")
        services.change_status(self.caller, flow, status, self.precondition())
        return self.answer("", f"Flow diagram has been {STATUS_TEXTS[status]} successfully")

    def _current(self, flow: Flow, versions: list[FlowVersion]) -> dict[str, Any]:
        """The version that is shown."""
        shown = _shown(flow, versions)
        objects = _objects(shown.document) if shown else {}
        return {
            "flow_id": str(flow.pk),
            "version": str(shown.number) if shown else "",
            "status": flow.status,
            "date_published": dates.render(shown.date_published if shown else None, self.caller.zone),
            "objects": [_object(name, body) for name, body in objects.items()],
            "connections": list(_connections(objects)),
        }

    def _version(self, version: FlowVersion) -> dict[str, str]:
        return {
            "version": str(version.number),
            "status": version.status,
            "date_created": dates.render(version.date_created, self.caller.zone),
            "date_published": dates.render(version.date_published, self.caller.zone),
        }


def flow_reference(request: Request) -> dict[str, str | None]:
    """The flow a request names: an id, a name, or both."""
    return {
        "flow_id": one_of(request, headers=("X-Flow-Id",), parameters=("flow_id",)),
        "name": one_of(request, headers=("X-Flow",), parameters=("flow_name", "flow")),
    }


def _shown(flow: Flow, versions: list[FlowVersion]) -> FlowVersion | None:
    """The live version; of a flow never published, its draft."""
    return flow.live_version or next(iter(versions), None)


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
        for port, target in connections(body):
            yield {"from": name, "port": port, "to": target}
