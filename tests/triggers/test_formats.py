"""Deliveries over HTTP in every format that is read, and those that are not."""

import json
from typing import Any

import pytest

from apps.records.models import Record
from apps.webhooks.models import WebhookEvent
from apps.webhooks.services import RegisteredWebhook
from tests.conftest import Tenant
from tests.contract.xml_reader import read_answer
from tests.triggers.conftest import deliver, refused
from tests.webhooks.cast import webhook_of

XML_ORDER = "<order><id>A-1</id><status>paid</status><total type='number'>9.5</total></order>"
FROM_XML = {"order": {"id": "A-1", "status": "paid", "total": 9.5}}


@pytest.mark.parametrize("content_type", ["application/xml", "text/xml; charset=UTF-8", "APPLICATION/XML"])
def test_xml_is_stored_as_the_document_it_means(hook: RegisteredWebhook, content_type: str) -> None:
    response = deliver(hook.uri, f"<shop>{XML_ORDER}</shop>", content_type)
    event = WebhookEvent.objects.get()
    assert (response.status_code, event.payload) == (201, FROM_XML)
    assert (event.identifier, event.status) == ("A-1", "paid")
    answered = read_answer(response.content)
    assert (answered["message"], answered["resource"]["data"]) == ("Data stored successfully", FROM_XML)
    assert answered["resource"]["_id"] == {"$id": event.event_id}


def test_the_answer_to_xml_is_in_the_format_asked_for(hook: RegisteredWebhook) -> None:
    body = f"<shop>{XML_ORDER}</shop>"
    kinds = {accept: deliver(hook.uri, body, "text/xml", headers={"Accept": accept})["Content-Type"] for accept in (
        "application/json", "application/xml", "*/*"
    )}  # fmt: skip
    assert kinds == {
        "application/json": "application/json",
        "application/xml": "application/xml; charset=utf-8",
        "*/*": "text/xml; charset=utf-8",
    }


def test_a_batch_in_xml_is_an_event_for_each_entry(acme: Tenant) -> None:
    uri = webhook_of(acme, batch=True).uri
    orders = "".join(f"<one><order><id>{number}</id></order></one>" for number in (3, 1, 2))
    body = f"<orders type='array'>{orders}</orders>"
    resource = read_answer(deliver(uri, body, "application/xml").content)["resource"]
    assert [row["data"] for row in resource] == [{"order": {"id": number}} for number in "312"]
    stored = list(WebhookEvent.objects.order_by("id").values_list("event_id", "identifier", "position"))
    assert stored == [
        (row["_id"]["$id"], name, place) for row, name, place in zip(resource, "312", range(3), strict=True)
    ]


def test_an_xml_list_without_its_mark_is_one_event(acme: Tenant) -> None:
    uri = webhook_of(acme, batch=True).uri
    deliver(uri, "<orders><order><id>1</id></order><order><id>2</id></order></orders>", "application/xml")
    assert WebhookEvent.objects.get().payload == {"order": [{"id": "1"}, {"id": "2"}]}


def test_events_from_xml_become_records(acme: Tenant, inserting: RegisteredWebhook) -> None:
    body = "<leads type='array'><lead><client><age type='integer'>30</age></client></lead></leads>"
    assert deliver(inserting.uri, body, "application/xml").status_code == 201
    assert Record.objects.get().content.data == {"client": {"age": 30}}


def test_a_repetition_in_another_format_is_the_same_payload(hook: RegisteredWebhook) -> None:
    known = {"Idempotency-Key": "m-1"}
    first = deliver(hook.uri, f"<shop>{XML_ORDER}</shop>", "application/xml", headers=known)
    again = deliver(hook.uri, FROM_XML, headers=known)
    assert (again.status_code, again["Idempotency-Replayed"]) == (201, "true")
    assert again.json()["resource"] == read_answer(first.content)["resource"]
    assert deliver(hook.uri, "<shop/>", "application/xml", headers={"Idempotency-Key": "m-2"}).status_code == 400
    assert WebhookEvent.objects.count() == 1


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"<a>text</a>", "The payload is neither an object nor an array."),
        (b"<a/>", "The payload is neither an object nor an array."),
        (b"<a type='null'/>", "The payload is neither an object nor an array."),
        (b"<a><b></a>", None),
        (b"{}", None),
        (b"<!DOCTYPE a [<!ENTITY b 'c'>]><a><c>&b;</c></a>", None),
        (b"<!DOCTYPE a SYSTEM 'http://127.0.0.1/x.dtd'><a><c>d</c></a>", None),
        (b"<a><b>\xff</b></a>", None),
        (b"<?xml version='1.0' encoding='utf-16'?><a><b>c</b></a>", None),
        (b"<a><b>&#0;</b></a>", None),
        (b"<a><b type='integer'>1.5</b></a>", None),
        (b"<a>" * 102 + b"</a>" * 102, None),
        (b"<a type='array'/>", "The array holds no events."),
    ],
)
def test_xml_that_is_refused(acme: Tenant, body: bytes, message: str | None) -> None:
    response = deliver(webhook_of(acme, batch=True).uri, body, "application/xml")
    error = read_answer(response.content)["error"]
    assert (response.status_code, error["code"]) == (400, 400)
    assert message in (None, error["message"])
    assert not WebhookEvent.objects.exists()


def test_a_form_is_an_object_of_texts(hook: RegisteredWebhook) -> None:
    form = "application/x-www-form-urlencoded"
    response = deliver(hook.uri, "a=1&b=%C5%81%C3%B3d%C5%BA+x&a=2&empty=&bare", form)
    assert response.status_code == 201
    assert WebhookEvent.objects.get().payload == {"a": ["1", "2"], "b": "Łódź x", "empty": "", "bare": ""}
    assert response.json()["resource"]["data"] == {"a": ["1", "2"], "b": "Łódź x", "empty": "", "bare": ""}


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"a=%FF", "The form is not UTF-8."),
        (b"a=\xff", "The form is not UTF-8."),
        (b"a=%00", "/a: The string holds a NUL character."),
        (b"%00=1", "A key holds a NUL character."),
        (b"&".join(b"a=1" for _ in range(1001)), "The form has more than 1000 fields."),
        (b"x" * 513 + b"=1", "A key has 513 characters; 512 are allowed."),
        (b"", "The body is empty."),
    ],
)
def test_forms_that_are_refused(hook: RegisteredWebhook, body: bytes, message: str) -> None:
    refused(deliver(hook.uri, body, "application/x-www-form-urlencoded"), 400, message)
    assert not WebhookEvent.objects.exists()


@pytest.mark.parametrize(
    ("raw", "status"),
    [
        (b"", 400),
        (b"{", 400),
        (b'{"a": 1, "a": 2}', 400),
        (b'{"a": NaN}', 400),
        (b'{"a": 1e400}', 400),
        (b'{"a": "x\\u0000"}', 400),
        (b'{"a": "\\ud800"}', 400),
        (b'{"a": "\xff"}', 400),
        (b"[" * 101 + b"]" * 101, 400),
        (b"[" * 200_000, 400),
        (b'{"a": "' + b"x" * 2000 + b'"}', 413),
    ],
)
def test_bodies_that_are_refused(hook: RegisteredWebhook, settings: Any, raw: bytes, status: int) -> None:
    settings.BODY_LIMIT = 1000 if status == 413 else settings.BODY_LIMIT
    assert deliver(hook.uri, raw).status_code == status
    assert not WebhookEvent.objects.exists()


@pytest.mark.parametrize(
    "content_type", ["text/csv", "application/octet-stream", "multipart/form-data; boundary=x", "image/png", "nonsense"]
)
def test_other_kinds_of_bodies(hook: RegisteredWebhook, content_type: str) -> None:
    assert deliver(hook.uri, b"{}", content_type).status_code == 415
    assert not WebhookEvent.objects.exists()


def test_other_charsets(hook: RegisteredWebhook) -> None:
    for kind in ("application/json", "application/x-www-form-urlencoded"):
        refused(deliver(hook.uri, b"{}", f"{kind}; charset=utf-16"), 415, "Only the charset utf-8 is supported.")


def test_other_charsets_of_xml(hook: RegisteredWebhook) -> None:
    response = deliver(hook.uri, f"<shop>{XML_ORDER}</shop>", "application/xml; charset=iso-8859-1")
    assert (response.status_code, read_answer(response.content)["error"]["code"]) == (415, 415)
    assert not WebhookEvent.objects.exists()


def test_415_names_what_is_read(hook: RegisteredWebhook) -> None:
    message = (
        "The body's Content-Type is not supported: send application/json or application/xml or text/xml or "
        "application/x-www-form-urlencoded."
    )
    refused(deliver(hook.uri, b"a,b", "text/csv"), 415, message)


def test_large_numbers_come_back_as_they_were_sent(hook: RegisteredWebhook) -> None:
    raw = b'{"big":1e300,"whole":9223372036854775807,"z":1.5,"a":0}'
    assert deliver(hook.uri, raw).json()["resource"]["data"] == json.loads(raw)
    assert WebhookEvent.objects.get().payload == json.loads(raw)
