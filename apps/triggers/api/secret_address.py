"""What calls of secret addresses have in common."""

from typing import Any, ClassVar

from rest_framework.request import Request

from apps.applications.api.base import EnvelopeViewSet
from apps.applications.carriers import host_of
from apps.applications.ratelimit import RateState, count_failed_login
from apps.core.errors import NotFound
from apps.core.http.client import address_of
from apps.triggers.api.parsers import FormParser


class SecretAddressViewSet(EnvelopeViewSet):
    """Knowing the secret is the only credential, and nothing of the body is read before it is known.

    ``parameter`` is what the path calls it.
    """

    parser_classes = (*EnvelopeViewSet.parser_classes, FormParser)
    required_scopes: dict[str, str] = {}
    parameter: ClassVar[str] = "secret"
    rate: RateState | None = None

    def reach(self, secret: str, host: str, address: str) -> None:
        """Find what the secret leads to; raises ``NotFound`` and ``AddressNotAllowed``."""
        raise NotImplementedError

    def count(self) -> RateState:
        """Count the call against the limit of what was found."""
        raise NotImplementedError

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Find what is called, ask for the address, and count the call; also one that guesses."""
        super().initial(request, *args, **kwargs)
        if request.method == "OPTIONS" or not self.action:
            return
        address = address_of(request._request)
        try:
            self.reach(kwargs[self.parameter], host_of(request._request), address)
        except NotFound:
            self.rate = count_failed_login(address)
            self.rate.require()
            raise
        self.rate = self.count()
        self.rate.require()

    def finalize_response(self, request: Request, response: Any, *args: Any, **kwargs: Any) -> Any:
        """Say where the address stands in its window."""
        response = super().finalize_response(request, response, *args, **kwargs)
        for name, value in (self.rate.headers if self.rate else {}).items():
            response[name] = value
        return response
