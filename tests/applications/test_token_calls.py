"""``/v1/checkauthentication`` and ``/v1/refreshtoken``."""

import base64
import re
import time
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from oauth2_provider.models import AccessToken

from apps.applications.models import RefreshToken
from apps.applications.services import register_application
from apps.core import tokens
from tests.conftest import Tenant

Buy = Callable[..., dict[str, Any]]
CHECK, REFRESH = "/v1/checkauthentication", "/v1/refreshtoken"
HEX = re.compile(r"[0-9a-f]{64}")
TEN_DAYS = 864_000
both_methods = pytest.mark.parametrize("method", ["get", "post"])
both_paths = pytest.mark.parametrize("path", [CHECK, REFRESH])


def refused(response: Any, status: int, message: str) -> None:
    body = response.json()
    assert (response.status_code, body["code"], body["error"]) == (status, status, {"code": status, "message": message})
    assert (body["resource"], body["message"]) == ([], None)
    assert response["Cache-Control"] == "no-store"


@both_methods
def test_valid_credentials_buy_tokens(client: Client, acme: Tenant, method: str) -> None:
    before = int(time.time())
    response = getattr(client, method)(CHECK, headers=acme.client_headers)
    body = response.json()
    resource = body.pop("resource")
    assert list(resource) == ["access_token", "token_type", "refresh_token", "expires_in", "scopes"]
    assert HEX.fullmatch(resource["access_token"])
    assert HEX.fullmatch(resource["refresh_token"])
    assert resource["access_token"] != resource["refresh_token"]
    assert (resource["token_type"], resource["scopes"]) == ("bearer", None)
    assert before + TEN_DAYS <= resource["expires_in"] <= int(time.time()) + TEN_DAYS
    assert (response.status_code, body) == (
        200,
        {
            "id": "ok",
            "code": 200,
            "request-ip": "127.0.0.1",
            "message": "The credentials are valid",
            "error": None,
        },
    )
    assert response["Cache-Control"] == "no-store"
    assert response["Content-Type"] == "application/json"


@both_methods
def test_a_refresh_token_buys_another_access_token(client: Client, acme: Tenant, buy: Buy, method: str) -> None:
    bought = buy(acme)
    headers = acme.client_headers | {"refresh_token": bought["refresh_token"]}
    before = int(time.time())
    response = getattr(client, method)(REFRESH, headers=headers)
    body = response.json()
    resource = body.pop("resource")
    assert list(resource) == ["access_token", "expires_at"]
    assert HEX.fullmatch(resource["access_token"])
    assert before + TEN_DAYS <= resource["expires_at"] <= int(time.time()) + TEN_DAYS
    assert (body["code"], body["message"], body["error"]) == (200, "The token has been generated", None)
    assert response["Cache-Control"] == "no-store"
    for token in (resource["access_token"], bought["access_token"]):
        read = client.get("/v1/flowdiagram?flow_name=intake", headers={"Authorization": f"Bearer {token}"})
        assert read.status_code == 200


def test_a_refresh_token_stays_good(client: Client, acme: Tenant, buy: Buy) -> None:
    headers = acme.client_headers | {"refresh_token": buy(acme)["refresh_token"]}
    bought = {client.get(REFRESH, headers=headers).json()["resource"]["access_token"] for _ in range(3)}
    assert len(bought) == 3
    assert RefreshToken.objects.get().last_used_at is not None


@both_methods
@both_paths
@pytest.mark.parametrize("grant", [None, "", "password", "refresh_token", "authorization_code", "CLIENT_CREDENTIALS"])
def test_another_grant_type(client: Client, acme: Tenant, method: str, path: str, grant: str | None) -> None:
    headers = {name: value for name, value in acme.client_headers.items() if name != "grant_type"}
    headers |= {"refresh_token": "a" * 64} | ({} if grant is None else {"grant_type": grant})
    refused(getattr(client, method)(path, headers=headers), 400, "grant_type must be client_credentials.")
    assert not AccessToken.objects.exists()


@both_paths
def test_hyphenated_headers_and_basic(client: Client, acme: Tenant, buy: Buy, path: str) -> None:
    refresh = {"Grant-Type": "client_credentials", "Refresh-Token": buy(acme)["refresh_token"]}
    hyphenated = {"Client-Id": acme.oauth.client_id, "Client-Secret": acme.client_secret}
    pair = base64.b64encode(f"{acme.oauth.client_id}:{acme.client_secret}".encode()).decode()
    for credentials in (hyphenated, {"Authorization": f"Basic {pair}"}):
        assert client.get(path, headers=refresh | credentials).status_code == 200


@both_paths
def test_the_grant_type_may_stand_in_the_url_but_not_the_secret(
    client: Client, acme: Tenant, buy: Buy, path: str
) -> None:
    refresh = {"refresh_token": buy(acme)["refresh_token"]}
    pair = {"client_id": acme.oauth.client_id, "client_secret": acme.client_secret}
    assert client.get(f"{path}?grant_type=client_credentials", headers=refresh | pair).status_code == 200
    secret = "&".join(f"{name}={value}" for name, value in pair.items())
    response = client.get(f"{path}?grant_type=client_credentials&{secret}", headers=refresh)
    refused(response, 401, "The credentials are not correct.")


@both_paths
def test_other_credentials_buy_no_tokens(client: Client, acme: Tenant, buy: Buy, path: str) -> None:
    bought = buy(acme)
    grant = {"grant_type": "client_credentials", "refresh_token": bought["refresh_token"]}
    for credentials in (acme.headers, {"Authorization": f"Bearer {bought['access_token']}"}, {}):
        refused(client.get(path, headers=grant | credentials), 401, "The credentials are not correct.")


@both_paths
def test_the_secret_of_another_application(client: Client, acme: Tenant, rival: Tenant, path: str) -> None:
    headers = acme.client_headers | {"client_secret": rival.client_secret, "refresh_token": "a" * 64}
    refused(client.get(path, headers=headers), 401, "The credentials are not correct.")


@both_paths
def test_the_application_key_is_no_client_id(client: Client, acme: Tenant, path: str) -> None:
    headers = acme.client_headers | {"client_id": acme.oauth.app_key, "refresh_token": "a" * 64}
    refused(client.get(path, headers=headers), 401, "The credentials are not correct.")


def test_a_missing_refresh_token(client: Client, acme: Tenant) -> None:
    refused(client.get(REFRESH, headers=acme.client_headers), 400, "refresh_token is missing.")


@pytest.mark.parametrize("token", ["f" * 64, "x", "' OR 1=1 --", "x" * 5000])
def test_an_unknown_refresh_token(client: Client, acme: Tenant, token: str) -> None:
    response = client.get(REFRESH, headers=acme.client_headers | {"refresh_token": token})
    refused(response, 401, "The refresh token is not valid.")
    assert not AccessToken.objects.exists()


def test_an_access_token_refreshes_nothing(client: Client, acme: Tenant, buy: Buy) -> None:
    headers = acme.client_headers | {"refresh_token": buy(acme)["access_token"]}
    refused(client.get(REFRESH, headers=headers), 401, "The refresh token is not valid.")


def test_a_refresh_token_of_another_application(client: Client, acme: Tenant, rival: Tenant, buy: Buy) -> None:
    second = register_application(
        acme.project, name="second", oauth2=True, scopes=["record"], addresses="127.0.0.1", rate_limit=0
    )
    foreign = buy(acme)["refresh_token"]
    own = {"client_id": second.application.client_id, "client_secret": second.client_secret}
    for credentials in (rival.client_headers, acme.client_headers | own):
        response = client.get(REFRESH, headers=credentials | {"refresh_token": foreign})
        refused(response, 401, "The refresh token is not valid.")
    assert AccessToken.objects.count() == 1


def test_a_revoked_refresh_token(client: Client, acme: Tenant, buy: Buy) -> None:
    from apps.applications.issuing import revoke_tokens

    bought = buy(acme)
    revoke_tokens(acme.oauth.pk)
    headers = acme.client_headers | {"refresh_token": bought["refresh_token"]}
    refused(client.get(REFRESH, headers=headers), 401, "The refresh token is not valid.")
    assert client.get("/v1/schema", headers={"Authorization": f"Bearer {bought['access_token']}"}).status_code == 403


def test_a_token_bought_with_fewer_scopes(client: Client, acme: Tenant, buy: Buy) -> None:
    token = {"Authorization": f"Bearer {buy(acme, **{'X-Scopes': 'record.read'})['access_token']}"}
    assert client.get("/v1/record?uuid=x", headers=token).status_code == 404
    denied = client.post("/v1/record?flow_name=intake", {}, "application/json", headers=token)
    assert (denied.status_code, denied.json()["error"]["message"]) == (401, "The permissions are not correct.")


@both_paths
def test_scopes_that_were_not_granted_buy_nothing(client: Client, acme: Tenant, path: str) -> None:
    headers = acme.client_headers | {"X-Scopes": "record everything", "refresh_token": "a" * 64}
    refused(client.get(path, headers=headers), 401, "The permissions are not correct.")
    assert not AccessToken.objects.exists()


def test_a_body_is_not_read(client: Client, acme: Tenant) -> None:
    response = client.post(CHECK, b"\xff{not json", "text/nonsense", headers=acme.client_headers)
    assert response.status_code == 200


def test_only_the_prefix_of_a_refresh_token_can_be_shown(acme: Tenant, buy: Buy) -> None:
    refresh = buy(acme)["refresh_token"]
    row = RefreshToken.objects.get()
    assert (row.prefix, str(row)) == (refresh[:8], f"{refresh[:8]}…")
    assert row.token_hash == tokens.digest(refresh)
