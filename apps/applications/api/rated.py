"""Calls that are counted: against a limit, and against that of their address while they prove nothing."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from rest_framework.request import Request

from apps.applications.ratelimit import RateState, count_failed_login
from apps.core.errors import FlowizeError
from apps.core.http.client import address_of
from apps.core.http.viewsets import EnvelopeViewSet


class RatedViewSet(EnvelopeViewSet):
    """``counted`` names where the call stands, which its answer says."""

    rate: RateState | None = None

    def counted(self, rate: RateState) -> None:
        """Keep where the call stands; raises ``TooManyRequests``."""
        self.rate = rate
        rate.require()

    @contextmanager
    def failures_counted(self, request: Request, failure: type[FlowizeError] = FlowizeError) -> Iterator[None]:
        """Count a ``failure`` to say who calls against the limit of the address."""
        try:
            yield
        except failure:
            self.counted(count_failed_login(address_of(request._request)))
            raise

    def finalize_response(self, request: Request, response: Any, *args: Any, **kwargs: Any) -> Any:
        """Say where the caller stands in its window."""
        response = super().finalize_response(request, response, *args, **kwargs)
        for name, value in (self.rate.headers if self.rate else {}).items():
            response[name] = value
        return response
