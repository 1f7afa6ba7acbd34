"""What the OAuth 2 library asks of us: who a client is, which scopes it may have, how tokens look."""

from typing import Any

from django.utils import timezone
from oauth2_provider.generators import BaseHashGenerator
from oauth2_provider.oauth2_validators import OAuth2Validator
from oauth2_provider.scopes import BaseScopes

from apps.applications.authentication import ClientCredentials, authenticate
from apps.applications.models import Application, RefreshToken
from apps.applications.ratelimit import count_call
from apps.applications.scopes import SCOPES, expand
from apps.core import tokens
from apps.core.errors import WrongCredentials


def new_token(request: Any) -> str:
    """An access token: 64 hex digits."""
    return tokens.new_secret()


class ClientIdGenerator(BaseHashGenerator):
    """Client ids of 40 hex digits."""

    def hash(self) -> str:
        """A fresh one."""
        return tokens.new_secret()[:40]


class ApplicationScopes(BaseScopes):
    """An application may have what it is registered for, and gets all of it when it asks for nothing."""

    def get_all_scopes(self) -> dict[str, str]:
        """Every scope with its meaning."""
        return SCOPES

    def get_available_scopes(self, application: Any = None, request: Any = None, *args: Any, **kwargs: Any) -> list:
        """What this application may ask for."""
        return sorted(expand(application.scopes)) if application else list(SCOPES)

    def get_default_scopes(self, application: Any = None, request: Any = None, *args: Any, **kwargs: Any) -> list:
        """What it gets unasked."""
        return self.get_available_scopes(application, request)


class Validator(OAuth2Validator):
    """Clients prove themselves by the same function as everywhere else, address list included."""

    def authenticate_client(self, request: Any, *args: Any, **kwargs: Any) -> bool:
        """Set ``request.client``; raises ``AddressNotAllowed``, which the view answers."""
        try:
            credentials = client_credentials(request)
            if credentials is None:
                return False
            caller = authenticate(credentials, host="", address=request.headers.get("X_CLIENT_ADDRESS", ""))
            count_call(caller).require()
        except WrongCredentials:
            return False
        request.client = Application.objects.get(pk=caller.application_id)
        return True

    def revoke_token(self, token: str, token_type_hint: str, request: Any, *args: Any, **kwargs: Any) -> None:
        """End a token of the asking client, the refresh tokens of ``/v1/checkauthentication`` included."""
        super().revoke_token(token, token_type_hint, request, *args, **kwargs)
        own = RefreshToken.objects.filter(application=request.client, token_hash=tokens.digest(token), revoked_at=None)
        own.update(revoked_at=timezone.now())

    def client_authentication_required(self, request: Any, *args: Any, **kwargs: Any) -> bool:
        """Every client has a secret."""
        return True


def client_credentials(request: Any) -> ClientCredentials | None:
    """Those of an oauthlib request: HTTP Basic, else the form's ``client_id`` and ``client_secret``."""
    scheme, _, encoded = request.headers.get("HTTP_AUTHORIZATION", "").partition(" ")
    if scheme.lower() == "basic":
        return ClientCredentials.from_basic(encoded)
    client_id, secret = getattr(request, "client_id", None), getattr(request, "client_secret", None)
    return ClientCredentials(client_id, secret) if client_id and secret else None
