"""``/v1/flowdiagram`` and ``/v1/changeflowstatus``."""

from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from apps.applications.api.base import CallerViewSet
from apps.core.errors import BadRequest
from apps.core.http.etag import NotModified
from apps.core.http.openapi.operation import operation
from apps.core.http.parameters import one_of
from apps.core.http.renderers import JSONRenderer, SVGRenderer
from apps.flows import services
from apps.flows.api import openapi
from apps.flows.drawings import DRAWING_POLICY, drawing_of
from apps.flows.models import Flow, FlowVersion
from apps.flows.resources import STATUS_TEXTS, flow_resource, shown_version
from apps.flows.selectors import version_of


class FlowViewSet(CallerViewSet):
    """Flow diagrams and their status."""

    required_scopes = {"retrieve": "flowdiagram.read", "change_status": "flowdiagram"}

    @operation(openapi.RETRIEVE)
    def retrieve(self, request: Request) -> Response:
        """A flow's diagram: its live version with objects and connections, and the list of its versions."""
        flow = services.get_flow(self.caller, **flow_reference(request))
        self.unless_current(*version_of(flow), modified=flow.date_modified)
        if self.is_drawn:
            return self._drawing(flow, shown_version(flow, list(flow.versions.all())))
        return self.answer(flow_resource(self.caller, flow), "Flow diagram is retrieving successfully")

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


def flow_reference(request: Request) -> dict[str, str | None]:
    """The flow a request names: an id, a name, or both."""
    return {
        "flow_id": one_of(request, headers=("X-Flow-Id",), parameters=("flow_id",)),
        "name": one_of(request, headers=("X-Flow",), parameters=("flow_name", "flow")),
    }
