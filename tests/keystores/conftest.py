"""Two keystores of Acme's, and short ways to call them."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from apps.keystores.models import Keystore, KeystoreItem
from tests.conftest import Tenant
from tests.keystores.model import compact

STRUCTURE = {"temp": None, "wind": "", "city": ""}
LONDON = {"temp": 15, "wind": "2 km/h S", "city": "London"}
MADRID = {"temp": 24, "wind": "5 km/h N", "city": "Madrid"}
Call = Callable[..., Any]


def make_keystore(tenant: Tenant, identifier: str = "weather", **fields: Any) -> Keystore:
    """A keystore of that tenant; ``structure`` is a value."""
    structure = compact(fields.pop("structure", STRUCTURE))
    return Keystore.objects.create(workspace=tenant.workspace, identifier=identifier, structure=structure, **fields)


def fill(keystore: Keystore, **values: Any) -> None:
    """Keys with what they hold."""
    rows = [KeystoreItem(keystore=keystore, key=key, data=compact(value)) for key, value in values.items()]
    KeystoreItem.objects.bulk_create(rows)


@pytest.fixture
def weather(acme: Tenant) -> Keystore:
    """A JSON keystore with a structure."""
    return make_keystore(acme)


@pytest.fixture
def notes(acme: Tenant) -> Keystore:
    """A RAW keystore."""
    return make_keystore(acme, "notes", kind="raw", structure="")


@pytest.fixture
def call(client: Client, acme: Tenant) -> Call:
    """Call a path below ``/v1/keystore/`` as Acme; a body that is no text is sent as JSON."""

    def send(method: str, path: str, body: Any = None, kind: str = "application/json", **headers: str) -> Any:
        text = body if isinstance(body, str | bytes) else "" if body is None else json.dumps(body)
        named = {"Content-Type": kind} | {name.replace("_", "-"): value for name, value in headers.items()}
        return client.generic(method, f"/v1/keystore/{path}", text, kind, headers=acme.headers | named)

    return send


def stored(keystore: Keystore) -> dict[str, Any]:
    """Everything a keystore holds."""
    return {key: json.loads(data) for key, data in keystore.items.values_list("key", "data")}
