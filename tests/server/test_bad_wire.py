"""Bytes that are no proper request, sent to the shipped server: refused in the envelope, and nothing has changed."""

import json
import time
import tomllib
from pathlib import Path
from typing import Any

import pytest

from flowize.demo.content import SAMPLE
from tests.server.installation import Installation, client_headers, key_headers
from tests.server.wire import Wire, chunks, request

pytestmark = [pytest.mark.server, pytest.mark.xdist_group("server")]

CASES = tomllib.loads((Path(__file__).parent / "bad_wire.toml").read_text())["case"]
ENVELOPE = ["id", "code", "request-ip", "resource", "message", "error"]
STORED = ("records_record", "records_recorddata", "schemas_schema", "oauth2_provider_accesstoken")


def filled(text: str, shipped: Installation) -> bytes:
    """The bytes of a case."""
    places = {
        "keys": "".join(f"{name}: {value}\r\n" for name, value in key_headers(shipped.acme).items()),
        "client_id": shipped.acme["client_id"],
        "client_secret": shipped.acme["client_secret"],
        "long": "0" * 9000,
        "many": "".join(f"X-{number}: 1\r\n" for number in range(150)),
    }
    for name, value in places.items():
        text = text.replace(f"${{{name}}}", value)
    return text.encode()


def counts(shipped: Installation) -> list[Any]:
    """How many rows the tables that such a request could touch have."""
    return [shipped.database.rows(f"SELECT count(*) FROM {table}") for table in STORED]


def is_closed(wire: Wire) -> bool:
    """Whether the server has ended the connection."""
    wire.connection.settimeout(5)
    try:
        return wire.connection.recv(1) == b""
    except ConnectionResetError:
        return True


@pytest.mark.parametrize("case", CASES, ids=[case["id"] for case in CASES])
def test_bad_bytes(shipped: Installation, case: dict[str, Any]) -> None:
    before = counts(shipped)
    own = next((line for line in case["raw"].split("\r\n") if line.startswith("Content-Length")), "")
    for line in [own, *case.get("others", [])]:
        began = time.monotonic()
        with Wire(shipped.port) as wire:
            wire.send(filled(case["raw"].replace(own, line) if own else case["raw"], shipped))
            if case.get("ends"):
                wire.end()
            check(wire.answer(), case["status"])
            if "then" in case:
                check(wire.answer(), case["then"])
            if case.get("closed"):
                assert is_closed(wire)
        assert time.monotonic() - began < 5
    assert counts(shipped) == before
    assert shipped.call("GET", "/healthz").status_code == 200


def check(answer: tuple[int, dict[str, Any]], allowed: list[int]) -> None:
    """A refusal of an allowed status, in the envelope."""
    status, body = answer
    assert status in allowed, body
    assert list(body) == ENVELOPE
    assert (body["code"], body["resource"], body["message"]) == (status, [], None)
    assert 0 < len(body["error"]["message"]) < 500


def test_chunked_record_is_stored_as_it_was_sent(shipped: Installation) -> None:
    headers = key_headers(shipped.acme) | {"Content-Type": "application/json", "X-Uuid": "in-chunks"}
    body = json.dumps(SAMPLE).encode()
    with Wire(shipped.port) as wire:
        wire.send(request("POST", "/v1/record", headers | {"Transfer-Encoding": "chunked"}), chunks(body, 7))
        status, created = wire.answer()

    assert status == 201
    assert created["resource"]["data_record"] == SAMPLE
    assert shipped.shown("in-chunks")["info"]["uuid"] == "in-chunks"


def test_record_of_a_caller_who_left_is_whole_or_not_there(shipped: Installation) -> None:
    headers = key_headers(shipped.acme) | {"Content-Type": "application/json", "X-Flow": "client_intake"}
    body = json.dumps(SAMPLE).encode()
    for number in range(10):
        with Wire(shipped.port) as wire:
            wire.send(request("POST", "/v1/record", headers | {"X-Uuid": f"left-{number}"}, body))
    for number in range(10):
        with Wire(shipped.port) as wire:
            wire.send(request("POST", "/v1/record", headers | {"X-Uuid": f"cut-{number}"}, body)[:-5])
    time.sleep(1)
    stored = "SELECT r.uuid, d.data FROM records_record r LEFT JOIN records_recorddata d ON d.record_id = r.id"
    rows = shipped.database.rows(stored + " WHERE r.uuid LIKE 'left-%%' OR r.uuid LIKE 'cut-%%'")
    assert {uuid for uuid, _ in rows} <= {f"left-{number}" for number in range(10)}
    assert all(data is not None and data["client"] for _, data in rows)


def test_names_with_underscores_reach_the_application(shipped: Installation) -> None:
    with Wire(shipped.port) as wire:
        wire.send(request("GET", "/v1/checkauthentication", client_headers(shipped.acme)))
        status, bought = wire.answer()
    shipped.issued += [bought["resource"]["access_token"], bought["resource"]["refresh_token"]]
    hashed = "SELECT count(*) FROM oauth2_provider_accesstoken WHERE token = %s"
    assert status == 200
    assert shipped.database.rows(hashed, bought["resource"]["access_token"]) == [(0,)]
