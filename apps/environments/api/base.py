"""What the viewsets of environments share: the organization's key, two keys of an envelope, the rate limit."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from rest_framework.parsers import BaseParser
from rest_framework.request import Request
from rest_framework.response import Response

from apps.applications.api.rated import RatedViewSet
from apps.applications.api.repeats import answered_once
from apps.applications.authentication import ProjectKey
from apps.applications.carriers import credentials_in, the_one
from apps.applications.idempotency import HEADER
from apps.applications.ratelimit import count_organization
from apps.core.errors import BadRequest, WrongCredentials
from apps.core.http import envelope
from apps.core.http.client import address_of
from apps.core.http.exception_handler import as_flowize_error, handle
from apps.core.preconditions import Part
from apps.environments.api.openapi import OrganizationSchema
from apps.environments.api.parsers import MultipartParser
from apps.environments.callers import OrganizationCaller, authenticate_organization
from apps.environments.idempotency import answer_once


class OrganizationViewSet(RatedViewSet):
    """Knows the organization behind the key before its methods run, and answers ``{code, data}``.

    ``takes_files`` names the actions whose body may be a form with files.
    """

    schema = OrganizationSchema()
    takes_files: tuple[str, ...] = ()
    caller: OrganizationCaller

    @property
    def tenant(self) -> Part:  # type: ignore[override]
        """Rows belong to the caller's organization."""
        return f"organization {self.caller.organization_id}"

    def given(self, data: Any, code: int = 200) -> Response:
        """A success."""
        return Response({"code": code, "data": self._chosen(data)}, status=code)

    def values(self, request: Request) -> dict[str, Any]:
        """The body, which must be an object."""
        body = self.document(request)
        if not isinstance(body, dict):
            raise BadRequest("The body must be an object.")
        return body

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Find the organization, then count the call against its limit."""
        super().initial(request, *args, **kwargs)
        if request.method == "OPTIONS" or not self.action:
            return
        with self.failures_counted(request):
            self.caller = _identified(request, address_of(request._request))
        self.counted(count_organization(self.caller.organization_id, self.caller.rate_limit))

    def options(self, request: Any, *args: Any, **kwargs: Any) -> Response:
        """Which methods the path takes; no credentials needed."""
        return Response({"code": 200, "data": {"methods": list(self.allowed_methods)}})

    def get_parsers(self) -> list[BaseParser]:
        """The usual ones, and forms where files are taken."""
        action = getattr(self, "action", None) or self.action_map.get(str(self.request.method).lower())
        return [*super().get_parsers(), *([MultipartParser()] if action in self.takes_files else [])]

    def change(self, act: Callable[..., Response], request: Request, *args: Any, **kwargs: Any) -> Response:
        """Run the method; a POST with an ``Idempotency-Key`` that was run before is answered as it was then."""
        run = partial(super().change, act, request, *args, **kwargs)
        if request.method == "POST" and HEADER in request.headers:
            return answered_once(self.caller, request, run, once=answer_once)
        return run()

    def get_exception_handler(self) -> Callable[[Exception, Mapping[str, Any]], Response]:
        """Errors with two keys, too."""
        return _handle_briefly


def _identified(request: Request, address: str) -> OrganizationCaller:
    """The organization of ``X-Apikey``, which comes alone and never in a URL."""
    credentials = the_one(credentials_in(request._request), (ProjectKey,))
    if not isinstance(credentials, ProjectKey) or credentials.in_url:
        raise WrongCredentials
    return authenticate_organization(credentials.api_key, address=address)


def _handle_briefly(exc: Exception, context: Mapping[str, Any]) -> Response:
    response = handle(exc, context)
    response.data = envelope.brief_failure(as_flowize_error(exc))
    return response
