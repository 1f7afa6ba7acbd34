"""The standard endpoints beside the documented token calls: RFC 6749, 7009, 7662 and 8414."""

import base64
import re
import time
from typing import Any
from urllib.parse import urlencode

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from oauth2_provider.models import AccessToken

from apps.applications.hashers import RandomSecretHasher
from apps.applications.models import Application
from apps.applications.scopes import SCOPES
from tests.conftest import Tenant
from tests.contract.xml_reader import read_answer

TOKEN, REVOKE, INTROSPECT = "/o/token/", "/o/revoke_token/", "/o/introspect/"
METADATA = "/.well-known/oauth-authorization-server"
GRANT = {"grant_type": "client_credentials"}
every_endpoint = pytest.mark.parametrize("path", [TOKEN, REVOKE, INTROSPECT])


class CountingHasher(RandomSecretHasher):
    """Counts its verifications."""

    verified: list[str] = []

    def verify(self, password: str, encoded: str) -> bool:
        """As usual."""
        self.verified.append(password)
        return super().verify(password, encoded)


def pair(tenant: Tenant) -> dict[str, str]:
    return {"client_id": tenant.oauth.client_id, "client_secret": tenant.client_secret}


def basic(tenant: Tenant) -> dict[str, str]:
    encoded = base64.b64encode(f"{tenant.oauth.client_id}:{tenant.client_secret}".encode()).decode()
    return {"Authorization": f"Basic {encoded}"}


def bought(client: Client, tenant: Tenant, **more: str) -> str:
    token: str = client.post(TOKEN, GRANT | pair(tenant) | more).json()["access_token"]
    return token


def status_of(client: Client, token: str) -> int:
    return client.get("/v1/flowdiagram?flow_name=intake", headers={"Authorization": f"Bearer {token}"}).status_code


@pytest.mark.parametrize("in_form", [True, False])
def test_the_token_endpoint(client: Client, acme: Tenant, in_form: bool) -> None:
    credentials = pair(acme) if in_form else {}
    response = client.post(TOKEN, GRANT | credentials, headers={} if in_form else basic(acme))
    body = response.json()
    token = body.pop("access_token")
    assert re.fullmatch(r"[0-9a-f]{64}", token)
    assert body == {"expires_in": 864_000, "token_type": "Bearer", "scope": " ".join(sorted(SCOPES))}
    assert (response.status_code, response["Cache-Control"], response["Pragma"]) == (200, "no-store", "no-cache")
    assert status_of(client, token) == 200


def test_a_narrower_scope(client: Client, acme: Tenant) -> None:
    response = client.post(TOKEN, GRANT | pair(acme) | {"scope": "record.read"})
    assert response.json()["scope"] == "record.read"
    assert status_of(client, response.json()["access_token"]) == 401


@pytest.mark.parametrize("scope", ["everything", "record everything", "*", "RECORD"])
def test_a_scope_that_is_too_wide(client: Client, acme: Tenant, scope: str) -> None:
    response = client.post(TOKEN, GRANT | pair(acme) | {"scope": scope})
    assert (response.status_code, response.json()) == (400, {"error": "invalid_scope"})
    assert not AccessToken.objects.exists()


def test_a_scope_the_application_lacks(client: Client, acme: Tenant) -> None:
    Application.objects.filter(pk=acme.oauth.pk).update(scopes=["record.read"])
    response = client.post(TOKEN, GRANT | pair(acme) | {"scope": "record"})
    assert (response.status_code, response.json()) == (400, {"error": "invalid_scope"})
    assert client.post(TOKEN, GRANT | pair(acme)).json()["scope"] == "record.read"


@pytest.mark.parametrize(
    "form",
    [
        {},
        {"grant_type": ""},
        {"grant_type": "password", "username": "root", "password": "x"},
        {"grant_type": "authorization_code", "code": "x", "redirect_uri": "https://example.org/"},
        {"grant_type": "refresh_token", "refresh_token": "a" * 64},
        {"grant_type": "urn:ietf:params:oauth:grant-type:device_code", "device_code": "x"},
    ],
)
def test_other_grants_buy_nothing(client: Client, acme: Tenant, form: dict[str, str]) -> None:
    response = client.post(TOKEN, form | pair(acme))
    error = "unsupported_grant_type" if form.get("grant_type") else "invalid_request"
    assert (response.status_code, response.json()) == (
        400,
        {"error": error, "error_description": "grant_type must be client_credentials."},
    )
    assert response["Cache-Control"] == "no-store"
    assert not AccessToken.objects.exists()


WRONG: list[Any] = [
    ("client_id", "0" * 40),
    ("client_id", "a\0b"),
    ("client_id", "caf\xe9"),
    ("client_id", "x" * 5000),
    ("client_id", ""),
    ("client_secret", "0" * 64),
    ("client_secret", "a\0b"),
    ("client_secret", ""),
]


@every_endpoint
@pytest.mark.parametrize(("name", "value"), WRONG, ids=range(len(WRONG)))
def test_wrong_client_credentials(client: Client, acme: Tenant, path: str, name: str, value: str) -> None:
    token = bought(client, acme)
    form = GRANT | pair(acme) | {"token": token, name: value}
    response = client.post(path, form)
    assert (response.status_code, response.json()["error"]) == (401, "invalid_client")
    assert response["Cache-Control"] == "no-store"
    assert "WWW-Authenticate" in response
    assert AccessToken.objects.count() == 1


@every_endpoint
@pytest.mark.parametrize("value", ["Basic", "Basic !!!", "Basic YQBiOng=", "Basic " + "A" * 9000, "Bearer x"])
def test_basic_credentials_that_cannot_be_right(client: Client, acme: Tenant, path: str, value: str) -> None:
    response = client.post(path, GRANT | {"token": "x"}, headers={"Authorization": value})
    assert (response.status_code, response.json()["error"]) == (401, "invalid_client")


@every_endpoint
def test_no_credentials(client: Client, acme: Tenant, path: str) -> None:
    response = client.post(path, GRANT | {"token": "x"})
    assert (response.status_code, response.json()["error"]) == (401, "invalid_client")


@every_endpoint
@pytest.mark.parametrize("state", [{"active": False}, {"oauth2": False}])
def test_an_application_without_tokens(client: Client, acme: Tenant, path: str, state: dict[str, bool]) -> None:
    Application.objects.filter(pk=acme.oauth.pk).update(**state)
    response = client.post(path, GRANT | pair(acme) | {"token": "x"})
    assert (response.status_code, response.json()["error"]) == (401, "invalid_client")


@every_endpoint
def test_a_wrong_address(client: Client, acme: Tenant, path: str) -> None:
    response = client.post(path, GRANT | pair(acme) | {"token": "x"}, REMOTE_ADDR="10.9.8.7")
    expected = {"error": "access_denied", "error_description": "Ip not valid."}
    assert (response.status_code, response.json()) == (403, expected)


@every_endpoint
@pytest.mark.parametrize("end", ["/", ""])
@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "PATCH", "DELETE", "TRACE"])
def test_only_post(client: Client, acme: Tenant, path: str, end: str, method: str) -> None:
    form = urlencode(GRANT | pair(acme) | {"token": "x"})
    kind = "application/x-www-form-urlencoded"
    response = client.generic(method, path.rstrip("/") + end, form, kind, headers=basic(acme))
    assert (response.status_code, response["Allow"], response["Cache-Control"]) == (405, "POST, OPTIONS", "no-store")
    assert response["Content-Type"] == "application/json"
    assert method == "HEAD" or response.json() == {
        "id": "method-not-allowed",
        "code": 405,
        "request-ip": "127.0.0.1",
        "resource": [],
        "message": None,
        "error": {"code": 405, "message": "The method is not allowed for this path."},
    }
    assert not AccessToken.objects.exists()


@every_endpoint
def test_another_method_in_xml(client: Client, acme: Tenant, path: str) -> None:
    response = client.get(path, headers={"Accept": "application/xml"})
    assert (response.status_code, response["Content-Type"]) == (405, "application/xml; charset=utf-8")
    assert read_answer(response.content)["error"]["code"] == 405


@pytest.mark.parametrize(
    ("path", "methods"),
    [*((path, "POST, OPTIONS") for path in (TOKEN, REVOKE, INTROSPECT)), (METADATA, "GET, HEAD, OPTIONS")],
)
@pytest.mark.parametrize("end", ["/", ""])
def test_options_names_the_methods(client: Client, db: None, path: str, methods: str, end: str) -> None:
    response = client.options(path.rstrip("/") + end)
    assert (response.status_code, response["Allow"], response["Content-Type"]) == (200, methods, "application/json")
    assert response.json()["resource"] == {"methods": methods.split(", ")}


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
def test_the_metadata_is_only_read(client: Client, db: None, method: str) -> None:
    response = client.generic(method, METADATA)
    assert (response.status_code, response["Allow"]) == (405, "GET, HEAD, OPTIONS")
    assert response.json()["error"]["code"] == 405
    assert client.get(f"{METADATA}/").json() == client.get(METADATA).json()


def test_the_last_slash_is_optional(client: Client, acme: Tenant) -> None:
    token = client.post(TOKEN.rstrip("/"), GRANT | pair(acme)).json()["access_token"]
    asked = pair(acme) | {"token": token}
    assert client.post(INTROSPECT.rstrip("/"), asked).json()["active"] is True
    assert client.post(REVOKE.rstrip("/"), asked).status_code == 200
    assert client.post(INTROSPECT.rstrip("/"), asked).json() == {"active": False}


@every_endpoint
def test_a_repeated_parameter(client: Client, acme: Tenant, path: str) -> None:
    body = f"grant_type=client_credentials&client_id={acme.oauth.client_id}&client_id=other&client_secret=x&token=x"
    response = client.post(path, body, "application/x-www-form-urlencoded")
    assert (response.status_code, response.json()["error"]) == (400, "invalid_request")


@every_endpoint
def test_credentials_in_the_url_do_not_count(client: Client, acme: Tenant, path: str) -> None:
    query = "&".join(f"{name}={value}" for name, value in pair(acme).items())
    response = client.post(f"{path}?{query}", GRANT | {"token": "x"})
    assert response.status_code in (400, 401)
    assert not AccessToken.objects.exists()


def test_introspection_of_an_own_token(client: Client, acme: Tenant) -> None:
    token = bought(client, acme, scope="record.read schema.read")
    now = int(time.time())
    body = client.post(INTROSPECT, pair(acme) | {"token": token}).json()
    issued, ends = body.pop("iat"), body.pop("exp")
    assert now - 5 <= issued <= now
    assert abs(ends - issued - 864_000) <= 1
    assert body == {
        "active": True,
        "scope": "record.read schema.read",
        "client_id": acme.oauth.client_id,
        "token_type": "Bearer",
    }
    assert client.post(INTROSPECT, {"token": token}, headers=basic(acme)).json()["active"] is True


@pytest.mark.parametrize("token", ["", "f" * 64, "a\0b", "\ud800", "x" * 10_000])
def test_introspection_of_what_is_no_token(client: Client, acme: Tenant, token: str) -> None:
    form = pair(acme) | {"token": token.encode("utf-8", "surrogatepass").decode("latin-1")}
    response = client.post(INTROSPECT, form)
    assert (response.status_code, response.json()) == (200, {"active": False})


def test_introspection_of_a_foreign_token(client: Client, acme: Tenant, rival: Tenant) -> None:
    token = bought(client, acme)
    assert client.post(INTROSPECT, pair(rival) | {"token": token}).json() == {"active": False}


def test_introspection_of_an_expired_token(client: Client, acme: Tenant) -> None:
    token = bought(client, acme)
    with connection.cursor() as cursor:
        cursor.execute("UPDATE oauth2_provider_accesstoken SET expires = now() - interval '1 second'")
    assert client.post(INTROSPECT, pair(acme) | {"token": token}).json() == {"active": False}


def test_revocation(client: Client, acme: Tenant) -> None:
    token, other = bought(client, acme), bought(client, acme)
    response = client.post(REVOKE, pair(acme) | {"token": token})
    assert (response.status_code, response.content) == (200, b"")
    assert (status_of(client, token), status_of(client, other)) == (403, 200)
    assert client.post(INTROSPECT, pair(acme) | {"token": token}).json() == {"active": False}


def test_revocation_of_what_is_no_token_succeeds_as_the_rfc_says(client: Client, acme: Tenant) -> None:
    assert client.post(REVOKE, pair(acme) | {"token": "f" * 64}).status_code == 200


def test_revocation_of_a_foreign_token_does_nothing(client: Client, acme: Tenant, rival: Tenant) -> None:
    token = bought(client, acme)
    client.post(REVOKE, pair(rival) | {"token": token})
    assert status_of(client, token) == 200


def test_the_metadata_names_what_is_there(client: Client, db: None) -> None:
    body = client.get(METADATA).json()
    assert body["grant_types_supported"] == ["client_credentials"]
    assert body["response_types_supported"] == []
    assert body["scopes_supported"] == sorted(SCOPES)
    endpoints = {name: body[f"{name}_endpoint"] for name in ("token", "revocation", "introspection")}
    assert endpoints == {
        "token": f"http://testserver{TOKEN}",
        "revocation": f"http://testserver{REVOKE}",
        "introspection": f"http://testserver{INTROSPECT}",
    }


@pytest.mark.parametrize("path", ["/v1/checkauthentication", TOKEN, INTROSPECT, REVOKE])
def test_an_unknown_client_costs_as_much_as_a_wrong_secret(
    client: Client, acme: Tenant, settings: Any, path: str
) -> None:
    settings.PASSWORD_HASHERS = [f"{__name__}.CountingHasher"]
    work = []
    for wrong in ({"client_id": "0" * 40}, {"client_secret": "0" * 64}):
        values = GRANT | pair(acme) | wrong | {"token": "x"}
        CountingHasher.verified.clear()
        with CaptureQueriesContext(connection) as queries:
            headers = values if path.startswith("/v1") else {}
            assert client.post(path, {} if headers else values, headers=headers).status_code == 401
        shapes = [re.sub(r"'[^']*'", "?", query["sql"]) for query in queries]
        work.append((shapes, len(CountingHasher.verified)))
    assert work[0] == work[1]
    assert work[0][1] == 1


def test_wrong_credentials_are_counted_here_too(client: Client, acme: Tenant, settings: Any) -> None:
    settings.LOGIN_RATE_LIMIT = 2
    wrong = GRANT | pair(acme) | {"client_secret": "0" * 64, "token": "x"}
    statuses = [client.post(path, wrong).status_code for path in (TOKEN, REVOKE, INTROSPECT)]
    assert statuses == [401, 401, 429]
    response = client.post(TOKEN, wrong)
    assert response.json() == {"error": "temporarily_unavailable", "error_description": "Too many requests."}
    assert int(response["Retry-After"]) == 3600
    assert client.post(TOKEN, wrong, REMOTE_ADDR="10.0.0.1").status_code == 401


def test_revocation_of_a_refresh_token(client: Client, acme: Tenant, rival: Tenant) -> None:
    refresh = client.get("/v1/checkauthentication", headers=acme.client_headers).json()["resource"]["refresh_token"]
    headers = acme.client_headers | {"refresh_token": refresh}
    assert client.post(REVOKE, pair(rival) | {"token": refresh}).status_code == 200
    assert client.get("/v1/refreshtoken", headers=headers).status_code == 200
    assert client.post(REVOKE, pair(acme) | {"token": refresh}).status_code == 200
    assert client.get("/v1/refreshtoken", headers=headers).status_code == 401


def test_calls_of_the_standard_endpoints_count_against_the_applications_limit(client: Client, acme: Tenant) -> None:
    Application.objects.update(rate_limit=2)
    statuses = [client.post(TOKEN, GRANT | pair(acme)).status_code for _ in range(3)]
    assert statuses == [200, 200, 429]
    assert AccessToken.objects.count() == 2
