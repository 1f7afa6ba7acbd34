"""The page of a connection: its secret goes in and never comes out."""

from typing import Any

import pytest
from auditlog.models import LogEntry as AuditEntry
from django.contrib.admin.models import LogEntry
from django.db import connection as database
from django.test import Client

from apps.accounts.models import Role
from apps.flows.connections import save_connection
from apps.flows.models import Connection
from tests.conftest import Tenant, publish
from tests.members import person, signed_in
from tests.records.conftest import Answer, Sink, calling_flow
from tests.records.conftest import sink as sink

LIST = "/admin/flows/connection/"
SECRET = "top secret words"


@pytest.fixture
def developer(acme: Tenant) -> Client:
    """A developer of Acme."""
    return signed_in(person("dev", acme=Role.DEVELOPER))


def fields(tenant: Tenant, **changed: Any) -> dict[str, Any]:
    """A filled form."""
    return {
        "workspace": tenant.workspace.pk,
        "name": "crm",
        "base_url": "https://crm.example.com",
        "kind": "bearer",
        "header": "X-Api-Key",
        "client_auth": "header",
        "new_secret": SECRET,
    } | changed


def make(tenant: Tenant, **changed: Any) -> Connection:
    row = {"name": "crm", "base_url": "https://crm.example.com", "kind": "bearer"} | changed
    return save_connection(tenant.caller, Connection(**row), SECRET)


def stored() -> str:
    """The secret as the database has it."""
    with database.cursor() as cursor:
        cursor.execute("SELECT secret FROM flows_connectionsecret")
        return str(cursor.fetchone()[0])


def test_a_developer_sets_up_a_connection_whose_secret_is_shown_nowhere(acme: Tenant, developer: Client) -> None:
    assert developer.get(f"{LIST}add/").status_code == 200
    response = developer.post(f"{LIST}add/", fields(acme))
    assert response.status_code == 302
    row = Connection.objects.get()
    assert (row.workspace, row.name, row.kept.secret) == (acme.workspace, "crm", SECRET)
    pages = [
        developer.get(LIST),
        *(developer.get(f"{LIST}{row.pk}/{page}/") for page in ("change", "history", "delete")),
    ]
    assert [page.status_code for page in pages] == [200] * 4
    texts = [page.content.decode() for page in pages]
    texts += [*map(str, LogEntry.objects.values()), *map(str, AuditEntry.objects.values())]
    assert not any(SECRET in text or stored() in text for text in texts)
    assert "There is one, kept encrypted. Left empty, it stays." in texts[1]
    assert "No flow uses it." in texts[1]


def test_a_form_with_faults_does_not_give_the_secret_back(acme: Tenant, developer: Client) -> None:
    page = developer.post(f"{LIST}add/", fields(acme, base_url="crm")).content.decode()
    assert "The URL must begin with http:// or https:// and name a host." in page
    assert SECRET not in page
    assert not Connection.objects.exists()


def test_an_empty_field_keeps_the_secret_and_the_name_stays(acme: Tenant, developer: Client) -> None:
    row = make(acme)
    form = fields(acme, new_secret="", name="other", description="The CRM", base_url="https://crm.example.com/v2")
    assert developer.post(f"{LIST}{row.pk}/change/", form).status_code == 302
    row = Connection.objects.get()
    assert (row.name, row.description, row.base_url, row.kept.secret) == (
        "crm",
        "The CRM",
        "https://crm.example.com/v2",
        SECRET,
    )


def test_another_address_needs_the_secret_again(acme: Tenant, developer: Client) -> None:
    row = make(acme)
    form = fields(acme, new_secret="", base_url="https://evil.example.com")
    page = developer.post(f"{LIST}{row.pk}/change/", form)
    assert page.status_code == 200
    assert "Enter it again: it was given for other credentials or another address." in page.content.decode()
    row = Connection.objects.get()
    assert row.base_url == "https://crm.example.com"


@pytest.mark.parametrize("role", [Role.OPERATOR, Role.VIEWER])
def test_others_may_look_but_not_touch(acme: Tenant, role: Role) -> None:
    row = make(acme)
    client = signed_in(person("reader", acme=role))
    page = client.get(f"{LIST}{row.pk}/change/")
    assert page.status_code == 200
    assert "new_secret" not in page.content.decode()
    assert "Test connection" not in page.content.decode()
    assert client.post(f"{LIST}{row.pk}/change/", fields(acme)).status_code == 403
    assert client.post(f"{LIST}{row.pk}/try/").status_code == 403
    assert client.post(f"{LIST}{row.pk}/delete/", {"post": "yes"}).status_code == 403


def test_a_stranger_finds_nothing(acme: Tenant, rival: Tenant) -> None:
    row = make(acme)
    client = signed_in(person("spy", rival=Role.OWNER))
    assert client.post(f"{LIST}{row.pk}/try/").status_code == 404
    assert client.get(f"{LIST}{row.pk}/change/").status_code in (302, 404)
    assert client.post(f"{LIST}add/", fields(acme)).status_code == 200
    assert Connection.objects.count() == 1


@pytest.mark.parametrize(
    ("answer", "level", "message"),
    [
        (Answer(204), "success", "The service answered 204 after "),
        (Answer(403), "warning", "The service answered 403 after "),
    ],
)
def test_a_trial_says_what_the_service_answers(
    acme: Tenant, developer: Client, sink: Sink, answer: Answer, level: str, message: str
) -> None:
    sink.answer = answer
    row = make(acme, base_url=f"http://127.0.0.1:{sink.server_port}/api")
    response = developer.post(f"{LIST}{row.pk}/try/", follow=True)
    (shown,) = response.context["messages"]
    assert (shown.level_tag, str(shown).startswith(message)) == (level, True)
    (request,) = sink.received
    assert (request.method, request.path, request.headers["authorization"]) == ("GET", "/api/", f"Bearer {SECRET}")
    assert SECRET not in response.content.decode()


def test_a_trial_says_why_it_failed(acme: Tenant, developer: Client, sink: Sink) -> None:
    row = make(acme, base_url="http://10.0.0.1")
    (shown,) = developer.post(f"{LIST}{row.pk}/try/", follow=True).context["messages"]
    assert (shown.level_tag, str(shown)) == (
        "error",
        "10.0.0.1 leads to an address that may not be called (private).",
    )
    assert developer.get(f"{LIST}{row.pk}/try/").status_code == 405


def test_one_that_flows_use_stays(acme: Tenant, developer: Client) -> None:
    row = make(acme)
    document = calling_flow("/leads")
    document["objects"]["tell"]["with"]["auth"] = {"connection": "crm"}
    flow = publish(acme, document)
    page = developer.get(f"{LIST}{row.pk}/change/").content.decode()
    assert f'<a href="/admin/flows/flow/{flow.pk}/change/">calling</a>' in page
    refusal = developer.post(f"{LIST}{row.pk}/delete/", {"post": "yes"})
    assert "flow calling, which uses it" in refusal.content.decode()
    assert Connection.objects.filter(pk=row.pk).exists()
    flow.delete()
    assert developer.post(f"{LIST}{row.pk}/delete/", {"post": "yes"}).status_code == 302
    assert not Connection.objects.exists()


def test_pages_open_though_the_key_of_a_secret_is_gone(acme: Tenant, developer: Client, settings: Any) -> None:
    settings.ENCRYPTION_KEYS = ["first" * 8]
    row = make(acme)
    settings.ENCRYPTION_KEYS = ["second" * 8]
    assert developer.get(LIST).status_code == 200
    assert developer.get(f"{LIST}{row.pk}/change/").status_code == 200
    (shown,) = developer.post(f"{LIST}{row.pk}/try/", follow=True).context["messages"]
    assert str(shown) == "The stored secret cannot be read any more: enter it again."
    assert developer.post(f"{LIST}{row.pk}/change/", fields(acme, new_secret="fresh")).status_code == 302
    row = Connection.objects.get()
    assert row.kept.secret == "fresh"
