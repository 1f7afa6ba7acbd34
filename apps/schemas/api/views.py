"""``/v1/schema``."""

from typing import Any

from rest_framework.request import Request
from rest_framework.response import Response

from apps.applications.api.base import CLIENT_STYLES, CallerViewSet
from apps.core.errors import BadRequest
from apps.core.http.openapi.operation import operation
from apps.schemas import services
from apps.schemas.api import openapi
from apps.schemas.resources import schema_dates, schema_resource
from apps.schemas.selectors import version_of


class SchemaViewSet(CallerViewSet):
    """The data schema of the workspace."""

    required_scopes = {"create": "schema", "retrieve": "schema.read", "update": "schema", "destroy": "schema"}
    extra_styles = {"destroy": CLIENT_STYLES}

    @operation(openapi.CREATE)
    def create(self, request: Request) -> Response:
        """Store the schema; 409 when there is one."""
        schema = services.create_schema(self.caller, **_payload(self.document(request)))
        return self.answer(schema_dates(self.caller, schema), "Schema structure is created successfully", 201)

    @operation(openapi.RETRIEVE)
    def retrieve(self, request: Request) -> Response:
        """Get the schema as it was sent."""
        schema = services.get_schema(self.caller)
        self.unless_current(*version_of(schema), modified=schema.date_modified)
        return self.answer(schema_resource(self.caller, schema), "Schema structure is retrieving successfully")

    @operation(openapi.UPDATE)
    def update(self, request: Request) -> Response:
        """Replace the schema."""
        payload = _payload(self.document(request))
        schema = services.update_schema(self.caller, **payload, precondition=self.precondition())
        return self.answer(schema_dates(self.caller, schema), "Schema structure is updated successfully", 201)

    @operation(openapi.DESTROY)
    def destroy(self, request: Request) -> Response:
        """Remove the schema."""
        services.delete_schema(self.caller, precondition=self.precondition())
        return self.answer({}, "Schema has been removed successfully")


def _payload(data: Any) -> dict[str, str]:
    if not isinstance(data, dict):
        raise BadRequest("The body must be an object with schema, data_record and url.")
    url = data.get("url")
    if not isinstance(url, str) or not url or len(url) > 2048:
        raise BadRequest("url is missing or longer than 2048 characters.")
    return {"url": url, "schema": data.get("schema", ""), "data_record": data.get("data_record", "")}
