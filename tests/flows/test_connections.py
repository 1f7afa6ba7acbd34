"""Connections: what can be kept, who may, what their secrets are sent with, and where to."""

from typing import Any

import pytest
from auditlog.models import LogEntry as AuditEntry
from django.db import connection as database

from apps.accounts.models import Role
from apps.applications.members import member_caller
from apps.core.errors import BadRequest, Conflict, MissingScope, NotFound
from apps.flows import services
from apps.flows.connections import save_connection
from apps.flows.credentials import OutsideConnection, credentials_of, secrets_of, url_at
from apps.flows.models import Connection, ConnectionKind, ConnectionSecret
from apps.flows.selectors import find_connection, flows_using
from tests.conftest import STRAIGHT_FLOW, Tenant, publish
from tests.flows.conftest import CALLING_FLOW, draft

CRM = {"name": "crm", "base_url": "https://crm.example.com/api"}
OAUTH = {"kind": ConnectionKind.OAUTH2, "token_url": "https://id.example.com/token", "client_id": "flowize"}


def make(tenant: Tenant, secret: str = "", **fields: Any) -> Connection:
    return save_connection(tenant.caller, Connection(**CRM | fields), secret)


def changed(connection: Connection, **fields: Any) -> Connection:
    row = Connection.objects.get(pk=connection.pk)
    for name, value in fields.items():
        setattr(row, name, value)
    return row


def faults(tenant: Tenant, connection: Connection, secret: str = "") -> dict[str, str]:
    with pytest.raises(BadRequest) as caught:
        save_connection(tenant.caller, connection, secret)
    return {detail.path: detail.message for detail in caught.value.details}


def test_the_database_holds_no_readable_secret(acme: Tenant) -> None:
    row = make(acme, "top secret", kind=ConnectionKind.BEARER)
    ConnectionSecret.objects.filter(pk=row.pk).update(token="token in use")
    with database.cursor() as cursor:
        cursor.execute(
            "SELECT row_to_json(c)::text || row_to_json(s)::text FROM flows_connection c, flows_connectionsecret s"
        )
        stored = cursor.fetchone()[0]
    assert "token_expires_at" in stored
    assert "top secret" not in stored
    assert "token in use" not in stored
    found = find_connection(acme.workspace.pk, "crm")
    assert (found.kept.secret, found.kept.token) == ("top secret", "token in use")


def test_the_audit_log_knows_that_not_what(acme: Tenant) -> None:
    row = make(acme, "top secret", kind=ConnectionKind.BEARER)
    save_connection(acme.caller, changed(row, description="The CRM"), "other secret")
    entries = [entry.changes_text + str(entry.changes) for entry in AuditEntry.objects.get_for_object(row)]
    assert len(entries) == 2
    assert "The CRM" in entries[0] + entries[1]
    assert not any("secret" in entry for entry in entries)


@pytest.mark.parametrize(
    ("fields", "secret", "field"),
    [
        ({"name": "1st"}, "", "name"),
        ({"name": "a b"}, "", "name"),
        ({"name": "crm\n"}, "", "name"),
        ({"base_url": "crm.example.com"}, "", "base_url"),
        ({"base_url": "ftp://crm.example.com"}, "", "base_url"),
        ({"base_url": "https://user:password@crm.example.com"}, "", "base_url"),
        ({"base_url": "https://crm.example.com/?a=1"}, "", "base_url"),
        ({"base_url": "https://crm.example.com/#a"}, "", "base_url"),
        ({"base_url": "https://crm.example.com:99999"}, "", "base_url"),
        ({"kind": "basic"}, "secret", "username"),
        ({"kind": "basic", "username": "a:b"}, "secret", "username"),
        ({"kind": "basic", "username": "a\r\nX: 1"}, "secret", "username"),
        ({"kind": "bearer"}, "", "secret"),
        ({"kind": "bearer"}, "a\r\nX: 1", "secret"),
        ({"kind": "bearer"}, "schlüssel", "secret"),
        ({"kind": "bearer"}, " padded", "secret"),
        ({"kind": "bearer"}, "x" * 8001, "secret"),
        ({"kind": "basic", "username": "a"}, "pass\0word", "secret"),
        ({"kind": "api_key", "header": ""}, "secret", "header"),
        ({"kind": "api_key", "header": "Host"}, "secret", "header"),
        ({"kind": "api_key", "header": "X Key"}, "secret", "header"),
        (OAUTH | {"token_url": ""}, "secret", "token_url"),
        (OAUTH | {"token_url": "file:///etc/passwd"}, "secret", "token_url"),
        (OAUTH | {"client_id": ""}, "secret", "client_id"),
    ],
)
def test_what_cannot_be_kept_is_named(acme: Tenant, fields: dict[str, Any], secret: str, field: str) -> None:
    assert list(faults(acme, Connection(**CRM | fields), secret)) == [field]
    assert not Connection.objects.exists()


def test_a_name_is_free_in_every_workspace_and_taken_once(acme: Tenant, rival: Tenant) -> None:
    make(acme)
    make(rival)
    with pytest.raises(Conflict):
        make(acme)
    assert Connection.objects.in_workspace(acme.workspace.pk).count() == 1


def test_only_who_may_draw_flows_may_keep_connections(acme: Tenant) -> None:
    for role in (Role.OPERATOR, Role.VIEWER):
        with pytest.raises(MissingScope):
            save_connection(member_caller(acme.workspace, role), Connection(**CRM))
    assert not Connection.objects.exists()


def test_another_tenant_s_connection_is_as_absent_as_none(acme: Tenant, rival: Tenant) -> None:
    row = make(acme, "secret-1", kind=ConnectionKind.BEARER)
    with pytest.raises(NotFound):
        save_connection(rival.caller, changed(row, base_url="https://rival.example"), "x")
    with pytest.raises(NotFound):
        find_connection(rival.workspace.pk, "crm")
    assert Connection.objects.get().base_url == CRM["base_url"]


def test_a_change_keeps_the_secret_the_name_and_drops_the_token(acme: Tenant) -> None:
    row = make(acme, "secret-1", **OAUTH)
    ConnectionSecret.objects.filter(pk=row.pk).update(token="bought")
    save_connection(acme.caller, changed(row, name="other", scope="read", base_url="https://CRM.example.com/v2"))
    row = Connection.objects.get()
    assert (row.name, row.scope, row.base_url) == ("crm", "read", "https://CRM.example.com/v2")
    assert (row.kept.secret, row.kept.token, row.kept.revision) == ("secret-1", "", 1)


@pytest.mark.parametrize(
    "fields",
    [
        {"base_url": "https://evil.example.com/api"},
        {"base_url": "http://crm.example.com/api"},
        {"base_url": "https://crm.example.com:8443/api"},
        {"token_url": "https://evil.example.com/token"},
        {"kind": "bearer"},
    ],
)
def test_a_secret_is_not_sent_elsewhere_by_who_does_not_know_it(acme: Tenant, fields: dict[str, Any]) -> None:
    row = make(acme, "secret-1", **OAUTH)
    message = "Enter it again: it was given for other credentials or another address."
    assert faults(acme, changed(row, **fields)) == {"secret": message}
    assert Connection.objects.get().base_url == CRM["base_url"]
    save_connection(acme.caller, changed(row, **fields), "secret-2")
    assert ConnectionSecret.objects.get().secret == "secret-2"


def test_without_credentials_no_secret_is_left(acme: Tenant) -> None:
    row = make(acme, "secret-1", kind=ConnectionKind.BEARER)
    save_connection(acme.caller, changed(row, kind=ConnectionKind.NONE), "ignored")
    assert not ConnectionSecret.objects.exists()
    assert faults(acme, changed(row, kind="bearer")) == {"secret": "This kind of credentials needs it."}


@pytest.mark.parametrize(
    ("url", "called"),
    [
        ("leads", "https://crm.example.com/api/leads"),
        ("/leads?x=1#f", "https://crm.example.com/api/leads?x=1#f"),
        ("//evil.example.com/x", "https://crm.example.com/api/evil.example.com/x"),
        ("http:evil.example.com", "https://crm.example.com/api/http:evil.example.com"),
        ("a..b/...", "https://crm.example.com/api/a..b/..."),
        ("leads?next=../x", "https://crm.example.com/api/leads?next=../x"),
        ("https://CRM.example.com:443/other", "https://CRM.example.com:443/other"),
    ],
)
def test_where_a_url_leads(url: str, called: str) -> None:
    assert url_at(Connection(**CRM), url) == called


@pytest.mark.parametrize(
    "url",
    [
        "https://evil.example.com/",
        "http://crm.example.com/api",
        "https://crm.example.com:8443/api",
        "https://crm.example.com.evil.example/",
        "https://crm.example.com@evil.example.com/",
        "ftp://crm.example.com/",
        "https://[::1/",
        "../admin",
        "leads/../../admin",
        "leads/%2e%2E/x",
        "leads/.%2e/x",
        "leads\\..\\x",
        "leads%2f..%2fx",
        "./x",
    ],
)
def test_a_url_cannot_leave_the_connection(url: str) -> None:
    with pytest.raises(OutsideConnection):
        url_at(Connection(**CRM), url)


@pytest.mark.parametrize(
    ("fields", "headers"),
    [
        ({"kind": "none"}, {}),
        ({"kind": "basic", "username": "Zoë"}, {"Authorization": "Basic Wm/DqzpwYXNzOndvcmQ="}),
        ({"kind": "bearer"}, {"Authorization": "Bearer pass:word"}),
        ({"kind": "api_key", "header": "X-Key"}, {"X-Key": "pass:word"}),
        (OAUTH, {"Authorization": "Bearer bought"}),
    ],
)
def test_what_is_sent(fields: dict[str, Any], headers: dict[str, str]) -> None:
    row = Connection(**CRM | fields)
    row.kept = ConnectionSecret(secret="pass:word")
    sent = credentials_of(row, "bought")
    assert (sent.origin, sent.headers) == ("https://crm.example.com:443", headers)
    assert not any(value in repr(sent) + repr(row) for value in ("pass:word", "bought", "Wm/D"))
    assert {text for value in headers.values() for text in value.split()[-1:]} <= set(secrets_of(row, "bought"))


def test_the_flows_that_use_it(acme: Tenant, rival: Tenant) -> None:
    def calling(name: str) -> dict[str, Any]:
        call = CALLING_FLOW["objects"]["call"]
        config = {"method": "GET", "url": "/x", "auth": {"connection": name}}
        return {**CALLING_FLOW, "objects": {**CALLING_FLOW["objects"], "call": {**call, "with": config}}}

    row = make(acme)
    make(rival)
    draft(acme, calling("crm"), "drafted")
    draft(acme, calling("other"), "of another")
    draft(rival, calling("crm"), "foreign")
    live = publish(acme, calling("crm"), "live")
    replaced = publish(acme, calling("crm"), "replaced")
    services.save_draft(acme.caller, replaced, services.format_source(STRAIGHT_FLOW))
    services.change_status(acme.caller, replaced, "public")
    services.save_draft(acme.caller, live, services.format_source({"objects": [1], "connection": "crm"}))
    assert [flow.name for flow in flows_using(row)] == ["drafted", "live"]


def test_a_flow_cannot_be_published_before_its_connection_is_there(acme: Tenant, rival: Tenant) -> None:
    document = {**CALLING_FLOW, "objects": {**CALLING_FLOW["objects"]}}
    config = {"method": "GET", "url": "/x", "auth": {"connection": "crm"}}
    document["objects"]["call"] = {**CALLING_FLOW["objects"]["call"], "with": config}
    make(rival)
    flow = draft(acme, document)
    with pytest.raises(Conflict) as caught:
        services.change_status(acme.caller, flow, "public")
    assert [(detail.path, detail.message) for detail in caught.value.details] == [
        ("call/with/auth/connection", "there is no connection named 'crm'")
    ]
    make(acme)
    services.change_status(acme.caller, flow, "public")
