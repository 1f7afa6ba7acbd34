"""What every viewset of the API shares: the envelope, chosen fields, entity tags."""

import hashlib
from collections.abc import Callable
from datetime import datetime
from functools import partial
from typing import Any

from django.db import transaction
from rest_framework import exceptions, status
from rest_framework.parsers import BaseParser
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import ViewSet

from apps.core import errors
from apps.core.http import envelope, etag
from apps.core.http.client import address_of
from apps.core.http.fields import Fields, read_fields, select
from apps.core.http.methods import ALLOWED, READS
from apps.core.http.parsers import TextParser
from apps.core.http.renderers import TextRenderer
from apps.core.jsonio import write_json
from apps.core.preconditions import Part


class EnvelopeViewSet(ViewSet):
    """Answers in the six-key envelope; reads carry an entity tag, and are not answered twice to whoever has it.

    ``takes_text`` adds ``text/plain`` to the formats of bodies and answers.
    """

    required_scopes: dict[str, str] = {}
    takes_text = False
    tenant: Part = None
    fields: Fields | None = None
    validators: etag.Validators | None = None

    def answer(self, resource: Any, message: str, code: int = status.HTTP_200_OK) -> Response:
        """A success with its resource and text."""
        address = address_of(self.request._request)
        return Response(envelope.success(code, address, self._chosen(resource), message), status=code)

    def bare(self, document: Any, code: int = status.HTTP_200_OK) -> Response:
        """A success that is the document itself, without an envelope."""
        return Response(self._chosen(document), status=code)

    def document(self, request: Request) -> Any:
        """The body's document; raises ``BadRequest`` when there is none."""
        if not int(request.META.get("CONTENT_LENGTH") or 0):
            raise errors.BadRequest("The body is empty.")
        return request.data

    @property
    def conditions(self) -> etag.Conditions:
        """The conditions of this request."""
        return etag.Conditions(self.request.headers)

    def unless_current(self, *version: Part, modified: datetime | None = None) -> None:
        """End the call with 304 when the client has this version of the resource, and tag the answer otherwise.

        ``version`` begins with the kind and the key of the row, and is the same that services give a precondition.
        Whatever else than the caller and the format shapes the answer, a page for instance, belongs to it.
        """
        self.validators = etag.Validators(etag.seal_version(self.tenant, version), self._shape(), modified)
        self.conditions.check_read(self.validators)

    def precondition(self) -> etag.TagPrecondition | None:
        """The condition this request sets for its change, for the service to check under the row's lock; or none."""
        conditions = self.conditions
        return etag.TagPrecondition(conditions, self.tenant) if conditions.for_changes else None

    def options(self, request: Any, *args: Any, **kwargs: Any) -> Response:
        """Which methods the path takes; no credentials needed."""
        return Response(envelope.methods(self.allowed_methods, address_of(request._request)))

    def get_renderers(self) -> list[BaseRenderer]:
        """The usual ones, and text where it is taken."""
        return [*super().get_renderers(), *([TextRenderer()] if self.takes_text else [])]

    def get_parsers(self) -> list[BaseParser]:
        """The usual ones, and text where it is taken."""
        return [*super().get_parsers(), *([TextParser()] if self.takes_text else [])]

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Read what the answer shall hold, and put what surrounds every change around this one."""
        super().initial(request, *args, **kwargs)
        self.fields = read_fields(request)
        method = str(request.method).lower()
        if request.method not in ALLOWED and hasattr(self, method):
            setattr(self, method, partial(self.change, getattr(self, method)))

    def change(self, act: Callable[..., Response], request: Request, *args: Any, **kwargs: Any) -> Response:
        """Run the method of a call that may change something.

        Only its answer shows whether a chosen field exists. A call that is refused for it must have changed nothing.
        """
        if self.fields is None:
            return act(request, *args, **kwargs)
        with transaction.atomic():
            return act(request, *args, **kwargs)

    def handle_exception(self, exc: Exception) -> Response:
        """Also 304, which is no error; and 415 names what this call reads."""
        if isinstance(exc, etag.NotModified):
            return Response(None, status=status.HTTP_304_NOT_MODIFIED)
        if isinstance(exc, exceptions.UnsupportedMediaType):
            readable = " or ".join(str(parser.media_type) for parser in self.get_parsers())
            exc = errors.UnsupportedMediaType(f"The body's Content-Type is not supported: send {readable}.")
        return super().handle_exception(exc)

    def finalize_response(self, request: Request, response: Any, *args: Any, **kwargs: Any) -> Any:
        """Tag the answer to a read."""
        response = super().finalize_response(request, response, *args, **kwargs)
        if request.method not in READS or response.get("Cache-Control") == "no-store":
            return response
        if response.status_code == status.HTTP_200_OK and self.validators is None:
            response = self._tagged(request, response, *args, **kwargs)
        if self.validators and response.status_code in (status.HTTP_200_OK, status.HTTP_304_NOT_MODIFIED):
            for name, value in self.validators.headers.items():
                response[name] = value
        return response

    def _chosen(self, resource: Any) -> Any:
        return resource if self.fields is None else select(resource, self.fields)

    def _shape(self) -> str:
        """What shapes an answer beside the version of its rows."""
        request = self.request
        fields = request.query_params.get("fields")
        return etag.seal_shape(request.accepted_media_type, fields, address_of(request._request))

    def _tagged(self, request: Request, response: Any, *args: Any, **kwargs: Any) -> Any:
        """The same answer, or 304: a resource without a version is recognised by its content."""
        response.encoded = write_json(response.data)
        try:
            self.unless_current("content", hashlib.sha256(response.encoded).hexdigest())
        except (etag.NotModified, errors.FlowizeError) as outcome:
            return super().finalize_response(request, self.handle_exception(outcome), *args, **kwargs)
        return response
