"""``/v1/record``."""

from typing import Any

from rest_framework.request import Request
from rest_framework.response import Response

from apps.applications.api.base import CLIENT_STYLES, CallerViewSet
from apps.core import dates
from apps.core.http.openapi.operation import operation
from apps.core.http.parameters import one_of
from apps.flows.api.views import flow_reference
from apps.records import changing, services
from apps.records.api import openapi
from apps.records.api.trace import trace_of
from apps.records.api.uuids import one_uuid, split
from apps.records.models import Record, Status
from apps.records.resources import created_resource, updated_resource
from apps.records.selectors import Step, version_as_read


class RecordViewSet(CallerViewSet):
    """Data records."""

    required_scopes = {"create": "record", "retrieve": "record.read", "update": "record", "destroy": "record.delete"}
    extra_styles = {"destroy": CLIENT_STYLES}

    @operation(openapi.CREATE)
    def create(self, request: Request) -> Response:
        """Insert one document, or an array of them, into a flow."""
        documents = self.document(request)
        several = isinstance(documents, list)
        reference = flow_reference(request)
        created = services.create_records(
            self.caller,
            documents if several else [documents],
            flow_id=reference["flow_id"],
            flow_name=reference["name"],
            uuid=one_of(request, headers=("X-Uuid", "uuid"), parameters=("uuid",)),
            execute_at=_execute_at(request),
        )
        return self.answer(created_resource(created, several=several), "Data Record is created successfully", 201)

    @operation(openapi.RETRIEVE)
    def retrieve(self, request: Request, uuid: str | None = None) -> Response:
        """A record with its document, status and the trace of the objects it passed."""
        uuid = one_uuid(request, uuid)
        if self.conditions.for_reads:
            self.unless_current(*services.get_version(self.caller, uuid))
        record, steps = services.get_record(self.caller, uuid)
        self.unless_current(*version_as_read(record))
        return self.answer(self._shown(record, steps), "Data Record structure was retrieving successfully")

    @operation(openapi.UPDATE)
    def update(self, request: Request, uuid: str | None = None) -> Response:
        """Replace the document of a record, or of several with as many uuids and commas between them."""
        documents = self.document(request)
        several = isinstance(documents, list)
        named = one_uuid(request, uuid)
        updated = changing.update_records(
            self.caller,
            split(named) if several else [named],
            documents if several else [documents],
            precondition=self.precondition(),
        )
        return self.answer(
            updated_resource(self.caller, updated, several=several), "Data Record was updated successfully"
        )

    @operation(openapi.DESTROY)
    def destroy(self, request: Request, uuid: str | None = None) -> Response:
        """Remove a record with its document and trace."""
        removed = changing.delete_record(self.caller, one_uuid(request, uuid), precondition=self.precondition())
        resource = {"flow_name": removed.flow_name, "uuid": removed.uuid}
        return self.answer(resource, "Data Record was removed successfully")

    def _shown(self, record: Record, steps: list[Step]) -> dict[str, Any]:
        zone = self.caller.zone
        return {
            "info": {
                "uuid": record.uuid,
                "customer_id": str(self.caller.project_id),
                "flow_id": str(record.flow_id),
                "date_created": dates.render(record.date_created, zone),
                "status": Status(record.status).label,
            },
            "data_record": record.content.data,
            "flow_process": {
                "date_started": dates.render(record.date_started, zone),
                "date_last_run": dates.render(record.date_last_run, zone),
            },
            "flow_objects_info": trace_of(record, steps, zone),
        }


def _execute_at(request: Request) -> Any:
    text = one_of(request, headers=("X-Executiontime",), parameters=("executiontime", "realtime"))
    return dates.read_atom("X-Executiontime", text) if text else None
