"""``/v1/openapi.json``."""

from typing import Any

from rest_framework.request import Request
from rest_framework.response import Response

from apps.applications.api.base import CallerViewSet, EnvelopeViewSet
from apps.applications.api.credentials import carries_credentials
from apps.core import errors
from apps.core.http.openapi.operation import OBJECT, Answer, Operation, operation
from apps.core.http.renderers import JSONRenderer
from flowize.reference.document import generic

TAG = "Reference"
OPENAPI = Operation(
    name="getOpenApi",
    tag=TAG,
    summary="Read this document",
    description="Needs no credentials. With credentials that may read the data schema, the caller's own schema and "
    "sample record stand in the place of the general ones.",
    styles=(),
    errors=[errors.WrongCredentials, errors.TooManyRequests],
    answer=Answer(resource=OBJECT, examples={"Beginning": {"openapi": "3.1.1", "info": {"title": "Flowize"}}}),
)


class ReferenceViewSet(CallerViewSet):
    """Answers anybody; who sends credentials is asked whether they are right."""

    renderer_classes = [JSONRenderer]

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Find out who is calling, if the request says."""
        if carries_credentials(request):
            super().initial(request, *args, **kwargs)
        else:
            EnvelopeViewSet.initial(self, request, *args, **kwargs)

    @operation(OPENAPI)
    def openapi(self, request: Request) -> Response:
        """The OpenAPI document of the API."""
        return self.bare(generic())
