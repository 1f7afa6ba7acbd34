"""What every viewset of the data plane begins and ends with: the caller, its rate limit, the envelope."""

import hashlib
from datetime import datetime
from typing import Any

from django.http.request import split_domain_port
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import ViewSet

from apps.applications.api.credentials import credentials_of, scopes_of
from apps.applications.authentication import (
    BearerToken,
    ClientCredentials,
    Credentials,
    Keys,
    ProjectKey,
    authenticate,
)
from apps.applications.caller import Caller
from apps.applications.ratelimit import RateState, count_call, count_failed_login
from apps.core.errors import BadRequest, FlowizeError, InvalidToken, WrongCredentials
from apps.core.http import envelope, etag
from apps.core.http.client import address_of
from apps.core.http.methods import READS
from apps.core.jsonio import write_json
from apps.core.preconditions import Part

Styles = tuple[type, ...]
# The key styles and tokens serve every endpoint; an endpoint that takes more says so.
USUAL: Styles = (BearerToken, Keys)


def host_of(request: Request) -> str:
    """The request's host without its port, which picks the workspace."""
    return split_domain_port(request._request.get_host())[0]


class EnvelopeViewSet(ViewSet):
    """Answers in the six-key envelope; reads carry an entity tag, and are not answered twice to whoever has it."""

    tenant: Part = None
    validators: etag.Validators | None = None

    def answer(self, resource: Any, message: str, code: int = status.HTTP_200_OK) -> Response:
        """A success with its resource and text."""
        address = address_of(self.request._request)
        return Response(envelope.success(code, address, resource, message), status=code)

    def bare(self, document: Any, code: int = status.HTTP_200_OK) -> Response:
        """A success that is the document itself, without an envelope."""
        return Response(document, status=code)

    def document(self, request: Request) -> Any:
        """The body's document; raises ``BadRequest`` when there is none."""
        if not int(request.META.get("CONTENT_LENGTH") or 0):
            raise BadRequest("The body is empty.")
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

    def _shape(self) -> str:
        """What shapes an answer beside the version of its rows."""
        request = self.request
        fields = request.query_params.get("fields")
        return etag.seal_shape(request.accepted_media_type, fields, address_of(request._request))

    def handle_exception(self, exc: Exception) -> Response:
        """Also 304, which is no error."""
        if isinstance(exc, etag.NotModified):
            return Response(None, status=status.HTTP_304_NOT_MODIFIED)
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

    def _tagged(self, request: Request, response: Any, *args: Any, **kwargs: Any) -> Any:
        """The same answer, or 304: a resource without a version is recognised by its content."""
        response.encoded = write_json(response.data)
        try:
            self.unless_current("content", hashlib.sha256(response.encoded).hexdigest())
        except (etag.NotModified, FlowizeError) as outcome:
            return super().finalize_response(request, self.handle_exception(outcome), *args, **kwargs)
        return response

    def options(self, request: Any, *args: Any, **kwargs: Any) -> Response:
        """Which methods the path takes; no credentials needed."""
        methods = self.allowed_methods
        return self.answer({"methods": methods}, "The allowed methods are listed.")


class CallerViewSet(EnvelopeViewSet):
    """Knows who is calling before its methods run.

    ``required_scopes`` names each action's scope, asked for before its body is read; ``extra_styles`` the kinds of
    credentials it takes beside the usual ones.
    """

    required_scopes: dict[str, str] = {}
    extra_styles: dict[str, Styles] = {}
    fresh = False
    caller: Caller
    rate: RateState | None = None

    @property
    def tenant(self) -> Part:  # type: ignore[override]
        """Rows belong to the caller's workspace."""
        return self.caller.workspace_id

    def _shape(self) -> str:
        """Answers also show the project's name, and dates in the workspace's zone."""
        return etag.seal_shape(super()._shape(), self.caller.project_name, self.caller.time_zone)

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Authenticate, then count the call against its limit."""
        super().initial(request, *args, **kwargs)
        if request.method == "OPTIONS" or not self.action:
            return
        try:
            self.caller = self.identify(request)
        except (WrongCredentials, InvalidToken) as error:
            self._refuse(request, error)
        self.rate = count_call(self.caller)
        self.rate.require()
        if scope := self.required_scopes.get(self.action):
            self.caller.require(scope)

    def identify(self, request: Request) -> Caller:
        """The caller of this request."""
        credentials = self.credentials(request)
        return authenticate(
            credentials,
            host=host_of(request),
            address=address_of(request._request),
            scopes=scopes_of(request),
            fresh=self.fresh,
        )

    def credentials(self, request: Request) -> Credentials:
        """The request's credentials, when they are of a style this action takes."""
        credentials = credentials_of(request)
        if not isinstance(credentials, USUAL + self.extra_styles.get(self.action or "", ())):
            raise WrongCredentials
        return credentials

    def _refuse(self, request: Request, error: FlowizeError) -> None:
        self.rate = count_failed_login(address_of(request._request))
        self.rate.require()
        raise error

    def finalize_response(self, request: Request, response: Any, *args: Any, **kwargs: Any) -> Any:
        """Say where the caller stands in its window."""
        response = super().finalize_response(request, response, *args, **kwargs)
        if self.rate:
            for name, value in self.rate.headers.items():
                response[name] = value
        return response


CLIENT_STYLES: Styles = (ClientCredentials,)
PROJECT_KEY: Styles = (ProjectKey,)
