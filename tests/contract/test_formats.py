"""The same call as JSON and as XML, for answers and for every kind of refusal."""

import base64
import json
from typing import Any

import pytest
from django.test import Client

from apps.core.http.viewsets import EnvelopeViewSet
from apps.core.xmlio import read_xml, write_xml
from apps.records.models import Record
from apps.records.services import create_records
from apps.schemas.services import create_schema
from tests.conftest import Tenant

DOCUMENT = {"client": {"age": 30, "a><b x='1'>": 1, "1a": [2.5, None, True], "": {"@id": "x"}, "c": "\x01\r\n"}}
XML = "application/xml; charset=utf-8"
READS = ["/v1/schema", "/v1/record/r-1", "/v1/flowdiagram?flow=intake", "/v1/options"]


def encoded(value: Any) -> str:
    return base64.b64encode(json.dumps(value).encode()).decode()


@pytest.fixture
def filled(acme: Tenant) -> Tenant:
    create_records(acme.caller, [DOCUMENT], flow_name="intake", uuid="r-1")
    create_schema(acme.caller, url="u", schema=encoded({}), data_record=encoded({}))
    return acme


@pytest.mark.parametrize("path", READS)
def test_both_formats_hold_the_same(client: Client, filled: Tenant, path: str) -> None:
    plain = client.get(path, headers=filled.headers)
    for headers in (
        {"Accept": "application/xml"},
        {"Content-Type": "application/xml"},
        {"Content-Type": "application/xml", "Accept": "*/*"},
        {"Content-Type": "application/json", "Accept": "application/xml, */*;q=0.1"},
    ):
        extra = {"CONTENT_TYPE": headers["Content-Type"]} if "Content-Type" in headers else {}
        accept = {"Accept": headers["Accept"]} if "Accept" in headers else {}
        response = client.get(path, headers=filled.headers | accept, **extra)
        assert (response.status_code, response["Content-Type"]) == (200, XML)
        assert read_xml(response.content) == plain.json()
        assert response["ETag"] != plain["ETag"]
        assert response["Vary"].startswith("Accept, Content-Type, Authorization")
        again = client.get(path, headers=filled.headers | accept | {"If-None-Match": response["ETag"]}, **extra)
        assert (again.status_code, again.content) == (304, b"")


def test_text_xml_is_answered_as_such(client: Client, filled: Tenant) -> None:
    response = client.get("/v1/schema", headers=filled.headers | {"Accept": "text/xml"})
    assert response["Content-Type"] == "text/xml; charset=utf-8"
    assert response.content.startswith(b'<?xml version="1.0" encoding="UTF-8"?>\n<response><id>ok</id>')


@pytest.mark.parametrize("content_type", ["application/xml", "text/xml", "application/xml; charset=UTF-8"])
def test_what_was_written_can_be_sent_back(client: Client, filled: Tenant, content_type: str) -> None:
    headers = filled.headers | {"X-Flow": "intake"}
    response = client.post("/v1/record", write_xml(DOCUMENT), content_type, headers=headers)
    assert response.status_code == 201
    assert read_xml(response.content)["resource"]["data_record"] == DOCUMENT
    uuid = read_xml(response.content)["resource"]["data_record_id"]
    assert Record.objects.get(uuid=uuid).content.data == DOCUMENT


def test_plain_xml_makes_strings(client: Client, acme: Tenant) -> None:
    body = "<lead id='7'><client><name>Zoë</name><age>30</age><phone>1</phone><phone>2</phone></client></lead>"
    response = client.post("/v1/record", body, "text/xml", headers=acme.headers | {"X-Flow": "intake"})
    stored = {"@id": "7", "client": {"name": "Zoë", "age": "30", "phone": ["1", "2"]}}
    assert read_xml(response.content)["resource"]["data_record"] == stored


def test_several_records_in_one_document(client: Client, acme: Tenant) -> None:
    body = '<r type="array"><record><a>1</a></record><record><a>2</a></record></r>'
    response = client.post(
        "/v1/record?fields=data_record", body, "text/xml", headers=acme.headers | {"X-Flow": "intake"}
    )
    assert read_xml(response.content)["resource"] == [{"data_record": {"a": "1"}}, {"data_record": {"a": "2"}}]


REFUSALS: list[tuple[str, str, dict[str, Any], int]] = [
    ("GET", "/v1/nothing", {}, 404),
    ("PATCH", "/v1/schema", {}, 405),
    ("POST", "/healthz", {}, 405),
    ("GET", "/v1/schema", {"headers": {}}, 401),
    ("GET", "/v1/record/unknown", {}, 404),
    ("GET", "/v1/schema?fields=other", {}, 400),
    ("GET", f"/v1/schema?x={'y' * 9000}", {}, 400),
    ("GET", "/v1/schema", {"headers": {"Host": "evil.example"}}, 400),
    ("POST", "/v1/record?flow=intake", {"data": b"<a><b></a>", "content_type": "application/xml"}, 400),
    ("POST", "/v1/record?flow=intake", {"data": b"", "content_type": "application/xml"}, 400),
    ("POST", "/v1/record?flow=intake", {"data": b"<!DOCTYPE r><r/>", "content_type": "application/xml"}, 400),
    ("POST", "/v1/record?flow=intake", {"data": b"<r/>", "content_type": "application/xml"}, 400),
    ("POST", "/v1/record?flow=intake", {"data": b"<r/>", "content_type": "application/xml; charset=utf-16"}, 415),
    ("POST", "/v1/record?flow=intake", {"data": b"{}", "content_type": "text/plain"}, 415),
    ("POST", "/v1/record?flow=intake", {"data": b"{}", "content_type": "garbage;;;="}, 415),
    ("POST", "/v1/record?flow=intake", {"data": b"{}", "content_type": "multipart/form-data; boundary=x"}, 415),
    ("POST", "/v1/record?flow=intake", {"data": b"{}", "content_type": "application/soap+xml"}, 415),
    ("POST", "/v1/record?flow=intake", {"data": b"<a>" * 5000, "content_type": "application/xml"}, 400),
    ("PUT", "/v1/schema", {"headers": {"If-Match": '"x"'}, "data": b"{}", "content_type": "application/json"}, 400),
]


@pytest.mark.parametrize(("method", "path", "sent", "status"), REFUSALS)
def test_refusals_come_in_the_format_of_answers(
    client: Client, filled: Tenant, method: str, path: str, sent: dict[str, Any], status: int
) -> None:
    headers = {"Accept": "application/xml"} | (filled.headers if sent.get("headers") != {} else {})
    headers |= sent.get("headers", {})
    before = Record.objects.count()
    response = client.generic(
        method, path, sent.get("data", b""), sent.get("content_type", "application/json"), headers=headers
    )
    assert (response.status_code, response["Content-Type"]) == (status, XML)
    body = read_xml(response.content)
    assert list(body) == ["id", "code", "request-ip", "resource", "message", "error"]
    assert (body["code"], body["resource"], body["message"], body["error"]["code"]) == (status, [], None, status)
    assert response["Cache-Control"] == "no-store"
    assert response["X-Content-Type-Options"] == "nosniff"
    assert int(response["Content-Length"]) == len(response.content)
    assert Record.objects.count() == before


def test_one_call_too_many_in_xml(client: Client, filled: Tenant) -> None:
    filled.keys.rate_limit = 1
    filled.keys.save()
    responses = [client.get("/v1/schema", headers=filled.headers | {"Accept": "text/xml"}) for _ in range(2)]
    assert [response.status_code for response in responses] == [200, 429]
    assert read_xml(responses[1].content)["error"] == {"code": 429, "message": "Too many requests."}


@pytest.mark.parametrize("accept", ["image/png", "text/html", "text/plain", "////;q=zzz"])
def test_what_cannot_be_written_is_refused_in_json(client: Client, filled: Tenant, accept: str) -> None:
    response = client.get("/v1/schema", headers=filled.headers | {"Accept": accept})
    assert (response.status_code, response["Content-Type"]) == (406, "application/json")
    message = "Available formats: application/json, application/xml, text/xml."
    assert response.json()["error"]["message"] == message
    assert client.get("/v1/nothing", headers={"Accept": accept})["Content-Type"] == "application/json"


def test_415_names_what_can_be_read(client: Client, filled: Tenant) -> None:
    response = client.post("/v1/schema", "x", "text/csv", headers=filled.headers)
    message = "The body's Content-Type is not supported: send application/json or application/xml or text/xml."
    assert response.json()["error"]["message"] == message


def test_options_of_every_path(client: Client) -> None:
    for path in ("/v1/schema", "/v1/record/x/", "/healthz", "/readyz", "/v1/checkauthentication"):
        response = client.options(path, headers={"Accept": "application/xml"})
        assert response.status_code == 200
        methods = read_xml(response.content)["resource"]["methods"]
        assert methods == response["Allow"].split(", ")
        assert "OPTIONS" in methods


def test_plain_views_refuse_methods_in_the_envelope(client: Client) -> None:
    response = client.get("/o/token/")
    assert (response.status_code, response.json()["error"]["code"]) == (405, 405)
    assert "POST" in response["Allow"]


class Note(EnvelopeViewSet):
    """A view that takes text."""

    takes_text = True

    def echo(self, request: Any) -> Any:
        """The body again."""
        return self.bare(self.document(request))


@pytest.mark.parametrize(
    ("content_type", "accept", "body", "answered"),
    [
        ("text/plain", None, "é <1>\r\n", ("text/plain; charset=utf-8", "é <1>\r\n")),
        ("text/plain; charset=utf-8", "application/json", "é", ("application/json", '"é"')),
        ("application/json", "text/plain", '{"a": [1]}', ("text/plain; charset=utf-8", '{"a":[1]}')),
        ("application/json", "text/*", '"x"', ("text/xml; charset=utf-8", None)),
        ("text/plain", "text/*", "x", ("text/plain; charset=utf-8", "x")),
    ],
)
def test_views_that_take_text(
    rf: Any, content_type: str, accept: str | None, body: str, answered: tuple[str, str | None]
) -> None:
    headers = {"Accept": accept} if accept else {}
    request = rf.generic("POST", "/", body.encode(), content_type, headers=headers)
    response = Note.as_view({"post": "echo"})(request).render()
    assert response["Content-Type"] == answered[0]
    assert answered[1] is None or response.content.decode() == answered[1]


@pytest.mark.parametrize(
    ("content_type", "body", "status"),
    [
        ("text/plain; charset=latin-1", b"x", 415),
        ("text/plain", b"\xff", 400),
        ("text/plain", b"a\x00", 400),
        ("text/csv", b"x", 415),
    ],
)
def test_texts_that_cannot_be_read(rf: Any, content_type: str, body: bytes, status: int) -> None:
    response = Note.as_view({"post": "echo"})(rf.generic("POST", "/", body, content_type)).render()
    assert response.status_code == status
