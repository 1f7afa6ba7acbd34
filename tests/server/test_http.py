"""What the shipped web server makes of bytes, seen from raw sockets."""

import json
import re

import pytest

from flowize.demo.content import SAMPLE
from tests.server.installation import Installation, client_headers, key_headers
from tests.server.wire import Wire, chunks, request

pytestmark = [pytest.mark.server, pytest.mark.xdist_group("server")]

LIMIT = 10 * 1024 * 1024
ENVELOPE = {"id", "code", "request-ip", "resource", "message", "error"}
JSON = {"Content-Type": "application/json"}


def is_stored(shipped: Installation, uuid: str) -> bool:
    return shipped.database.rows("SELECT 1 FROM records_record WHERE uuid = %s", uuid) == [(1,)]


def test_the_four_names_with_underscores_buy_and_refresh_a_token(shipped: Installation) -> None:
    headers = client_headers(shipped.acme)
    with Wire(shipped.port) as wire:
        wire.send(request("GET", "/v1/checkauthentication", headers))
        status, bought = wire.answer()
        shipped.issued += [bought["resource"]["access_token"], bought["resource"]["refresh_token"]]
        wire.send(request("GET", "/v1/refreshtoken", headers | {"refresh_token": bought["resource"]["refresh_token"]}))
        refreshed_status, refreshed = wire.answer()
        shipped.issued.append(refreshed["resource"]["access_token"])
        bearer = {"Authorization": f"Bearer {refreshed['resource']['access_token']}"}
        wire.send(request("GET", "/v1/record/none", bearer))
        used_status, _ = wire.answer()

    assert (status, refreshed_status, used_status) == (200, 200, 404)
    assert refreshed["message"] == "The token has been generated"


def test_hyphens_in_the_four_names_work_too(shipped: Installation) -> None:
    headers = {name.replace("_", "-").title(): value for name, value in client_headers(shipped.acme).items()}
    with Wire(shipped.port) as wire:
        wire.send(request("GET", "/v1/checkauthentication", headers))
        status, bought = wire.answer()
    shipped.issued += [bought["resource"]["access_token"], bought["resource"]["refresh_token"]]

    assert (status, bought["message"]) == (200, "The credentials are valid")


def test_no_other_name_with_an_underscore_counts(shipped: Installation) -> None:
    keys = key_headers(shipped.acme)
    stolen = {"X_Apikey": keys["X-Apikey"], "X_App": keys["X-App"]}
    smuggled = keys | JSON | {"X_Uuid": "smuggled", "X_Forwarded_For": "10.0.0.1", "X_Scopes": "record.read"}
    with Wire(shipped.port) as wire:
        wire.send(request("POST", "/v1/record", stolen | JSON, json.dumps(SAMPLE).encode()))
        refused_status, refused = wire.answer()
        wire.send(request("POST", "/v1/record", smuggled, json.dumps(SAMPLE).encode()))
        status, created = wire.answer()

    assert (refused_status, refused["error"]["message"]) == (401, "The credentials are not correct.")
    assert (status, created["request-ip"]) == (201, "127.0.0.1")
    assert re.fullmatch(r"[0-9a-f-]{36}", created["resource"]["data_record_id"])
    assert not is_stored(shipped, "smuggled")


def test_forwarded_address_of_nobodys_proxy_opens_no_list(shipped: Installation) -> None:
    headers = key_headers(shipped.acme) | {"X-App": shipped.elsewhere_app_key}
    with Wire(shipped.port) as wire:
        for name in ("X-Forwarded-For", "X_Forwarded_For", "Forwarded", "X-Real-Ip"):
            wire.send(request("GET", "/v1/record/none", headers | {name: "10.0.0.1"}))
            status, refused = wire.answer()
            assert (status, refused["error"]["code"], refused["request-ip"]) == (403, 437, "127.0.0.1")


def test_chunked_document_is_stored_whole(shipped: Installation) -> None:
    document = SAMPLE | {"notes": [f"note {number} with some words of text" for number in range(40_000)]}
    headers = key_headers(shipped.acme) | JSON | {"X-Uuid": "chunked", "Transfer-Encoding": "chunked"}
    with Wire(shipped.port) as wire:
        wire.send(request("POST", "/v1/record", headers), chunks(json.dumps(document).encode(), 50_021))
        status, created = wire.answer()

    assert (status, created["resource"]["data_record_id"]) == (201, "chunked")
    assert created["resource"]["data_record"] == document
    stored = shipped.shown("chunked")["data_record"]
    assert {name: stored[name] for name in document} == document


@pytest.mark.parametrize("is_chunked", [True, False])
def test_body_over_the_limit_is_413_and_nothing_is_stored(shipped: Installation, is_chunked: bool) -> None:
    body = b'{"client":"' + b"x" * (LIMIT - 11) + b'"}'
    headers = key_headers(shipped.acme) | JSON | {"X-Uuid": "too-large"}
    with Wire(shipped.port) as wire:
        if is_chunked:
            wire.send(request("POST", "/v1/record", headers | {"Transfer-Encoding": "chunked"}), chunks(body, 1 << 20))
        else:
            wire.send(request("POST", "/v1/record", headers, body))
        status, refused = wire.answer()

    assert (status, refused["id"], set(refused)) == (413, "content-too-large", ENVELOPE)
    assert refused["error"] == {"code": 413, "message": f"The request body is larger than {LIMIT} bytes."}
    assert not is_stored(shipped, "too-large")


def test_body_shorter_than_its_length_stores_nothing(shipped: Installation) -> None:
    whole = json.dumps(SAMPLE).encode()
    headers = key_headers(shipped.acme) | JSON | {"X-Uuid": "too-short"}
    for extra in (1, 1000):  # what came is a document in itself
        with Wire(shipped.port) as wire:
            wire.send(request("POST", "/v1/record", headers | {"Content-Length": str(len(whole) + extra)}), whole)
            wire.end()
            status, refused = wire.answer()
        assert (status, refused["id"], set(refused)) == (400, "bad-request", ENVELOPE)
        assert refused["error"]["message"] == "The request body is shorter than its Content-Length."

    assert not is_stored(shipped, "too-short")


@pytest.mark.parametrize(
    ("sent", "status", "slug"),
    [
        (b"nonsense\r\n\r\n", 400, "bad-request"),
        (b"GET /v1/record/x HTTP/1.1\r\nHost: localhost\r\nX-A: a\x00b\r\n\r\n", 400, "bad-request"),
        (b"GET /v1/record/x HTTP/1.1\r\nHost: elsewhere.example\r\n\r\n", 400, "bad-request"),
        (b"GET /v1/record/x HTTP/1.1\r\n\r\n", 400, "bad-request"),
        (b"GET /v1/record/%00 HTTP/1.1\r\nHost: localhost\r\n\r\n", 404, "not-found"),
        (b"GET /v1/nothing HTTP/1.1\r\nHost: localhost\r\n\r\n", 404, "not-found"),
        (b"BREW /v1/record HTTP/1.1\r\nHost: localhost\r\n\r\n", 405, "method-not-allowed"),
        (b"GET /v1/record/x?q=" + b"a" * 8000 + b" HTTP/1.1\r\nHost: localhost\r\n\r\n", 401, "unauthorized"),
        (b"GET /v1/record/x?q=" + b"a" * 9000 + b" HTTP/1.1\r\nHost: localhost\r\n\r\n", 414, "uri-too-long"),
        (
            b"POST /v1/record HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{}",
            400,
            "bad-request",
        ),
        (
            b"POST /v1/record HTTP/1.1\r\nHost: localhost\r\nContent-Length: 4\r\n"
            b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
            400,
            "bad-request",
        ),
    ],
)
def test_malformed_request_is_answered_in_the_envelope(
    shipped: Installation, sent: bytes, status: int, slug: str
) -> None:
    with Wire(shipped.port) as wire:
        wire.send(sent)
        answered, refused = wire.answer()

    assert (answered, refused["code"], refused["id"], set(refused)) == (status, status, slug, ENVELOPE)
    assert (refused["request-ip"], refused["resource"], refused["message"]) == ("127.0.0.1", [], None)
    assert refused["error"]["code"] == status


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b'{"a":1}{}',
        b'{"client":NaN}',
        b'{"client":"\xff"}',
        b'{"a":"\\u0000"}',
        b'{"a":1,"a":2}',
        b"[" * 5000,
    ],
)
def test_body_that_is_no_document_is_400(shipped: Installation, body: bytes) -> None:
    with Wire(shipped.port) as wire:
        wire.send(request("POST", "/v1/record", key_headers(shipped.acme) | JSON, body))
        status, refused = wire.answer()

    assert (status, refused["id"], refused["error"]["code"], set(refused)) == (400, "bad-request", 400, ENVELOPE)


def test_connection_serves_one_request_after_another(shipped: Installation) -> None:
    headers = key_headers(shipped.acme) | JSON
    with Wire(shipped.port) as wire:
        for number in range(3):
            body = json.dumps(SAMPLE).encode()
            wire.send(request("POST", "/v1/record", headers | {"X-Uuid": f"kept-alive-{number}"}, body))
            status, created = wire.answer()
            assert (status, created["resource"]["data_record_id"]) == (201, f"kept-alive-{number}")
