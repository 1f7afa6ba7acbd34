"""Hosted pages and their forms, in the Designer."""

from typing import Any

import pytest
from django.test import Client

from apps.accounts.models import Workspace
from apps.applications.models import RateWindow
from apps.contents.models import HostedPage
from apps.records.models import Record
from apps.schemas import services as schemas
from tests.conftest import Tenant
from tests.schemas.conftest import encoded

HTML = "<form method=post><input name=client[name]><input name=client[age]:number></form>"
SENT = {"client[name]": "Ada", "client[age]:number": "36"}


@pytest.fixture
def page(acme: Tenant) -> HostedPage:
    return HostedPage.objects.create(workspace=acme.workspace, name="Sign up", html=HTML, flow="intake", trap="website")


@pytest.fixture
def stranger() -> Client:
    """A browser that checks what real ones check."""
    return Client(enforce_csrf_checks=True)


def address(page: HostedPage) -> str:
    return f"/page/{page.key}"


def documents() -> list[Any]:
    return [record.content.data for record in Record.objects.select_related("content").order_by("pk")]


def test_a_page_is_shown_to_whoever_has_the_link(page: HostedPage, stranger: Client) -> None:
    response = stranger.get(address(page))

    assert (response.status_code, response.content.decode()) == (200, HTML)
    assert response["Content-Type"] == "text/html; charset=utf-8"
    assert response["Cache-Control"] == "public, no-cache"
    assert response["Content-Security-Policy"].startswith("sandbox allow-forms")
    assert not response.cookies
    assert stranger.get(address(page) + "/").status_code == 200
    assert stranger.get(address(page), headers={"If-None-Match": response["ETag"]}).status_code == 304
    assert stranger.head(address(page)).content == b""


@pytest.mark.parametrize("multipart", [False, True])
def test_a_form_becomes_a_record(page: HostedPage, stranger: Client, acme: Tenant, multipart: bool) -> None:
    kind = {} if multipart else {"content_type": "application/x-www-form-urlencoded"}
    sent = SENT if multipart else "client%5Bname%5D=Ada&client%5Bage%5D%3Anumber=36"

    response = stranger.post(address(page), sent, **kind)

    assert response.status_code == 200
    assert "Your form has been received." in response.content.decode()
    assert response["Cache-Control"] == "no-store"
    assert response["Content-Security-Policy"].startswith("sandbox ")
    assert documents() == [{"client": {"name": "Ada", "age": 36}}]
    record = Record.objects.get()
    assert (record.workspace_id, record.flow_id, record.application_id) == (acme.workspace.pk, acme.flow.pk, None)


def test_the_page_has_an_answer_of_its_own(page: HostedPage, stranger: Client) -> None:
    HostedPage.objects.update(answer="<h1>Danke</h1>")
    assert stranger.post(address(page), SENT).content == b"<h1>Danke</h1>"


def test_what_falls_into_the_trap_is_thanked_for_and_dropped(page: HostedPage, stranger: Client) -> None:
    assert stranger.post(address(page), SENT | {"website": "https://spam.example"}).status_code == 200
    assert Record.objects.count() == 0

    stranger.post(address(page), SENT | {"website": ""})
    assert documents() == [{"client": {"name": "Ada", "age": 36}}]


def test_a_document_that_does_not_fit_the_schema_is_refused_with_its_places(
    page: HostedPage, stranger: Client, acme: Tenant
) -> None:
    schema = {"type": "object", "properties": {"client": {"required": ["email"]}}}
    sample = {"client": {"email": "ada@example.com"}}
    schemas.create_schema(acme.caller, url="x", schema=encoded(schema), data_record=encoded(sample))

    response = stranger.post(address(page), SENT | {"<b>": "x"})

    assert response.status_code == 400
    assert "/client" in response.content.decode()
    assert Record.objects.count() == 0


def test_refusals_escape_what_was_sent(page: HostedPage, stranger: Client) -> None:
    response = stranger.post(address(page), {"<script>alert(1)</script>:number": "x"})

    assert response.status_code == 400
    assert "<script>" not in response.content.decode()
    assert "&lt;script&gt;" in response.content.decode()


@pytest.mark.parametrize(
    ("body", "content_type", "status"),
    [
        (b"{}", "application/json", 415),
        (b"a=1", "text/plain", 415),
        (b"a=%ff", "application/x-www-form-urlencoded", 400),
        (b"a=\xff", "application/x-www-form-urlencoded", 400),
        (b"a=%00", "application/x-www-form-urlencoded", 400),
        (b"a=1", "application/x-www-form-urlencoded; charset=utf-16", 415),
        (b"&".join([b"a=1"] * 1_001), "application/x-www-form-urlencoded", 400),
        (b"garbage", "multipart/form-data", 400),
        (b"garbage", "multipart/form-data; boundary=x", 200),
        (
            b'--x\r\nContent-Disposition: form-data; name="f"; filename="a"\r\n\r\nx\r\n--x--\r\n',
            "multipart/form-data; boundary=x",
            400,
        ),
    ],
)
def test_bodies(page: HostedPage, stranger: Client, body: bytes, content_type: str, status: int) -> None:
    response = stranger.generic("POST", address(page), body, content_type=content_type)
    assert response.status_code == status
    assert Record.objects.count() == (1 if status == 200 else 0)


def test_a_form_over_the_limit_is_refused(page: HostedPage, stranger: Client, settings: Any) -> None:
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 100
    for kind in ("application/x-www-form-urlencoded", "multipart/form-data; boundary=x"):
        body = b"a=" + b"x" * 200
        if "multipart" in kind:
            body = b'--x\r\nContent-Disposition: form-data; name="f"\r\n\r\n' + b"x" * 200 + b"\r\n--x--\r\n"
        assert stranger.generic("POST", address(page), body, content_type=kind).status_code == 413
    assert Record.objects.count() == 0


def test_a_page_without_a_flow_takes_no_forms(page: HostedPage, stranger: Client) -> None:
    HostedPage.objects.update(flow="")
    response = stranger.post(address(page), SENT)
    assert (response.status_code, response["Allow"]) == (405, "GET, HEAD")
    assert stranger.put(address(page)).status_code == 405


def test_a_page_says_which_methods_it_takes(page: HostedPage, stranger: Client) -> None:
    assert stranger.delete(address(page))["Allow"] == "GET, HEAD, POST"


def test_a_flow_that_is_missing_or_stopped_keeps_the_form_out(page: HostedPage, stranger: Client) -> None:
    HostedPage.objects.update(flow="missing")
    assert stranger.post(address(page), SENT).status_code == 404
    assert Record.objects.count() == 0


def test_forms_come_from_listed_addresses_while_the_page_is_shown_to_all(page: HostedPage, stranger: Client) -> None:
    HostedPage.objects.update(addresses="10.0.0.0/8")
    assert stranger.get(address(page)).status_code == 200
    assert stranger.post(address(page), SENT).status_code == 403
    HostedPage.objects.update(addresses="")
    assert stranger.post(address(page), SENT).status_code == 403
    assert Record.objects.count() == 0
    assert stranger.post(address(page), SENT, REMOTE_ADDR="10.1.2.3").status_code == 403
    HostedPage.objects.update(addresses="10.0.0.0/8")
    assert stranger.post(address(page), SENT, REMOTE_ADDR="10.1.2.3").status_code == 200


def test_forms_are_counted(page: HostedPage, stranger: Client) -> None:
    HostedPage.objects.update(rate_limit=2)
    statuses = [stranger.post(address(page), SENT).status_code for _ in range(3)]
    assert statuses == [200, 200, 429]
    refused = stranger.post(address(page), SENT)
    assert int(refused["Retry-After"]) > 3_500
    assert Record.objects.count() == 2
    assert stranger.get(address(page)).status_code == 200
    assert RateWindow.objects.get().key == f"page:{page.pk}"


def test_unknown_keys_and_copies_of_environments_show_nothing(page: HostedPage, stranger: Client, acme: Tenant) -> None:
    there = Workspace.objects.create(project=acme.project, api_host="api-1.test")
    HostedPage.objects.create(workspace=there, name="Sign up", html="deployed", flow="intake", key=page.key)
    assert stranger.get(address(page)).content.decode() == HTML

    page.delete()
    for method in (stranger.get, stranger.post):
        assert method(address(page)).status_code == 404
        assert method(f"/page/{'f' * 32}").status_code == 404
    assert Record.objects.count() == 0
