"""Keys, clients and tokens, good ones and others."""

from datetime import timedelta
from functools import cached_property
from typing import Any

from django.test import Client
from django.utils import timezone
from oauth2_provider.models import AccessToken

from apps.applications import services as applications
from apps.applications.models import RefreshToken
from apps.applications.scopes import SCOPES
from tests.contract.stage.side import ELSEWHERE, HERE, TenantSide


class Credentials(TenantSide):
    """What a caller proves itself with."""

    @cached_property
    def app_name(self) -> str:
        return str(self.tenant.keys.name)

    @cached_property
    def oauth_app(self) -> str:
        return str(self.tenant.oauth.app_key)

    @cached_property
    def key_client_id(self) -> str:
        """The client id of the application that has OAuth 2 off."""
        return str(self.tenant.keys.client_id)

    @cached_property
    def elsewhere_app(self) -> str:
        """An application whose list has another address only."""
        return self._application("elsewhere", addresses=ELSEWHERE).app_key

    @cached_property
    def header_only_app(self) -> str:
        """An application that may not send its keys in the URL."""
        return self._application("headers-only", url_keys=False).app_key

    @cached_property
    def disabled_app(self) -> str:
        return self._application("disabled", active=False).app_key

    @cached_property
    def disabled_client_id(self) -> str:
        return self._disabled_client[0]

    @cached_property
    def disabled_client_secret(self) -> str:
        return self._disabled_client[1]

    @cached_property
    def _disabled_client(self) -> tuple[str, str]:
        made = self._registered("disabled-client", oauth2=True, active=False)
        return made.application.client_id, made.client_secret

    @cached_property
    def old_api_key(self) -> str:
        """The project's key before it was replaced; naming it replaces the key."""
        old = self.api_key
        self.api_key = applications.rotate_project_key(self.tenant.project)
        return old

    @cached_property
    def swapped_api_key(self) -> str:
        return self.api_key.swapcase()

    @cached_property
    def organization_key(self) -> str:
        return applications.rotate_organization_key(self.tenant.organization)

    def _registered(self, name: str, **fields: Any) -> Any:
        usual = {"oauth2": False, "url_keys": True, "addresses": HERE, "scopes": list(SCOPES), "rate_limit": 1000}
        name = f"{self.tenant.name}-{name}"
        return applications.register_application(self.tenant.project, name=name, **usual | fields)

    def _application(self, name: str, **fields: Any) -> Any:
        return self._registered(name, **fields).application

    @cached_property
    def _bought(self) -> dict[str, Any]:
        headers = {"client_id": self.client_id, "client_secret": self.client_secret, "grant_type": "client_credentials"}
        resource: dict[str, Any] = Client().get("/v1/checkauthentication", headers=headers).json()["resource"]
        return resource

    @cached_property
    def token(self) -> str:
        return str(self._bought["access_token"])

    @cached_property
    def refresh_token(self) -> str:
        return str(self._bought["refresh_token"])

    @cached_property
    def expired_token(self) -> str:
        token = self.token
        AccessToken.objects.update(expires=timezone.now() - timedelta(seconds=1))
        return token

    @cached_property
    def revoked_token(self) -> str:
        token = self.token
        AccessToken.objects.all().delete()
        return token

    @cached_property
    def revoked_refresh_token(self) -> str:
        token = self.refresh_token
        RefreshToken.objects.update(revoked_at=timezone.now())
        return token
