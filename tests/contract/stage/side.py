"""The tenant behind a side of the stage, and the calls it makes for itself."""

from typing import Any

from django.test import Client

from apps.applications.models import Application
from tests.conftest import Tenant

HERE = "127.0.0.1"
ELSEWHERE = "10.9.8.7"


class TenantSide:
    """A tenant whose applications have a limit, so that answers say where the caller stands."""

    def __init__(self, tenant: Tenant) -> None:
        self.tenant = tenant
        self.name = tenant.name
        self.api_key = tenant.api_key
        self.app = tenant.keys.app_key
        self.client_id = tenant.oauth.client_id
        self.client_secret = tenant.client_secret
        self.project = str(tenant.project.pk)
        self.customer = tenant.project.name
        Application.objects.filter(project=tenant.project).update(rate_limit=1000)

    def send(self, method: str, path: str, body: Any = "", status: int = 200, headers: Any = None) -> Any:
        """A call of the tenant's own that must work."""
        headers = self.tenant.headers | (headers or {})
        response = Client().generic(method, path, body, "application/json", headers=headers)
        assert response.status_code == status, response.content
        return response

    def secrets(self) -> list[str]:
        """What no refusal may repeat."""
        return [self.api_key, self.client_secret, self.tenant.organization.api_key_hash or self.api_key]
