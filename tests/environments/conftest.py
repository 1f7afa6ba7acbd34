"""Environments of Acme's, the calls that Acme makes about them, and certificates of every kind."""

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from django.test import Client

from apps.applications import services as applications
from apps.environments import nudge
from apps.environments.execution import work_all
from apps.environments.models import Environment
from tests.conftest import Tenant
from tests.environments.openssl import Maker, Pair

ORDER = {"name": "Production", "package": "SS-A", "region": "London", "timezone": "Europe/London"}


def organization_key(tenant: Tenant) -> str:
    """A fresh key of the tenant's organization, switched on."""
    tenant.organization.api_key_enabled = True
    tenant.organization.save()
    return applications.rotate_organization_key(tenant.organization)


@pytest.fixture(autouse=True)
def _silent_bell(monkeypatch: pytest.MonkeyPatch) -> None:
    """No message goes to the broker, which is none of these tests'."""
    monkeypatch.setattr(nudge, "_bell", SimpleNamespace(ring=lambda: None))


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


@pytest.fixture(scope="session")
def maker(tmp_path_factory: pytest.TempPathFactory) -> Maker:
    return Maker(Path(tmp_path_factory.mktemp("certificates")))


@pytest.fixture(scope="session")
def root(maker: Maker) -> Pair:
    return maker.authority("/C=NL/O=Acme/CN=Acme Root")


@pytest.fixture(scope="session")
def middle(maker: Maker, root: Pair) -> Pair:
    return maker.authority("/C=NL/O=Acme/CN=Acme Issuing", by=root)


@pytest.fixture(scope="session")
def site(maker: Maker, middle: Pair) -> Pair:
    """Of a server, two steps below the root."""
    return maker.signed(by=middle, extensions="subjectAltName=DNS:www.example.com,DNS:*.example.com,IP:192.0.2.7")


@pytest.fixture(scope="session")
def alone(maker: Maker) -> Pair:
    """Signed by itself, with an RSA key."""
    return maker.signed(key=maker.key("rsa"))
