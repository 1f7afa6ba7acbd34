"""How a request says who is calling, through the API."""

import base64
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from apps.applications.models import Application
from tests.conftest import Tenant

Read = Callable[..., tuple[int, int, str | None]]
Buy = Callable[..., dict[str, Any]]
FINE = (200, 0, None)
UNKNOWN = (401, 401, "The credentials are not correct.")
BAD_TOKEN = (403, 436, "Access token not valid.")
TWO = (400, 400, "The request carries more than one identity: send one set of credentials.")


def basic(client_id: str, secret: str) -> str:
    return "Basic " + base64.b64encode(f"{client_id}:{secret}".encode()).decode()


def in_url(tenant: Tenant, application: Any) -> str:
    return f"&api_key={tenant.api_key}&app_key={application.app_key}"


@pytest.mark.parametrize(
    ("header", "value"),
    [
        ("Authorization", "Bearer {}"),
        ("Authorization", "bearer {}"),
        ("Authorization", "BEARER   {} "),
        ("Authentication", "Bearer {}"),
        ("Authentication", "bearer {}"),
    ],
)
def test_bearer_token(acme: Tenant, read: Read, buy: Buy, header: str, value: str) -> None:
    assert read({header: value.format(buy(acme)["access_token"])}) == FINE


def test_the_same_token_in_both_headers_is_one_identity(acme: Tenant, read: Read, buy: Buy) -> None:
    token = f"Bearer {buy(acme)['access_token']}"
    assert read({"Authorization": token, "Authentication": token}) == FINE


def test_different_tokens_in_both_headers_are_two(acme: Tenant, read: Read, buy: Buy) -> None:
    tokens = [f"Bearer {buy(acme)['access_token']}" for _ in range(2)]
    assert read({"Authorization": tokens[0], "Authentication": tokens[1]}) == TWO


@pytest.mark.parametrize("value", ["", "Bearer", "Bearer ", "Bearer a b", "Token abc", "Digest x", "abc"])
def test_an_authorization_header_of_no_known_kind(acme: Tenant, read: Read, value: str) -> None:
    assert read({"Authorization": value}) == UNKNOWN


def test_a_refresh_token_is_no_access_token(acme: Tenant, read: Read, buy: Buy) -> None:
    assert read({"Authorization": f"Bearer {buy(acme)['refresh_token']}"}) == BAD_TOKEN


def test_a_token_in_the_url_is_not_looked_at(acme: Tenant, read: Read, buy: Buy) -> None:
    assert read(query=f"&access_token={buy(acme)['access_token']}") == UNKNOWN


def test_key_headers(acme: Tenant, read: Read) -> None:
    assert read(acme.headers) == FINE


def test_application_by_its_name(acme: Tenant, read: Read) -> None:
    assert read({"X-Apikey": acme.api_key, "X-App": "acme-keys"}) == FINE
    assert read({"X-Apikey": acme.api_key, "X-App": "ACME-KEYS"}) == UNKNOWN


@pytest.mark.parametrize("name", ["Zoë & Søn", "Łódź", "日本語"])
def test_application_by_a_name_outside_ascii(acme: Tenant, read: Read, name: str) -> None:
    Application.objects.filter(pk=acme.keys.pk).update(name=name)
    as_servers_hand_it_over = name.encode().decode("latin-1")
    assert read({"X-Apikey": acme.api_key, "X-App": as_servers_hand_it_over}) == FINE


def test_the_key_of_an_application_comes_before_the_name_of_another(acme: Tenant, read: Read) -> None:
    Application.objects.filter(pk=acme.narrow.pk).update(name=acme.keys.app_key)
    assert read(acme.headers) == FINE


def test_another_tenants_application_by_name(acme: Tenant, rival: Tenant, read: Read) -> None:
    assert read({"X-Apikey": acme.api_key, "X-App": "rival-keys"}) == UNKNOWN


@pytest.mark.parametrize("headers", [{"X-App": "acme-keys"}, {"X-Apikey": "", "X-App": "acme-keys"}])
def test_an_application_without_the_key(acme: Tenant, read: Read, headers: dict[str, str]) -> None:
    assert read(headers) == UNKNOWN


def test_the_project_key_alone_is_not_enough_here(acme: Tenant, read: Read) -> None:
    assert read({"X-Apikey": acme.api_key}) == UNKNOWN
    assert read(query=f"&api_key={acme.api_key}") == UNKNOWN


def test_keys_in_the_url_where_the_application_allows_them(acme: Tenant, read: Read) -> None:
    assert read(query=in_url(acme, acme.keys)) == FINE
    assert read(query=f"&api_key={acme.api_key}&app_key=acme-keys") == FINE


def test_keys_in_the_url_where_it_does_not(acme: Tenant, client: Client) -> None:
    response = client.get("/v1/record?uuid=x" + in_url(acme, acme.narrow))
    assert response.status_code == 403
    assert response.json()["error"] == {"code": 403, "message": "This application does not allow keys in the URL."}
    assert client.get("/v1/record?uuid=x", headers=acme.narrow_headers).status_code == 404


def test_the_same_keys_in_headers_and_url_are_one_identity(acme: Tenant, read: Read) -> None:
    assert read(acme.headers, in_url(acme, acme.keys)) == FINE


@pytest.mark.parametrize("name", ["api_key", "app_key"])
def test_a_repeated_key_parameter(acme: Tenant, read: Read, name: str) -> None:
    message = f"The parameter {name} is given more than once."
    assert read(query=in_url(acme, acme.keys) + f"&{name}=x") == (400, 400, message)


def test_two_identities(acme: Tenant, rival: Tenant, read: Read, buy: Buy) -> None:
    token = {"Authorization": f"Bearer {buy(acme)['access_token']}"}
    assert read(acme.headers | token) == TWO
    assert read(acme.headers, in_url(acme, acme.narrow)) == TWO
    assert read(acme.headers, in_url(rival, rival.keys)) == TWO
    assert read(token | acme.client_headers) == TWO
    assert read(acme.headers, f"&api_key={acme.api_key}") == TWO


@pytest.mark.parametrize("spelling", ["client_{}", "Client-{}"])
def test_client_credentials_on_the_deletes(acme: Tenant, client: Client, spelling: str) -> None:
    pair = {"id": acme.oauth.client_id, "secret": acme.client_secret}
    response = client.delete("/v1/schema", headers={spelling.format(name): text for name, text in pair.items()})
    assert (response.status_code, response.json()["error"]["message"]) == (404, "There is no data schema.")


def test_basic_credentials_on_the_deletes(acme: Tenant, client: Client) -> None:
    for value in (basic(acme.oauth.client_id, acme.client_secret),):
        for text in (value, value.replace("Basic", "BASIC")):
            assert client.delete("/v1/schema", headers={"Authorization": text}).status_code == 404


def test_client_credentials_elsewhere(acme: Tenant, read: Read) -> None:
    assert read({"client_id": acme.oauth.client_id, "client_secret": acme.client_secret}) == UNKNOWN
    assert read({"Authorization": basic(acme.oauth.client_id, acme.client_secret)}) == UNKNOWN


def test_both_spellings_at_once_that_the_server_joined(acme: Tenant, client: Client) -> None:
    """A server hands over ``client_id`` and ``Client-Id`` as one value with a comma: refused, whether alike or not."""
    for joined in (f"{acme.oauth.client_id},{acme.oauth.client_id}", f"{acme.oauth.client_id},{'0' * 40}"):
        headers = {"client_id": joined, "client_secret": acme.client_secret}
        assert client.delete("/v1/schema", headers=headers).status_code == 401


@pytest.mark.parametrize("missing", ["client_id", "client_secret"])
def test_half_of_the_client_credentials(acme: Tenant, client: Client, missing: str) -> None:
    headers = {name: value for name, value in acme.client_headers.items() if name != missing}
    assert client.delete("/v1/schema", headers=headers).status_code == 401
    assert client.delete("/v1/schema", headers=headers | {missing: ""}).status_code == 401


@pytest.mark.parametrize(
    "value",
    ["Basic", "Basic ", "Basic !!!", "Basic YWJj", "Basic " + base64.b64encode(b"caf\xe9:x").decode(), "Basic Og=="],
)
def test_basic_credentials_that_cannot_be_read(acme: Tenant, client: Client, value: str) -> None:
    response = client.delete("/v1/schema", headers={"Authorization": value})
    assert (response.status_code, response.json()["error"]["code"]) == (401, 401)


NOTHING_ISSUED = ["a\0b", "caf\xe9", "Ł", "a\x7fb", "x" * 513, "x" * 100_000, "a\u202eb", " "]


@pytest.mark.parametrize("text", NOTHING_ISSUED, ids=range(len(NOTHING_ISSUED)))
def test_values_that_were_never_issued(acme: Tenant, read: Read, client: Client, text: str) -> None:
    assert read({"X-Apikey": text, "X-App": acme.keys.app_key}) == UNKNOWN
    assert read({"X-Apikey": acme.api_key, "X-App": text}) == UNKNOWN
    for name in ("client_id", "client_secret"):
        response = client.delete("/v1/schema", headers=acme.client_headers | {name: text})
        assert (response.status_code, response.json()["error"]["code"]) == (401, 401)
    client_basic = client.delete("/v1/schema", headers={"Authorization": basic(text, acme.client_secret)})
    assert (client_basic.status_code, client_basic.json()["error"]["code"]) == (401, 401)
    expected = UNKNOWN if text == " " else BAD_TOKEN
    assert read({"Authorization": f"Bearer {text}"}) == expected


@pytest.mark.parametrize("text", ["a%00b", "caf%C3%A9", "%ED%A0%80", "%FF", "x" * 513, ""])
def test_values_in_the_url_that_were_never_issued(acme: Tenant, read: Read, text: str) -> None:
    assert read(query=f"&api_key={text}&app_key={acme.keys.app_key}") == UNKNOWN
    assert read(query=f"&api_key={acme.api_key}&app_key={text}") == UNKNOWN


def test_an_application_with_tokens_takes_no_keys(acme: Tenant, read: Read) -> None:
    assert read({"X-Apikey": acme.api_key, "X-App": acme.oauth.app_key}) == UNKNOWN
    assert read({"X-Apikey": acme.api_key, "X-App": "acme-oauth"}) == UNKNOWN


def test_an_application_with_keys_gets_no_tokens(acme: Tenant, client: Client) -> None:
    from apps.applications.services import rotate_client_secret

    secret = rotate_client_secret(acme.keys)
    headers = {"client_id": acme.keys.client_id, "client_secret": secret, "grant_type": "client_credentials"}
    response = client.get("/v1/checkauthentication", headers=headers)
    assert (response.status_code, response.json()["error"]["message"]) == (401, "The credentials are not correct.")


def test_tokens_of_an_application_that_was_switched_to_keys(acme: Tenant, read: Read, buy: Buy) -> None:
    token = buy(acme)["access_token"]
    Application.objects.filter(pk=acme.oauth.pk).update(oauth2=False)
    assert read({"Authorization": f"Bearer {token}"}) == BAD_TOKEN


def test_an_inactive_application(acme: Tenant, read: Read, buy: Buy, client: Client) -> None:
    token = buy(acme)["access_token"]
    Application.objects.update(active=False)
    assert read({"Authorization": f"Bearer {token}"}) == BAD_TOKEN
    assert read(acme.headers) == UNKNOWN
    from apps.applications.authentication import forget_credentials

    forget_credentials()
    assert client.get("/v1/checkauthentication", headers=acme.client_headers).status_code == 401


def test_a_challenge_comes_with_each_refusal(acme: Tenant, client: Client) -> None:
    assert client.get("/v1/schema")["WWW-Authenticate"] == 'Bearer realm="flowize"'
    bad = client.get("/v1/schema", headers={"Authorization": "Bearer x"})
    assert bad["WWW-Authenticate"] == 'Bearer realm="flowize", error="invalid_token"'
    lacking = client.get("/v1/schema", headers=acme.narrow_headers)
    assert lacking["WWW-Authenticate"] == 'Bearer realm="flowize", error="insufficient_scope"'
