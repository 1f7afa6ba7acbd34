"""Environments of Acme's, and the calls that Acme makes about them."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from apps.applications import services as applications
from apps.environments.execution import work_all
from apps.environments.models import Environment
from tests.conftest import Tenant

ORDER = {"name": "Production", "package": "SS-A", "region": "London", "timezone": "Europe/London"}


def organization_key(tenant: Tenant) -> str:
    """A fresh key of the tenant's organization, switched on."""
    tenant.organization.api_key_enabled = True
    tenant.organization.save()
    return applications.rotate_organization_key(tenant.organization)


class Caller:
    """Calls with an organization's key."""

    def __init__(self, key: str) -> None:
        self.key = key

    def __call__(self, method: str, path: str = "", body: Any = None, status: int = 200, **extra: Any) -> Any:
        text = "" if body is None else json.dumps(body)
        headers = {"X-Apikey": self.key} | extra.pop("headers", {})
        kind = "application/json" if text else ""
        response = Client().generic(method, f"/v1/environment{path}", text, kind, headers=headers, **extra)
        assert response.status_code == status, response.content
        answer = response.json()
        assert answer["code"] == status
        assert list(answer) == ["code", "data" if status < 400 else "error"]
        return answer["data"] if status < 400 else answer["error"]


@pytest.fixture
def call(acme: Tenant) -> Caller:
    """Acme's."""
    return Caller(organization_key(acme))


def make_ready(call: Caller, **fields: Any) -> Environment:
    """An environment that its job has made ready."""
    made = call("POST", "", ORDER | fields, status=201)
    work_all()
    environment = Environment.objects.get(pk=made["id"])
    assert environment.status == "ready"
    return environment


@pytest.fixture
def environment(call: Caller) -> Environment:
    """One that is ready."""
    return make_ready(call)


Act = Callable[..., Any]
