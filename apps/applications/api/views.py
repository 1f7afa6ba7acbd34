"""Buying tokens: ``/v1/checkauthentication`` and ``/v1/refreshtoken``."""

from rest_framework.request import Request
from rest_framework.response import Response

from apps.applications import issuing
from apps.applications.api import openapi
from apps.applications.api.base import CallerViewSet
from apps.applications.authentication import ClientCredentials, Credentials
from apps.applications.carriers import credentials_in, the_one
from apps.core.errors import BadRequest
from apps.core.http.openapi.operation import operation
from apps.core.http.parameters import one_of

GRANT = "client_credentials"


class TokenViewSet(CallerViewSet):
    """Both calls take the client's id and secret as headers; their answers must not be stored."""

    fresh = True
    repeatable = False

    def credentials(self, request: Request) -> Credentials:
        """Only client credentials buy tokens, and only with the one grant type."""
        credentials = the_one(credentials_in(request._request), (ClientCredentials,))
        if one_of(request, headers=("Grant-Type",), parameters=("grant_type",)) != GRANT:
            raise BadRequest(f"grant_type must be {GRANT}.")
        return credentials

    @operation(openapi.CHECK)
    def check(self, request: Request) -> Response:
        """Prove the credentials and get an access token and a refresh token."""
        issued = issuing.issue_tokens(self.caller)
        resource = {
            "access_token": issued.access_token,
            "token_type": "bearer",
            "refresh_token": issued.refresh_token,
            "expires_in": issued.expires_epoch,
            "scopes": None,
        }
        return self._unstored(self.answer(resource, "The credentials are valid"))

    @operation(openapi.REFRESH)
    def refresh(self, request: Request) -> Response:
        """Get another access token for a refresh token."""
        refresh_token = one_of(request, headers=("Refresh-Token",), parameters=("refresh_token",))
        if not refresh_token:
            raise BadRequest("refresh_token is missing.")
        issued = issuing.refresh_access_token(self.caller, refresh_token)
        resource = {"access_token": issued.access_token, "expires_at": issued.expires_epoch}
        return self._unstored(self.answer(resource, "The token has been generated"))

    @staticmethod
    def _unstored(response: Response) -> Response:
        response["Cache-Control"] = "no-store"
        return response
