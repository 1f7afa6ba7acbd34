import ipaddress
import re
from typing import Any

import pytest
from django.test import Client

PROXY = [ipaddress.ip_network("127.0.0.1/32")]


def error(response: Any) -> dict[str, Any]:
    body = response.json()
    assert list(body) == ["id", "code", "request-ip", "resource", "message", "error"]
    return body["error"]


@pytest.mark.parametrize("path", ["/healthz", "/v1/nothing", "/v1/record", "/nothing"])
def test_every_answer_carries_its_own_request_id(client: Client, db: None, path: str) -> None:
    ids = [client.get(path)["X-Request-Id"] for _ in range(2)]
    assert all(re.fullmatch(r"[0-9a-f]{32}", value) for value in ids)
    assert ids[0] != ids[1]


def test_the_callers_own_request_id_is_not_taken_over(client: Client) -> None:
    assert client.get("/healthz", headers={"X-Request-Id": "mine"})["X-Request-Id"] != "mine"


def test_health_says_that_the_process_lives(client: Client) -> None:
    for path in ("/healthz",):
        response = client.get(path)
        assert (response.status_code, response.json()) == (200, {"status": "ok"})
        assert response["Cache-Control"] == "no-store"


def test_api_answers_run_nothing(client: Client) -> None:
    assert client.get("/v1/nothing")["Content-Security-Policy"] == "default-src 'none'; frame-ancestors 'none'"


def test_pages_of_problems_are_dressed_and_run_nothing(client: Client) -> None:
    policy = client.get("/nothing")["Content-Security-Policy"]
    assert policy == "default-src 'none'; style-src 'self'; img-src 'self'; frame-ancestors 'none'"


def test_the_admin_runs_its_own_scripts_only(client: Client, db: None) -> None:
    policy = client.get("/admin/login/")["Content-Security-Policy"]
    assert "default-src 'self'" in policy
    assert "script-src 'self' 'unsafe-eval';" in policy
    assert "frame-ancestors 'none'" in policy


def test_api_answers_vary_by_what_they_depend_on(client: Client) -> None:
    expected = {"Accept", "Content-Type", "Authorization", "Authentication", "Client-Id", "Client-Secret", "X-Apikey"}
    expected |= {"X-App", "X-Scopes", "scopes", "X-Uuid", "uuid", "X-Flow", "X-Flow-Id"}
    for response in (client.get("/v1/nothing"), client.options("/v1/record")):
        assert set(response["Vary"].split(", ")) == expected


def test_answers_vary_also_by_what_the_call_was_asked_for(client: Client, db: None) -> None:
    from tests.conftest import build_tenant

    acme = build_tenant("acme")
    response = client.put("/v1/changeflowstatus?flow=x&status=paused", headers=acme.headers)
    assert "X-Status" not in response["Vary"]  # the flow was looked for first
    response = client.post("/v1/record", {}, "application/json", headers=acme.headers)
    assert response["Vary"].endswith(", X-Flow, X-Flow-Id, X-Executiontime")


def test_plain_http_is_refused_not_redirected(client: Client, settings: Any) -> None:
    settings.REQUIRE_HTTPS = True
    response = client.get("/v1/record")
    assert response.status_code == 403
    assert error(response) == {"code": 403, "message": "Calls must be made over HTTPS."}
    assert "Location" not in response
    assert client.get("/v1/nothing", secure=True).status_code == 404
    assert client.get("/healthz").status_code == 200


def test_the_scheme_is_believed_of_a_trusted_proxy_only(client: Client, settings: Any) -> None:
    settings.REQUIRE_HTTPS = True
    forwarded = {"X-Forwarded-Proto": "https"}
    assert client.get("/v1/nothing", headers=forwarded).status_code == 403
    settings.TRUSTED_PROXIES = PROXY
    assert client.get("/v1/nothing", headers=forwarded).status_code == 404
    assert client.get("/v1/nothing", headers={"X-Forwarded-Proto": "http"}).status_code == 403
    assert client.get("/v1/nothing", headers=forwarded, REMOTE_ADDR="192.0.2.7").status_code == 403


def test_the_unix_socket_is_trusted_only_when_asked(client: Client, settings: Any) -> None:
    settings.REQUIRE_HTTPS = True
    forwarded = {"X-Forwarded-Proto": "https", "X-Forwarded-For": "192.0.2.7"}
    refused = client.get("/v1/nothing", headers=forwarded, REMOTE_ADDR="")
    assert (refused.status_code, refused.json()["request-ip"]) == (403, "")
    settings.TRUST_UNIX_SOCKET = True
    taken = client.get("/v1/nothing", headers=forwarded, REMOTE_ADDR="")
    assert (taken.status_code, taken.json()["request-ip"]) == (404, "192.0.2.7")


@pytest.mark.parametrize(
    ("peer", "forwarded", "seen"),
    [
        ("127.0.0.1", "198.51.100.1", "198.51.100.1"),
        ("127.0.0.1", "203.0.113.9, 198.51.100.1", "198.51.100.1"),
        ("127.0.0.1", "198.51.100.1, 127.0.0.1", "198.51.100.1"),
        ("127.0.0.1", "nonsense", "127.0.0.1"),
        ("127.0.0.1", None, "127.0.0.1"),
        ("192.0.2.7", "198.51.100.1", "192.0.2.7"),
        ("::ffff:127.0.0.1", "198.51.100.1", "198.51.100.1"),
    ],
)
def test_the_clients_address_behind_trusted_proxies(
    client: Client, settings: Any, peer: str, forwarded: str | None, seen: str
) -> None:
    settings.TRUSTED_PROXIES = PROXY
    headers = {"X-Forwarded-For": forwarded} if forwarded else {}
    assert client.get("/v1/nothing", headers=headers, REMOTE_ADDR=peer).json()["request-ip"] == seen


def test_forwarded_addresses_count_for_nothing_without_a_trusted_proxy(client: Client) -> None:
    headers = {"X-Forwarded-For": "198.51.100.1", "Forwarded": "for=198.51.100.1", "X-Real-Ip": "198.51.100.1"}
    assert client.get("/v1/nothing", headers=headers).json()["request-ip"] == "127.0.0.1"


def test_overlong_url_parameters_are_refused(client: Client, settings: Any) -> None:
    settings.QUERY_LIMIT = 10
    assert client.get("/v1/nothing?a=12345678").status_code == 404
    response = client.get("/v1/nothing?a=123456789")
    assert response.status_code == 400
    assert error(response)["message"] == "The URL parameters are longer than 10 characters."


def test_a_wrong_method_lists_the_right_ones(client: Client, db: None) -> None:
    response = client.patch("/v1/schema")
    assert response.status_code == 405
    assert error(response) == {"code": 405, "message": "The method is not allowed for this path."}
    assert set(response["Allow"].split(", ")) == {"GET", "POST", "PUT", "DELETE", "HEAD", "OPTIONS"}
    assert response["Cache-Control"] == "no-store"


def test_an_accept_that_cannot_be_served(client: Client, db: None) -> None:
    response = client.get("/v1/schema", headers={"Accept": "image/png"})
    assert response.status_code == 406
    assert error(response) == {
        "code": 406,
        "message": "Available formats: application/json, application/xml, text/xml.",
    }
