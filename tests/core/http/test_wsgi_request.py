"""Requests as the shipped WSGI application makes them."""

import io
import json
from typing import Any
from wsgiref.util import setup_testing_defaults

import pytest

from apps.core.http.wsgi_request import Utf8Request
from flowize.wsgi import application

CHARSETS = ["punycode", "undefined", "utf-16", "utf-7", "unicode_escape", "latin-1", "no-such", "''", "utf-8"]


def environ(content_type: str, query: str = "", body: bytes = b"", **more: str) -> dict[str, Any]:
    values: dict[str, Any] = {
        "CONTENT_TYPE": content_type,
        "QUERY_STRING": query,
        "CONTENT_LENGTH": str(len(body)),
        "wsgi.input": io.BytesIO(body),
        "REMOTE_ADDR": "127.0.0.1",
    } | more
    setup_testing_defaults(values)
    return values


@pytest.mark.parametrize("charset", CHARSETS)
def test_the_url_is_utf8_whatever_the_body_is(charset: str) -> None:
    request = Utf8Request(environ(f"application/json; charset={charset}", "uuid=%C3%ABx&flow=a+b"))
    assert request.GET.dict() == {"uuid": "ëx", "flow": "a b"}
    assert request.content_type == "application/json"
    assert request.content_params == {"charset": charset}


def test_a_form_is_utf8_too() -> None:
    body = "client_id=%C3%AB&client_secret=ë".encode()
    content_type = "application/x-www-form-urlencoded; charset=utf-16"
    request = Utf8Request(environ(content_type, body=body, REQUEST_METHOD="POST"))
    assert request.POST.dict() == {"client_id": "ë", "client_secret": "ë"}


@pytest.mark.django_db
@pytest.mark.parametrize("charset", CHARSETS)
def test_no_charset_brings_the_application_down(charset: str) -> None:
    statuses = []
    content_type = f"application/json; charset={charset}"
    answer = application(
        environ(content_type, "uuid=x%C3%AB", PATH_INFO="/v1/nothing"),
        lambda status, headers, exc_info=None: statuses.append(status),
    )
    body = json.loads(b"".join(answer))
    answer.close()  # type: ignore[attr-defined]
    assert (statuses, body["code"]) == (["404 Not Found"], 404)
