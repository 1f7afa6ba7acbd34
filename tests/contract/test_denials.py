"""Every endpoint of the data plane, every reason to refuse it, and that nothing changed afterwards."""

import json
from typing import Any

import pytest
from django.apps import apps
from django.test import Client
from django.urls import get_resolver

from apps.applications.authentication import forget_credentials
from apps.applications.models import Application
from apps.applications.ratelimit import _count
from apps.keystores.models import Keystore, KeystoreItem
from apps.records.services import create_records
from apps.tables.models import Table
from apps.tables.rows import walk
from apps.tables.selectors import Definition, get_definition
from apps.tables.services import insert_row
from apps.triggers.url_triggers import register_url
from apps.webhooks.services import register_webhook
from tests.tables.conftest import make_table

DOCUMENT = {"client": {"age": 30}}

# method, path, scope, body; {uuid} and {flow} are Acme's.
ENDPOINTS: list[tuple[str, str, str, Any]] = [
    ("POST", "/v1/schema", "schema", {}),
    ("GET", "/v1/schema", "schema.read", None),
    ("PUT", "/v1/schema", "schema", {}),
    ("DELETE", "/v1/schema", "schema", None),
    ("POST", "/v1/record?flow_name=intake", "record", DOCUMENT),
    ("GET", "/v1/record?uuid=known", "record.read", None),
    ("GET", "/v1/record/known", "record.read", None),
    ("PUT", "/v1/record?uuid=known", "record", DOCUMENT),
    ("PUT", "/v1/record/known", "record", DOCUMENT),
    ("DELETE", "/v1/record?uuid=known", "record.delete", None),
    ("DELETE", "/v1/record/known", "record.delete", None),
    ("GET", "/v1/record/search", "record.read", None),
    ("PUT", "/v1/record/search", "record.read", None),
    ("PUT", "/v1/record/changestatus?queue_status=pause-queue", "record", ["known"]),
    ("PUT", "/v1/record/movetoflow?movetoflow=intake", "record", ["known"]),
    ("GET", "/v1/flowdiagram?flow_name=intake", "flowdiagram.read", None),
    ("GET", "/v1/keystore/weather/known", "keystore.read", None),
    ("GET", "/v1/keystore/weather/new", "keystore.read", None),
    ("POST", "/v1/keystore/weather/new", "keystore", {}),
    ("PUT", "/v1/keystore/weather/known", "keystore", {}),
    ("DELETE", "/v1/keystore/weather/known", "keystore", None),
    ("POST", "/v1/keystore/weather", "keystore.read", {}),
    ("PUT", "/v1/changeflowstatus?flow_name=intake&status=paused", "flowdiagram", None),
    ("POST", "/v1/tables/people", "tables", {"age": 2}),
    (
        "PUT",
        "/v1/tables/people",
        "tables",
        {"age": 2, "where": {"rules": [{"field": "age", "operator": ">", "value": 0}]}},
    ),
    ("POST", "/v1/tables/people/search", "tables.read", {}),
    ("GET", "/v1/tables/people/1", "tables.read", None),
    ("POST", "/v1/tables/people/1", "tables", {"age": 2}),
    ("PUT", "/v1/tables/people/1", "tables", {"age": 2}),
    ("DELETE", "/v1/tables/people/1", "tables", None),
]
# Where the project's key alone is enough, as long as one of its applications has the scope.
TAKES_PROJECT_KEY = ("/v1/tables/",)
TOKEN_CALLS = [
    ("GET", "/v1/checkauthentication"),
    ("POST", "/v1/checkauthentication"),
    ("GET", "/v1/refreshtoken"),
    ("POST", "/v1/refreshtoken"),
]
WEBHOOK = "/v1/webhook/unknown"
URL = "/v1/url/unknown"
DESCRIPTIONS = {"/v1/options", "/v1/openapi.json", "/v1/postman.json"}
OPEN = {"/v1/checkauthentication", "/v1/refreshtoken", WEBHOOK, URL} | DESCRIPTIONS

IDS = [f"{method} {path.partition('?')[0]}" for method, path, *_ in ENDPOINTS]
every_endpoint = pytest.mark.parametrize(("method", "path", "scope", "body"), ENDPOINTS, ids=IDS)
# What serves the project's key alone.
OPEN_TO_PROJECTS = ("/v1/keystore/",)


def definition_of(table: Table) -> Definition:
    return get_definition(table.workspace_id, table.name)


def everything() -> dict[str, list[Any]]:
    """All rows of our own tables, but for counters and dates of use."""
    volatile = {"last_used_at", "api_key_last_used_at"}
    return {
        model._meta.label: sorted(
            ({k: v for k, v in row.items() if k not in volatile} for row in model.objects.values()),
            key=lambda row: str(next(iter(row.values()))),
        )
        for model in apps.get_models()
        if model.__module__.startswith("apps.") and model._meta.label not in ("applications.RateWindow",)
    } | {f"rows of {table.pk}": list(walk(definition_of(table))) for table in Table.objects.all()}


def call(client: Client, method: str, path: str, body: Any, headers: dict[str, str], **extra: Any) -> Any:
    return client.generic(
        method, path, "" if body is None else json.dumps(body), "application/json", headers=headers, **extra
    )


@pytest.fixture
def known(acme: Any, rival: Any) -> None:
    """A record of Acme's named ``known``, a key of that name, and a table ``people`` with one row."""
    create_records(acme.caller, [DOCUMENT], flow_name="intake", uuid="known")
    keystore = Keystore.objects.create(workspace=acme.workspace, identifier="weather")
    KeystoreItem.objects.create(keystore=keystore, key="known", data="1")
    make_table(acme, "people", age="integer")
    insert_row(acme.caller, "people", {"age": 1})


def refused(response: Any, status: int, code: int, message: str | None = None) -> None:
    body = response.json()
    assert (response.status_code, body["code"], body["error"]["code"]) == (status, status, code)
    assert list(body) == ["id", "code", "request-ip", "resource", "message", "error"]
    assert (body["resource"], body["message"]) == ([], None)
    assert response["Content-Type"] == "application/json"
    assert response["Cache-Control"] == "no-store"
    if message:
        assert body["error"]["message"] == message


@every_endpoint
def test_no_credentials(client: Client, known: None, method: str, path: str, scope: str, body: Any) -> None:
    before = everything()
    response = call(client, method, path, body, {})
    refused(response, 401, 401, "The credentials are not correct.")
    assert response["WWW-Authenticate"] == 'Bearer realm="flowize"'
    assert everything() == before


@every_endpoint
def test_wrong_key(client: Client, acme: Any, known: None, method: str, path: str, scope: str, body: Any) -> None:
    before = everything()
    refused(call(client, method, path, body, acme.headers | {"X-Apikey": "0" * 64}), 401, 401)
    assert everything() == before


@every_endpoint
def test_key_of_one_tenant_with_application_of_another(
    client: Client, acme: Any, rival: Any, known: None, method: str, path: str, scope: str, body: Any
) -> None:
    before = everything()
    refused(call(client, method, path, body, acme.headers | {"X-App": rival.keys.app_key}), 401, 401)
    assert everything() == before


@every_endpoint
def test_project_key_alone(
    client: Client, acme: Any, known: None, method: str, path: str, scope: str, body: Any
) -> None:
    if path.startswith(TAKES_PROJECT_KEY):
        Application.objects.filter(project=acme.project, oauth2=False).update(scopes=["record.read"])
    before = everything()
    response = call(client, method, path, body, {"X-Apikey": acme.api_key})
    if path.startswith(OPEN_TO_PROJECTS):
        assert response.status_code == 200
    else:
        refused(response, 401, 401)
        assert everything() == before


@every_endpoint
def test_project_key_alone_without_an_application_for_it(
    client: Client, acme: Any, known: None, method: str, path: str, scope: str, body: Any
) -> None:
    Application.objects.filter(pk=acme.keys.pk).update(active=False)
    before = everything()
    for key in (acme.api_key, "0" * 64):
        refused(call(client, method, path, body, {"X-Apikey": key}), 401, 401)
    assert everything() == before


@every_endpoint
def test_project_key_alone_where_it_is_enough(
    client: Client, acme: Any, known: None, method: str, path: str, scope: str, body: Any
) -> None:
    if path.startswith(TAKES_PROJECT_KEY):
        assert call(client, method, path, body, {"X-Apikey": acme.api_key}).status_code == 200
        acme.keys.active = False
        acme.keys.save()
        forget_credentials()
        refused(call(client, method, path, body, {"X-Apikey": acme.api_key}), 401, 401)


@every_endpoint
def test_bad_token(client: Client, known: None, method: str, path: str, scope: str, body: Any) -> None:
    before = everything()
    response = call(client, method, path, body, {"Authorization": f"Bearer {'ab' * 32}"})
    refused(response, 403, 436, "Access token not valid.")
    assert response["WWW-Authenticate"] == 'Bearer realm="flowize", error="invalid_token"'
    assert everything() == before


@every_endpoint
def test_address_that_is_not_allowed(
    client: Client, acme: Any, known: None, method: str, path: str, scope: str, body: Any
) -> None:
    before = everything()
    forged = {"X-Forwarded-For": "127.0.0.1", "X-Real-Ip": "127.0.0.1", "Forwarded": "for=127.0.0.1"}
    response = call(client, method, path, body, acme.headers | forged, REMOTE_ADDR="10.9.8.7")
    refused(response, 403, 437, "Ip not valid.")
    assert response.json()["request-ip"] == "10.9.8.7"
    assert everything() == before


@every_endpoint
def test_missing_scope(client: Client, acme: Any, known: None, method: str, path: str, scope: str, body: Any) -> None:
    lacking = "record.read" if scope.startswith(("schema", "flow")) else "schema.read"
    before = everything()
    response = call(client, method, path, body, acme.headers | {"X-Scopes": lacking})
    refused(response, 401, 401, "The permissions are not correct.")
    assert everything() == before


@every_endpoint
def test_scope_that_was_not_granted(
    client: Client, acme: Any, known: None, method: str, path: str, scope: str, body: Any
) -> None:
    before = everything()
    response = call(client, method, path, body, acme.narrow_headers | {"X-Scopes": "record.read schema"})
    refused(response, 401, 401, "The permissions are not correct.")
    assert everything() == before


@every_endpoint
def test_one_call_too_many(
    client: Client, acme: Any, known: None, method: str, path: str, scope: str, body: Any
) -> None:
    acme.keys.rate_limit = 1
    acme.keys.save()
    _count(f"application:{acme.keys.pk}", 1, None, None)
    before = everything()
    response = call(client, method, path, body, acme.headers)
    refused(response, 429, 429, "Too many requests.")
    assert int(response["Retry-After"]) == int(response["X-RateLimit-Reset"]) > 0
    assert (response["X-RateLimit-Limit"], response["X-RateLimit-Remaining"]) == ("1", "0")
    assert everything() == before


@pytest.mark.parametrize("path", sorted({path.partition("?")[0] for _, path, *_ in ENDPOINTS} | OPEN))
def test_a_method_the_path_does_not_have(client: Client, acme: Any, path: str) -> None:
    before = everything()
    response = call(client, "PATCH", path, {}, acme.headers)
    refused(response, 405, 405)
    assert "OPTIONS" in response["Allow"]
    options = client.options(path)
    assert options.status_code == 200
    assert options["Allow"] == response["Allow"]
    assert everything() == before


@pytest.mark.parametrize(("method", "path"), TOKEN_CALLS)
def test_token_calls_with_a_wrong_secret(client: Client, acme: Any, method: str, path: str) -> None:
    before = everything()
    headers = acme.client_headers | {"client_secret": "f" * 64, "refresh_token": "a" * 64}
    refused(call(client, method, path, None, headers), 401, 401)
    assert everything() == before


@pytest.mark.parametrize(("method", "path"), TOKEN_CALLS)
def test_token_calls_from_a_wrong_address(client: Client, acme: Any, method: str, path: str) -> None:
    before = everything()
    headers = acme.client_headers | {"refresh_token": "a" * 64}
    refused(call(client, method, path, None, headers, REMOTE_ADDR="10.9.8.7"), 403, 437)
    assert everything() == before


@pytest.mark.parametrize(
    ("fields", "body", "status", "code"),
    [
        ({"active": False}, DOCUMENT, 404, 404),
        ({"addresses": "203.0.113.9"}, DOCUMENT, 403, 437),
        ({"addresses": ""}, DOCUMENT, 403, 437),
        ({}, None, 400, 400),
        ({}, 5, 400, 400),
        ({"batch": True}, [DOCUMENT, 5], 400, 400),
    ],
)
def test_deliveries_that_are_refused(
    client: Client, acme: Any, fields: dict[str, Any], body: Any, status: int, code: int
) -> None:
    uri = register_webhook(acme.workspace, name="orders", flow="intake", **fields).uri
    before = everything()
    refused(call(client, "POST", f"/v1/webhook/{uri}", body, {"Webhook-Id": "m"}), status, code)
    refused(call(client, "POST", WEBHOOK, body, {}), 404, 404)
    assert everything() == before


def test_one_delivery_too_many(client: Client, acme: Any) -> None:
    registered = register_webhook(acme.workspace, name="orders", flow="intake", rate_limit=1)
    _count(f"webhook:{registered.webhook.pk}", 1, None, None)
    before = everything()
    response = call(client, "POST", f"/v1/webhook/{registered.uri}", DOCUMENT, {})
    refused(response, 429, 429, "Too many requests.")
    assert int(response["Retry-After"]) == int(response["X-RateLimit-Reset"]) > 0
    assert everything() == before


@pytest.mark.parametrize(
    ("fields", "body", "status", "code"),
    [
        ({"active": False}, DOCUMENT, 404, 404),
        ({"addresses": "203.0.113.9"}, DOCUMENT, 403, 437),
        ({"addresses": ""}, DOCUMENT, 403, 437),
        ({}, None, 400, 400),
        ({}, 5, 400, 400),
        ({"flow": "gone"}, DOCUMENT, 409, 409),
        ({"batch": True}, [DOCUMENT, 5], 400, 400),
        ({"kind": "sync"}, [DOCUMENT], 400, 400),
        ({"kind": "dynamic", "webhook": "gone"}, DOCUMENT, 409, 409),
    ],
)
def test_calls_of_urls_that_are_refused(
    client: Client, acme: Any, fields: dict[str, Any], body: Any, status: int, code: int
) -> None:
    secret = register_url(acme.workspace, **{"name": "orders", "flow": "intake"} | fields).secret
    before = everything()
    refused(call(client, "POST", f"/v1/url/{secret}", body, {"Idempotency-Key": "k"}), status, code)
    refused(call(client, "POST", URL, body, {}), 404, 404)
    assert everything() == before


def test_one_call_of_a_url_too_many(client: Client, acme: Any) -> None:
    registered = register_url(acme.workspace, name="orders", flow="intake", rate_limit=1)
    _count(f"url:{registered.trigger.pk}", 1, None, None)
    before = everything()
    refused(call(client, "POST", f"/v1/url/{registered.secret}", DOCUMENT, {}), 429, 429, "Too many requests.")
    assert everything() == before


def test_every_path_of_the_api_has_a_row() -> None:
    from tests.contract.test_environment_denials import CALLS

    listed = {path.partition("?")[0].removeprefix("/v1/") for _, path, *_ in [*ENDPOINTS, *CALLS]} | {
        path.removeprefix("/v1/") for path in OPEN
    }
    api = next(p for p in get_resolver().url_patterns if str(p.pattern) == "v1/")
    for pattern in api.url_patterns:
        assert any(pattern.pattern.regex.match(path) for path in listed), str(pattern.pattern)
