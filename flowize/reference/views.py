"""``/v1/openapi.json`` and ``/v1/postman.json``."""

from typing import Any

from rest_framework.request import Request
from rest_framework.response import Response

from apps.applications.api.base import CallerViewSet, EnvelopeViewSet
from apps.applications.caller import Caller
from apps.applications.carriers import carries_credentials
from apps.core import errors
from apps.core.http.openapi.operation import OBJECT, Answer, Operation, operation
from apps.core.http.renderers import JSONRenderer
from apps.core.preconditions import Part
from apps.schemas.models import Schema
from apps.schemas.selectors import current
from flowize.reference.document import Written, generic_written
from flowize.reference.own import of_schema
from flowize.reference.postman import collection_written

TAG = "Reference"
OPENAPI = Operation(
    name="getOpenApi",
    tag=TAG,
    summary="Read this document",
    description="Needs no credentials. With credentials that may read the data schema, the caller's own schema and "
    "sample record stand in the place of the general ones.",
    styles=(),
    whole=True,
    errors=[errors.WrongCredentials],
    answer=Answer(resource=OBJECT, examples={"Beginning": {"openapi": "3.1.1", "info": {"title": "Flowize"}}}),
)
POSTMAN = Operation(
    name="getPostman",
    tag=TAG,
    summary="Read the Postman collection",
    description="Format 2.1, to be imported by this address. Needs no credentials and holds none.",
    styles=(),
    whole=True,
    errors=OPENAPI.errors,
    answer=Answer(resource=OBJECT, examples={"Beginning": {"info": {"name": "Flowize"}, "item": [], "variable": []}}),
)


class ReferenceViewSet(CallerViewSet):
    """Answers anybody; who sends credentials is asked whether they are right."""

    renderer_classes = [JSONRenderer]
    caller: Caller | None = None  # type: ignore[assignment]

    @property
    def tenant(self) -> Part:  # type: ignore[override]
        """Nobody's, unless somebody asks for their own."""
        return self.caller.workspace_id if self.caller else None

    def _shape(self) -> str:
        return EnvelopeViewSet._shape(self)

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Find out who is calling, if the request says."""
        if carries_credentials(request._request):
            super().initial(request, *args, **kwargs)
        else:
            EnvelopeViewSet.initial(self, request, *args, **kwargs)

    @operation(OPENAPI)
    def openapi(self, request: Request) -> Response:
        """The OpenAPI document of the API."""
        return self._sent(self._own() or generic_written())

    @operation(POSTMAN)
    def postman(self, request: Request) -> Response:
        """The Postman collection of the API."""
        return self._sent(collection_written())

    def _own(self) -> Written | None:
        """The document with the caller's schema, if they may read it and there is one."""
        if not self.caller or "schema.read" not in self.caller.scopes:
            return None
        schema = current(self.caller.workspace_id)
        try:
            return of_schema(*schema) if schema else None
        except Schema.DoesNotExist:  # replaced a moment ago
            return self._own()

    def _sent(self, document: Written) -> Response:
        self.unless_current("reference", document.mark)
        response = self.bare({})
        response.encoded = document.body  # type: ignore[attr-defined]
        return response
