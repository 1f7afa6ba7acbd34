"""Inserts at the edges of what is accepted."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote

import pytest
from django.test import Client
from django.utils import timezone

from apps.applications.models import Application
from apps.applications.services import forget_credentials
from apps.flows import services as flows
from apps.records.models import Record, Status
from apps.records.services import create_records
from tests.conftest import STRAIGHT_FLOW, Tenant, publish
from tests.records.conftest import ADULT, insert


def post(client: Client, tenant: Tenant, body: Any, query: str = "?flow_name=intake", **headers: str) -> Any:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    text = body if isinstance(body, bytes) else json.dumps(body)
    return client.generic("POST", f"/v1/record{query}", text, "application/json", headers=tenant.headers | named)


def refused(response: Any, status: int, message: str) -> None:
    assert (response.status_code, response.json()["error"]) == (status, {"code": status, "message": message})
    assert not Record.objects.exists()


@pytest.mark.parametrize(
    ("raw", "path", "message"),
    [
        (b"{", "", "Not valid JSON: Expecting property name enclosed in double quotes at line 1, column 2."),
        (b'{"a": 1, "a": 2}', "", "The key 'a' is given twice."),
        (b'[{}, {"a": {"b": 1, "b": 1}}]', "/1/a", "The key 'b' is given twice."),
        (b'{"a": NaN}', "/a", "NaN is no JSON number."),
        (b'{"a": [1, -Infinity]}', "/a/1", "-Infinity is no JSON number."),
        (b'{"a": 1e400}', "/a", "The number is not finite, or too large for a double."),
        (b'{"a": 9223372036854775808}', "/a", "The whole number does not fit 64 bits."),
        (b'{"a": "x\\u0000"}', "/a", "The string holds a NUL character."),
        (b'{"a\\u0000": 1}', "", "A key holds a NUL character."),
        (b'{"a": "\\ud800"}', "/a", "The string holds half of a surrogate pair."),
        (b'{"a": "\xff"}', "", "The document is not UTF-8: byte 8 cannot be read."),
        (
            b'{"k": ' + b"[" * 100 + b"]" * 100 + b"}",
            "/k" + "/0" * 99,
            "The document is nested more than 100 levels deep.",
        ),
    ],
)
def test_documents_that_are_refused(client: Client, acme: Tenant, raw: bytes, path: str, message: str) -> None:
    error = post(client, acme, raw).json()["error"]
    assert (error["code"], error["details"]) == (400, [{"path": path, "message": message}])
    assert not Record.objects.exists()


def test_a_document_of_a_hundred_levels(client: Client, acme: Tenant) -> None:
    raw = b'{"k": ' + b"[" * 99 + b"]" * 99 + b"}"
    assert post(client, acme, raw).status_code == 201
    assert Record.objects.get().content.data == json.loads(raw)


@pytest.mark.parametrize("depth", ["[" * 5000 + "]" * 5000, "[" * 200_000, '{"a":' * 100_000])
def test_bottomless_documents(client: Client, acme: Tenant, depth: str) -> None:
    assert post(client, acme, depth.encode()).status_code == 400


def test_a_byte_order_mark_is_forgiven(client: Client, acme: Tenant) -> None:
    assert post(client, acme, b'\xef\xbb\xbf{"a": 1}').status_code == 201


@pytest.mark.parametrize("body", [5, True, None, "x", 1.5])
def test_bodies_that_are_no_object(client: Client, acme: Tenant, body: Any) -> None:
    refused(post(client, acme, body), 400, "A data record is an object.")
    refused(post(client, acme, [ADULT, body]), 400, "Data record 1 is no object.")


def test_an_empty_body(client: Client, acme: Tenant) -> None:
    refused(post(client, acme, b""), 400, "The body is empty.")


def test_an_array_of_one_is_answered_as_an_array(client: Client, acme: Tenant) -> None:
    resource = post(client, acme, [ADULT]).json()["resource"]
    assert isinstance(resource, list)
    assert [row["data_record"] for row in resource] == [ADULT]


def test_the_most_records_of_a_call(client: Client, acme: Tenant, settings: Any) -> None:
    assert len(post(client, acme, [ADULT] * 1000).json()["resource"]) == 1000
    assert Record.objects.count() == 1000
    assert Record.objects.values("uuid").distinct().count() == 1000
    settings.RECORDS_PER_CALL = 2
    assert post(client, acme, [ADULT] * 3).json()["error"]["message"] == "One call takes at most 2 data records."


@pytest.mark.parametrize("length", [99, 100])
def test_the_limit_is_of_the_body_itself(client: Client, acme: Tenant, settings: Any, length: int) -> None:
    settings.BODY_LIMIT = 99
    raw = b'{"a": "' + b"x" * (length - 9) + b'"}'
    assert len(raw) == length
    if length == 99:
        assert post(client, acme, raw).status_code == 201
        return
    refused(post(client, acme, raw), 413, "The request body is larger than 99 bytes.")


@pytest.mark.parametrize("charset", ["latin-1", "utf-16", "utf-7", "unicode_escape"])
def test_other_charsets(client: Client, acme: Tenant, charset: str) -> None:
    content_type = f"application/json; charset={charset}"
    response = client.generic("POST", "/v1/record?flow=intake", "{}", content_type, headers=acme.headers)
    refused(response, 415, "Only the charset utf-8 is supported.")


def test_a_flow_named_outside_ascii(client: Client, acme: Tenant) -> None:
    publish(acme, STRAIGHT_FLOW, "Łódź 日本")
    assert post(client, acme, ADULT, f"?flow_name={quote('Łódź 日本')}").status_code == 201
    as_servers_hand_it_over = "Łódź 日本".encode().decode("latin-1")
    response = post(client, acme, ADULT, "", X_Flow=as_servers_hand_it_over)
    assert response.json()["resource"]["flow_name"] == "Łódź 日本"


def test_a_default_flow_that_is_gone(client: Client, acme: Tenant) -> None:
    Application.objects.filter(pk=acme.keys.pk).update(default_flow="gone")
    refused(post(client, acme, ADULT, ""), 404, "There is no such flow.")


def test_a_named_flow_comes_before_the_default(client: Client, acme: Tenant) -> None:
    publish(acme, STRAIGHT_FLOW, "other")
    Application.objects.filter(pk=acme.keys.pk).update(default_flow="intake")
    forget_credentials()
    assert post(client, acme, ADULT, "?flow=other").json()["resource"]["flow_name"] == "other"
    assert post(client, acme, ADULT, "?flow=").json()["resource"]["flow_name"] == "intake"


def test_a_flow_with_only_a_draft(client: Client, acme: Tenant) -> None:
    flow = flows.create_flow(acme.caller, name="fresh")
    flows.save_draft(acme.caller, flow, flows.format_source(STRAIGHT_FLOW))
    refused(post(client, acme, ADULT, "?flow=fresh"), 409, "The flow fresh takes no data records: it is draft.")
    flows.change_status(acme.caller, flow, "inactive")
    refused(post(client, acme, ADULT, "?flow=fresh"), 409, "The flow fresh takes no data records: it is inactive.")


@pytest.mark.parametrize("uuid", ["x", "x" * 128, "!#$%&'()*+,-.:;<=>?@[\\]^_`{|}~", "Search", "0"])
def test_uuids_that_are_taken_as_they_are(client: Client, acme: Tenant, uuid: str) -> None:
    assert post(client, acme, ADULT, X_Uuid=uuid).json()["resource"]["data_record_id"] == uuid


@pytest.mark.parametrize(
    "uuid",
    [
        "a b",
        "x" * 129,
        "ł" * 129,
        "a/b",
        "search",
        "movetoflow",
        "changestatus",
        "/",
        "a\u200bb",
        "a\u3000b",
        "\u202eb",
    ],
)
def test_uuids_that_cannot_be_addressed(client: Client, acme: Tenant, uuid: str) -> None:
    response = post(client, acme, ADULT, f"?flow=intake&uuid={quote(uuid)}")
    assert response.status_code == 400
    assert response.json()["error"]["message"].startswith("X-Uuid must ")
    assert not Record.objects.exists()


@pytest.mark.parametrize("uuid", ["Łódź", "漢字😀", "ł" * 128, "a%b", "é", "e\u0301"])
def test_uuids_of_any_script_are_read_changed_and_removed_by_their_paths(
    client: Client, acme: Tenant, uuid: str
) -> None:
    assert post(client, acme, ADULT, f"?flow=intake&uuid={quote(uuid)}").json()["resource"]["data_record_id"] == uuid
    path = f"/v1/record/{quote(uuid)}"
    assert client.get(path, headers=acme.headers).json()["resource"]["info"]["uuid"] == uuid
    assert client.put(path, ADULT, "application/json", headers=acme.headers).json()["resource"]["uuid"] == uuid
    assert client.delete(path, headers=acme.headers).json()["resource"]["uuid"] == uuid
    assert not Record.objects.exists()


def test_uuids_differ_by_case(client: Client, acme: Tenant) -> None:
    assert [post(client, acme, ADULT, X_Uuid=uuid).status_code for uuid in ("Order", "order")] == [201, 201]


def test_the_uuid_of_an_array_of_one(client: Client, acme: Tenant) -> None:
    assert post(client, acme, [ADULT], X_Uuid="one").json()["resource"][0]["data_record_id"] == "one"


def test_a_uuid_in_another_copy_of_the_project_is_free(acme: Tenant) -> None:
    from apps.accounts.models import Role, Workspace
    from apps.applications.members import member_caller

    insert(acme, uuid="same")
    deployed = member_caller(Workspace.objects.create(project=acme.project, api_host="api.example"), Role.OWNER)
    flow = flows.create_flow(deployed, name="intake")
    flows.save_draft(deployed, flow, flows.format_source(STRAIGHT_FLOW))
    flows.change_status(deployed, flow, "public")
    assert [row.uuid for row in create_records(deployed, [ADULT], flow_name="intake", uuid="same")] == ["same"]


@pytest.mark.parametrize("plus", ["+", "%2B"])
def test_a_date_with_an_offset_in_the_url(client: Client, acme: Tenant, plus: str) -> None:
    moment = (timezone.now() + timedelta(hours=3)).replace(microsecond=0)
    text = moment.astimezone(UTC).isoformat().replace("+", plus)
    assert post(client, acme, ADULT, f"?flow=intake&executiontime={text}").status_code == 201
    record = Record.objects.get()
    assert (record.status, record.wake_at) == (Status.SCHEDULED, moment)


def test_the_header_comes_before_the_url(client: Client, acme: Tenant) -> None:
    query = "?flow=intake&executiontime=2999-01-01T00:00:00Z"
    assert post(client, acme, ADULT, query, X_Executiontime="2998-01-01T00:00:00Z").status_code == 201
    assert Record.objects.get().wake_at == datetime(2998, 1, 1, tzinfo=UTC)


def test_every_record_of_an_array_is_scheduled(client: Client, acme: Tenant) -> None:
    post(client, acme, [ADULT] * 3, X_Executiontime="2999-01-01T00:00:00Z")
    rows = Record.objects.values_list("status", "wake_at")
    assert list(rows) == [(Status.SCHEDULED, datetime(2999, 1, 1, tzinfo=UTC))] * 3


def test_dates_beyond_the_calendar(client: Client, acme: Tenant) -> None:
    for text in ("9999-01-01T00:00:00Z", "0000-01-01T00:00:00Z", "10000-01-01T00:00:00Z"):
        assert post(client, acme, ADULT, X_Executiontime=text).status_code == 400
    assert post(client, acme, ADULT, X_Executiontime="9998-12-31T23:59:59Z").status_code == 201
