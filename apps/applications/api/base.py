"""What every viewset of the data plane begins and ends with: the caller, its rate limit, the envelope."""

from collections.abc import Callable
from functools import partial
from typing import Any

from rest_framework.request import Request
from rest_framework.response import Response

from apps.applications.api.rated import RatedViewSet
from apps.applications.api.repeats import answered_once
from apps.applications.authentication import ClientCredentials, Credentials, ProjectKey, authenticate
from apps.applications.caller import Caller
from apps.applications.carriers import USUAL as USUAL
from apps.applications.carriers import Styles, credentials_in, host_of, scopes_in, the_one
from apps.applications.idempotency import HEADER
from apps.applications.ratelimit import count_call
from apps.core.http import etag
from apps.core.http.client import address_of
from apps.core.http.viewsets import EnvelopeViewSet as EnvelopeViewSet
from apps.core.preconditions import Part


class CallerViewSet(RatedViewSet):
    """Knows who is calling before its methods run.

    ``required_scopes`` names each action's scope, asked for before its body is read; ``extra_styles`` the kinds of
    credentials it takes beside the usual ones. ``repeatable`` calls take an ``Idempotency-Key``.
    """

    repeatable = True
    extra_styles: dict[str, Styles] = {}
    fresh = False
    caller: Caller

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
        with self.failures_counted(request):
            self.caller = self.identify(request)
        self.counted(count_call(self.caller))
        if scope := self.required_scopes.get(self.action):
            self.caller.require(scope)

    def change(self, act: Callable[..., Response], request: Request, *args: Any, **kwargs: Any) -> Response:
        """Run the method; a POST with an ``Idempotency-Key`` that was run before is answered as it was then."""
        run = partial(super().change, act, request, *args, **kwargs)
        if request.method == "POST" and self.repeatable and HEADER in request.headers:
            return answered_once(self.caller, request, run)
        return run()

    def identify(self, request: Request) -> Caller:
        """The caller of this request."""
        credentials = self.credentials(request)
        return authenticate(
            credentials,
            host=host_of(request._request),
            address=address_of(request._request),
            scopes=scopes_in(request._request),
            fresh=self.fresh,
        )

    def credentials(self, request: Request) -> Credentials:
        """The request's credentials, when they are of a style this action takes."""
        return the_one(credentials_in(request._request), USUAL + self.extra_styles.get(self.action or "", ()))


CLIENT_STYLES: Styles = (ClientCredentials,)
PROJECT_KEY: Styles = (ProjectKey,)
