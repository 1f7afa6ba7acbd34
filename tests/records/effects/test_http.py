"""What ``core.http`` sends, what it makes of the answer, and what can go wrong."""

import base64
import socket
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
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


SCOPE = {"record": {"client": {"name": "Ada"}}, "client": {"name": "Ada"}, "vars": {"known": 1}}


def call(sink: Sink, timeout: float = 5.0, **config: Any) -> AppResult | AppError:
    config = {"method": "POST", "url": sink.url} | config
    return perform(replace(CALL, config=config, timeout=timeout, scope=SCOPE))


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


@pytest.mark.parametrize(("key", "sent"), [("~!%41:1:2", "~!%41:1:2"), ("Łódź:1:2", "%C5%81%C3%B3d%C5%BA:1:2")])
def test_the_idempotency_key_of_a_record_whose_uuid_is_no_ascii(sink: Sink, key: str, sent: str) -> None:
    perform(replace(CALL, idempotency_key=key, config={"method": "POST", "url": sink.url}))
    assert sink.received[0].headers["idempotency-key"] == sent


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
    ("config", "content_type", "sent"),
    [
        (
            {"xml": {"lead": {"name": "Zoë", "tag": ["a", 2]}}},
            "application/xml",
            "<lead><name>Zoë</name><tag>a</tag><tag>2</tag></lead>",
        ),
        (
            {"form": {"a": "ö &", "b": [1, True], "c": None, "d": ""}},
            "application/x-www-form-urlencoded",
            "a=%C3%B6+%26&b=1&b=true&d=",
        ),
        ({"form": {}}, "application/x-www-form-urlencoded", ""),
    ],
)
def test_other_bodies(sink: Sink, config: dict[str, Any], content_type: str, sent: str) -> None:
    call(sink, **config)
    (request,) = sink.received
    assert request.headers["content-type"] == content_type
    assert request.body.decode().removeprefix('<?xml version="1.0" encoding="UTF-8"?>\n') == sent


def test_a_body_that_is_no_xml_is_not_sent(sink: Sink) -> None:
    result = call(sink, xml={"lead": {"a b": 1}})
    assert result == AppError("config", "xml: lead/a b: 'a b' cannot be the name of an element or attribute.")
    assert sink.received == []


JSON_TYPE = "application/json"


@pytest.mark.parametrize(
    ("content_type", "body", "value"),
    [
        (JSON_TYPE, b'{"id": 7, "n": 1.5}', {"id": 7, "n": 1.5}),
        ("application/problem+json; charset=utf-8", b"[1, null]", [1, None]),
        (JSON_TYPE, b"", None),
        ("text/xml", b"<a><b>1</b><b x='y'>2</b></a>", {"b": ["1", {"@x": "y", "#text": "2"}]}),
        ("application/soap+xml", b"<s:a xmlns:s='urn:s'><s:b/></s:a>", {"b": ""}),
        ("application/xml; charset=iso-8859-1", "<a><b>ë</b></a>".encode("latin-1"), {"b": "ë"}),
        ("application/x-www-form-urlencoded", b"a=1&b=x+y&b=&c=%C3%B6", {"a": "1", "b": ["x y", ""], "c": "ö"}),
        ("text/plain", b'{"id": 7}', '{"id": 7}'),
        ("text/html; charset=ISO-8859-1", "grüß".encode("latin-1"), "grüß"),
        ("text/plain; charset=punycode", b"abc", "YWJj"),
        ("image/svg+xml", b"<svg/>", "<svg/>"),
        (None, b'{"id": 7}', {"id": 7}),
        (None, "grüß".encode(), "grüß"),
        (None, b"a\0b", "ab"),
        ("application/octet-stream", b"\xff\xfe", base64.b64encode(b"\xff\xfe").decode()),
        (None, b"x" * 100_001, "x" * 100_000),
    ],
)
def test_what_becomes_of_the_answers_body(sink: Sink, content_type: str | None, body: bytes, value: Any) -> None:
    sink.answer = Answer(body=body, headers={"Content-Type": content_type} if content_type else {})
    result = call(sink)
    assert isinstance(result, AppResult)
    assert (result.port, result.output["body"]) == ("ok", value)


@pytest.mark.parametrize(
    ("content_type", "body", "message"),
    [
        (
            JSON_TYPE,
            b"<html>",
            "The service says that it answers JSON, which cannot be read. Not valid JSON: Expecting value at line 1",
        ),
        (JSON_TYPE, b'{"a": 1, "a": 2}', "The service says that it answers JSON, which cannot be read. "),
        (JSON_TYPE, b'{"a": NaN}', "The service says that it answers JSON, which cannot be read. "),
        (JSON_TYPE, b"[" * 200 + b"]" * 200, "The service says that it answers JSON, which cannot be read. "),
        ("text/xml", b"<a>", "The service says that it answers XML, which cannot be read. Not valid XML: "),
        (
            "text/xml",
            b"<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>",
            "The service says that it answers XML, which cannot be read. A document type",
        ),
        (
            "text/xml; charset=ebcdic",
            b"<a/>",
            "The service says that it answers XML, which cannot be read. Its charset is none that is read.",
        ),
        (
            "application/x-www-form-urlencoded",
            b"a=%ff",
            "The service says that it answers a form, which cannot be read.",
        ),
        (
            "application/x-www-form-urlencoded",
            b"a=%00",
            "The service says that it answers a form, which cannot be read.",
        ),
        (
            "application/x-www-form-urlencoded",
            b"a&" * 20_000,
            "The service says that it answers a form, which cannot be",
        ),
    ],
)
def test_an_answer_that_is_not_what_it_says(sink: Sink, content_type: str, body: bytes, message: str) -> None:
    sink.answer = Answer(body=body, headers={"Content-Type": content_type})
    result = call(sink, save_to="crm")
    assert isinstance(result, AppError)
    assert result.code == "bad_answer"
    assert result.message.startswith(message)


def test_an_error_status_is_told_whatever_its_body_is(sink: Sink) -> None:
    sink.answer = Answer(500, b"<html>", {"Content-Type": JSON_TYPE})
    assert call(sink) == AppError("http.500", "The service answered 500.")


def test_expressions_over_the_answer_give_variables_and_data(sink: Sink) -> None:
    result = call(
        sink,
        map={"lead": "answer.body.id", "text": "str(answer.status) + client.name", "none": "answer.body.x.y"},
        write={"client.crm.id": "answer.body.id + vars.known", "fresh": "answer.headers['content-type']"},
    )
    assert isinstance(result, AppResult)
    assert result.save == {"lead": 7, "text": "200Ada", "none": None}
    assert result.data == {"client": {"name": "Ada", "crm": {"id": 8}}, "fresh": JSON_TYPE}
    assert SCOPE["record"] == {"client": {"name": "Ada"}}


def test_an_expression_that_fails_keeps_nothing(sink: Sink) -> None:
    assert call(sink, save_to="crm", map={"lead": "answer.body + 1"}) == AppError(
        "expression", "+ needs two numbers, two texts or two lists, not object and number (character 1)"
    )
    failed = call(sink, write={"new": "1", "client.name.first": "answer.body.id"})
    assert failed == AppError("set", "'client.name.first': there is no object that could hold 'first'")


def test_redirects_are_followed_as_far_as_the_flow_says(sink: Sink) -> None:
    sink.answers = {1: Answer(302, b"", {"Location": "/a"}), 2: Answer(307, b"", {"Location": "/b"})}
    result = call(sink, redirects=2)
    assert isinstance(result, AppResult)
    assert [(request.method, request.path) for request in sink.received] == [
        ("POST", "/leads"),
        ("GET", "/a"),
        ("GET", "/b"),
    ]
    assert sink.keys == ["r-1:1:2"] * 3


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
    sink.answer = Answer(status, b"the reason", {"Location": sink.url, "Retry-After": "7"})
    assert call(sink) == AppError(f"http.{status}", f"The service answered {status}.", 7.0)
    assert len(sink.received) == 1


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("120", 120.0),
        (" 0 ", 0.0),
        ("9" * 30, 999_999_999.0),
        ("Wed, 21 Oct 2015 07:28:00 GMT", 0.0),
        ("-5", None),
        ("1.5", None),
        ("soon", None),
        ("", None),
        ("٣", None),
    ],
)
def test_a_service_may_ask_to_be_left_alone(sink: Sink, header: str, seconds: float | None) -> None:
    sink.answer = Answer(429, b"", {"Retry-After": header.encode().decode("latin-1")})
    assert call(sink) == AppError("http.429", "The service answered 429.", seconds)


def test_it_may_name_a_date(sink: Sink) -> None:
    sink.answer = Answer(
        503, b"", {"Retry-After": format_datetime(datetime.now(UTC) + timedelta(hours=1), usegmt=True)}
    )
    result = call(sink)
    assert isinstance(result, AppError)
    assert result.retry_after is not None
    assert 3500 < result.retry_after <= 3600


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
