"""Acme's webhooks, and the short ways of delivering to them."""

import json
from typing import Any

import pytest
from django.test import Client

from apps.triggers.url_triggers import RegisteredUrl, register_url
from apps.webhooks.services import RegisteredWebhook
from tests.conftest import Tenant
from tests.schemas.conftest import SAMPLE, SCHEMA, encoded
from tests.webhooks.cast import webhook_of

ORDER = {"order": {"id": "A-1", "status": "paid"}}


@pytest.fixture
def hook(acme: Tenant) -> RegisteredWebhook:
    """The one without a flow."""
    return webhook_of(acme)


@pytest.fixture
def inserting(acme: Tenant) -> RegisteredWebhook:
    """The one that inserts into ``intake`` and takes batches."""
    return webhook_of(acme, name="inserting", flow="intake", batch=True)


def deliver(uri: str, body: Any = ORDER, content_type: str = "application/json", **extra: Any) -> Any:
    """Send a payload; texts and bytes go as they are, ``headers`` and WSGI keys beside them."""
    raw = body if isinstance(body, bytes | str) else json.dumps(body)
    return Client().generic("POST", f"/v1/webhook/{uri}", raw, content_type, **extra)


def refused(response: Any, status: int, message: str, code: int | None = None) -> None:
    """The answer is that error and nothing else."""
    error = response.json()["error"]
    assert (response.status_code, error["code"], error["message"]) == (status, code or status, message)


@pytest.fixture
def payload() -> dict[str, str]:
    """The body that stores a schema."""
    return {"schema": encoded(SCHEMA), "data_record": encoded(SAMPLE), "url": "https://example.org/lead"}


def url_of(tenant: Tenant, **fields: Any) -> RegisteredUrl:
    """A URL trigger of a tenant into ``intake``."""
    return register_url(tenant.workspace, **{"name": "calls", "flow": "intake", "rate_limit": 0} | fields)


def call(secret: str, body: Any, content_type: str = "application/json", query: str = "", **extra: Any) -> Any:
    """Call a URL trigger, as ``deliver`` does a webhook."""
    raw = body if isinstance(body, bytes | str) else json.dumps(body)
    return Client().generic("POST", f"/v1/url/{secret}{query}", raw, content_type, **extra)
