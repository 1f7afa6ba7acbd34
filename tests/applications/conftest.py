"""What the tests of credentials share."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from tests.conftest import Tenant

READ = "/v1/flowdiagram?flow_name=intake"


@pytest.fixture
def buy(client: Client) -> Callable[..., dict[str, Any]]:
    """Buys tokens with a tenant's client credentials; further arguments are headers."""

    def buy_tokens(tenant: Tenant, **headers: str) -> dict[str, Any]:
        response = client.get("/v1/checkauthentication", headers=tenant.client_headers | headers)
        assert response.status_code == 200, response.content
        resource: dict[str, Any] = response.json()["resource"]
        return resource

    return buy_tokens


@pytest.fixture
def read(client: Client) -> Callable[..., tuple[int, int, str | None]]:
    """Reads Acme's flow; answers the status, the error's code (0 for none) and its message."""

    def read_flow(headers: dict[str, str] | None = None, query: str = "", **extra: Any) -> tuple[int, int, str | None]:
        response = client.get(READ + query, headers=headers or {}, **extra)
        error = response.json()["error"] or {"code": 0, "message": None}
        return response.status_code, error["code"], error["message"]

    return read_flow
