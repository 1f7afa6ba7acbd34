"""What ``core.http`` sends, what it makes of the answer, and what can go wrong."""

import base64
import socket
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest

from apps.flows.engine.results import AppError, AppResult
from apps.flows.engine.walk import Call
from apps.records.effects import perform
from tests.records.conftest import Answer, Sink

CALL = Call(
    object="tell",
    app="core.http",
    kind="external",
    config={},
    timeout=5.0,
    idempotency_key="r-1:1:2",
    started_at=datetime(2026, 1, 15, tzinfo=UTC),
    started=0.0,
)


def call(sink: Sink, timeout: float = 5.0, **config: Any) -> AppResult | AppError:
    return perform(replace(CALL, config={"method": "POST", "url": sink.url} | config, timeout=timeout))


def test_a_json_body(sink: Sink) -> None:
    call(sink, json={"name": "Zoë", "n": [1, 2.5, None, True]})
    (request,) = sink.received
    assert (request.method, request.path) == ("POST", "/leads")
    assert request.body.decode() == '{"name": "Zoë", "n": [1, 2.5, null, true]}'
    assert request.headers == {
        "host": f"127.0.0.1:{sink.server_port}",
        "user-agent": "Flowize",
        "accept": "application/json, */*;q=0.5",
        "accept-encoding": "identity",
        "idempotency-key": "r-1:1:2",
        "content-type": "application/json",
        "content-length": str(len(request.body)),
        "connection": "close",
    }


@pytest.mark.parametrize(
    ("value", "sent"), [(None, b"null"), (False, b"false"), (0, b"0"), ("", b'""'), ([], b"[]"), ({}, b"{}")]
)
def test_a_json_body_may_be_any_value(sink: Sink, value: Any, sent: bytes) -> None:
    call(sink, json=value)
    assert sink.received[0].body == sent


def test_a_text_body(sink: Sink) -> None:
    call(sink, text="grüß")
    assert sink.received[0].body == "grüß".encode()
    assert sink.received[0].headers["content-type"] == "text/plain; charset=utf-8"


def test_no_body(sink: Sink) -> None:
    call(sink, method="DELETE")
    assert (sink.received[0].method, sink.received[0].body) == ("DELETE", b"")
    assert "content-type" not in sink.received[0].headers


def test_own_headers(sink: Sink) -> None:
    headers = {"ACCEPT": "text/csv", "X-Number": 5, "X-Flag": True, "X-None": None, "content-type": "a/b"}
    call(sink, json={}, headers=headers)
    sent = sink.received[0].headers
    assert (sent["accept"], sent["x-number"], sent["x-flag"], sent["content-type"]) == ("text/csv", "5", "true", "a/b")
    assert "x-none" not in sent
    assert sent["idempotency-key"] == "r-1:1:2"


def test_query_parameters_are_added_to_the_url(sink: Sink) -> None:
    query = {"b": [1, "x y", False], "c": None, "d": True, "e": "ö&="}
    call(sink, url=sink.url + "?a=1", query=query)
    assert parse_qsl(urlsplit(sink.received[0].path).query) == [
        ("a", "1"),
        ("b", "1"),
        ("b", "x y"),
        ("b", "false"),
        ("d", "true"),
        ("e", "ö&="),
    ]


@pytest.mark.parametrize(
    ("body", "value"),
    [
        (b'{"id": 7, "n": 1.5}', {"id": 7, "n": 1.5}),
        (b"[1, null]", [1, None]),
        (b'"x"', "x"),
        (b"", None),
        ("grüß".encode(), "grüß"),
        (b'{"a": 1, "a": 2}', '{"a": 1, "a": 2}'),
        (b'{"a": NaN}', '{"a": NaN}'),
        (b"a\0b", "ab"),
        (b"\xff\xfe", base64.b64encode(b"\xff\xfe").decode()),
        (b"x" * 100_001, "x" * 100_000),
    ],
)
def test_what_becomes_of_the_answers_body(sink: Sink, body: bytes, value: Any) -> None:
    sink.answer = Answer(body=body)
    result = call(sink)
    assert isinstance(result, AppResult)
    assert (result.port, result.output["body"]) == ("ok", value)


def test_the_answer_is_saved_where_the_flow_says(sink: Sink) -> None:
    headers = {
        "Content-Type": "application/json",
        "Set-Cookie": "session=secret",
        "ETag": '"x"',
        "Location": "/leads/7",
        "Retry-After": "5",
        "X-Else": "y",
    }
    sink.answer = Answer(201, b'{"id": 7}', headers)
    answer = {
        "status": 201,
        "headers": {
            "content-type": "application/json",
            "etag": '"x"',
            "location": "/leads/7",
            "retry-after": "5",
        },
        "body": {"id": 7},
    }
    assert call(sink, save_to="crm") == AppResult("ok", answer, {"crm": answer})
    assert call(sink) == AppResult("ok", answer, {})


@pytest.mark.parametrize("status", [301, 302, 400, 401, 404, 409, 429, 500, 503])
def test_other_statuses_are_errors(sink: Sink, status: int) -> None:
    sink.answer = Answer(status, b"the reason", {"Location": sink.url})
    assert call(sink) == AppError(f"http.{status}", f"The service answered {status}.")
    assert len(sink.received) == 1


@pytest.mark.parametrize(
    ("expect", "status", "fine"),
    [
        (["404"], 404, True),
        (["404"], 200, False),
        (["2xx", "409"], 409, True),
        (["3xx"], 302, True),
        (["201"], 200, False),
    ],
)
def test_the_flow_may_say_which_statuses_are_fine(sink: Sink, expect: list[str], status: int, fine: bool) -> None:
    sink.answer = Answer(status)
    assert isinstance(call(sink, expect=expect), AppResult) is fine


def test_an_answer_that_takes_too_long(sink: Sink) -> None:
    sink.open.clear()
    assert call(sink, timeout=0.2) == AppError("timeout", "127.0.0.1 did not answer within 0.2 seconds.")


def test_nobody_listens(sink: Sink) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        result = call(sink, url=f"http://127.0.0.1:{taken.getsockname()[1]}/")
    assert result == AppError("connection", "The connection to 127.0.0.1 failed: connection refused.")


def test_an_answer_that_is_too_large(sink: Sink, settings: Any) -> None:
    settings.EGRESS_MAX_BYTES = 8
    assert call(sink) == AppError("too_large", "The answer of 127.0.0.1 is larger than 8 bytes.")


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::1]", "169.254.169.254", "10.0.0.1", "0.0.0.0"])
def test_addresses_inside_are_refused_unless_listed(sink: Sink, settings: Any, host: str) -> None:
    settings.EGRESS_ALLOW = []
    result = call(sink, url=f"http://{host}:{sink.server_port}/")
    assert isinstance(result, AppError)
    assert result.code == "refused_address"
    assert sink.received == []


@pytest.mark.parametrize(
    ("config", "code"),
    [
        ({"url": "ftp://127.0.0.1/"}, "bad_url"),
        ({"url": "http://user:password@127.0.0.1/"}, "bad_url"),
        ({"url": "/relative"}, "bad_url"),
        ({"headers": {"X-Key": "日本"}}, "bad_request"),
        ({"headers": {"X-Key": "a\r\nX-Evil: 1"}}, "bad_request"),
        ({"headers": {"Host": "elsewhere"}}, "bad_request"),
    ],
)
def test_requests_that_cannot_be_sent(sink: Sink, config: dict[str, Any], code: str) -> None:
    result = call(sink, **config)
    assert isinstance(result, AppError)
    assert result.code == code
    assert "password" not in result.message
    assert sink.received == []
