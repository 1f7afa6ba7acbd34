"""What calls of secret addresses have in common."""

from typing import Any, ClassVar

from rest_framework.request import Request

from apps.applications.api.rated import RatedViewSet
from apps.applications.carriers import host_of
from apps.applications.ratelimit import RateState
from apps.core.errors import NotFound
from apps.core.http.client import address_of
from apps.triggers.api.parsers import FormParser


class SecretAddressViewSet(RatedViewSet):
    """Knowing the secret is the only credential, and nothing of the body is read before it is known.

    ``parameter`` is what the path calls it.
    """

    parser_classes = (*RatedViewSet.parser_classes, FormParser)
    required_scopes: dict[str, str] = {}
    parameter: ClassVar[str] = "secret"

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
        with self.failures_counted(request, NotFound):
            self.reach(kwargs[self.parameter], host_of(request._request), address_of(request._request))
        self.counted(self.count())
