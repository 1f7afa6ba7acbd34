"""``/v1/schema``."""

import base64
import json
from datetime import UTC, datetime
from typing import Any

import pytest
from django.test import Client

from apps.records.models import Record, RecordData
from apps.schemas.models import Schema
from tests.conftest import Tenant
from tests.schemas.conftest import SAMPLE, SCHEMA, encoded

Payload = dict[str, str]
both_writes = pytest.mark.parametrize("method", ["post", "put"])


def send(client: Client, tenant: Tenant, method: str, body: Any = None) -> Any:
    if body is None:
        return getattr(client, method)("/v1/schema", headers=tenant.headers)
    return getattr(client, method)("/v1/schema", body, "application/json", headers=tenant.headers)


def envelope(response: Any, status: int, slug: str, resource: Any, message: str) -> None:
    assert response.status_code == status
    assert response.json() == {
        "id": slug,
        "code": status,
        "request-ip": "127.0.0.1",
        "resource": resource,
        "message": message,
        "error": None,
    }


def refused(response: Any, status: int, message: str, details: Any = None) -> None:
    error = {"code": status, "message": message} | ({"details": details} if details else {})
    assert (response.status_code, response.json()["error"]) == (status, error)


def dated(created: datetime, modified: datetime) -> None:
    Schema.objects.update(date_created=created, date_modified=modified)


def test_insert(client: Client, acme: Tenant, payload: Payload) -> None:
    response = send(client, acme, "post", payload)
    row = Schema.objects.get()
    dates = [moment.astimezone(acme.workspace.zone) for moment in (row.date_created, row.date_modified)]
    shown = [moment.strftime("%Y-%m-%d %H:%M:%S") for moment in dates]
    resource = {"creation_date": shown[0], "modified_date": shown[1]}
    envelope(response, 201, "created", resource, "Schema structure is created successfully")
    assert (row.workspace_id, row.version, row.url) == (acme.workspace.pk, 1, "https://example.org/lead")


def test_get(client: Client, acme: Tenant, payload: Payload) -> None:
    send(client, acme, "post", payload)
    dated(datetime(2026, 1, 15, 11, 0, tzinfo=UTC), datetime(2026, 7, 15, 22, 30, 5, tzinfo=UTC))
    resource = {
        "url": "https://example.org/lead",
        "schema": payload["schema"],
        "creation_date": "2026-01-15 12:00:00",
        "modified_date": "2026-07-16 00:30:05",
        "customer": "acme project",
    }
    envelope(send(client, acme, "get"), 200, "ok", resource, "Schema structure is retrieving successfully")


def test_a_schema_comes_back_as_it_was_sent(client: Client, acme: Tenant, payload: Payload) -> None:
    text = '{ "title": "Zoë \\u00e9",\n\t"type" : "object", "properties": {"b": {}, "a": {"minimum": 1.50}} }'
    payload["schema"] = base64.b64encode(text.encode()).decode()
    assert send(client, acme, "post", payload).status_code == 201
    assert base64.b64decode(send(client, acme, "get").json()["resource"]["schema"]).decode() == text


def test_update(client: Client, acme: Tenant, payload: Payload) -> None:
    send(client, acme, "post", payload)
    created = datetime(2026, 1, 15, 11, 0, tzinfo=UTC)
    dated(created, created)
    response = send(client, acme, "put", payload | {"schema": encoded({"type": "object"}), "url": "other"})
    row = Schema.objects.get()
    modified = row.date_modified.astimezone(acme.workspace.zone).strftime("%Y-%m-%d %H:%M:%S")
    resource = {"creation_date": "2026-01-15 12:00:00", "modified_date": modified}
    envelope(response, 201, "created", resource, "Schema structure is updated successfully")
    assert (row.document, row.url, row.version, row.date_created) == ({"type": "object"}, "other", 2, created)
    assert row.date_modified > created


def test_delete(client: Client, acme: Tenant, payload: Payload) -> None:
    send(client, acme, "post", payload)
    envelope(send(client, acme, "delete"), 200, "ok", {}, "Schema has been removed successfully")
    assert not Schema.objects.exists()


@pytest.mark.parametrize("spelling", ["client_{}", "Client-{}", "basic"])
def test_delete_with_client_credentials(client: Client, acme: Tenant, payload: Payload, spelling: str) -> None:
    send(client, acme, "post", payload)
    pair = {"id": acme.oauth.client_id, "secret": acme.client_secret}
    headers = {spelling.format(name): value for name, value in pair.items()}
    if spelling == "basic":
        headers = {"Authorization": "Basic " + base64.b64encode(":".join(pair.values()).encode()).decode()}
    response = client.delete("/v1/schema", headers=headers | {"grant_type": "client_credentials"})
    envelope(response, 200, "ok", {}, "Schema has been removed successfully")


def test_insert_when_there_is_one(client: Client, acme: Tenant, payload: Payload) -> None:
    send(client, acme, "post", payload)
    response = send(client, acme, "post", payload | {"schema": encoded({})})
    refused(response, 409, "There is a data schema already: update it with PUT.")
    assert Schema.objects.get().document == SCHEMA


@pytest.mark.parametrize("method", ["get", "put", "delete"])
def test_without_a_schema(client: Client, acme: Tenant, payload: Payload, method: str) -> None:
    refused(send(client, acme, method, payload if method == "put" else None), 404, "There is no data schema.")


def test_each_tenant_has_its_own(client: Client, acme: Tenant, rival: Tenant, payload: Payload) -> None:
    send(client, acme, "post", payload)
    refused(send(client, rival, "get"), 404, "There is no data schema.")
    refused(send(client, rival, "delete"), 404, "There is no data schema.")
    assert send(client, rival, "post", payload).status_code == 201
    assert Schema.objects.count() == 2


@both_writes
@pytest.mark.parametrize("name", ["schema", "data_record"])
@pytest.mark.parametrize("value", [None, "", 5, {}, []])
def test_a_missing_text(client: Client, acme: Tenant, payload: Payload, method: str, name: str, value: Any) -> None:
    response = send(client, acme, method, payload | {name: value})
    refused(response, 400, f"{name} is missing: it is the base64 of a JSON document.")


@both_writes
@pytest.mark.parametrize("name", ["schema", "data_record"])
@pytest.mark.parametrize(
    "value", ["{}", "e30", "e30==", "e3_-", "e30=!", "e30=é", "/w==", base64.b64encode(b"\xff").decode()]
)
def test_texts_that_are_no_base64(
    client: Client, acme: Tenant, payload: Payload, method: str, name: str, value: str
) -> None:
    response = send(client, acme, method, payload | {name: value})
    refused(response, 400, f"{name} is not the base64 of a JSON document in UTF-8.")
    assert not Schema.objects.exists()


def test_base64_in_lines(client: Client, acme: Tenant, payload: Payload) -> None:
    payload["schema"] = base64.encodebytes(json.dumps(SCHEMA).encode()).decode()
    assert "\n" in payload["schema"][:-1]
    assert send(client, acme, "post", payload).status_code == 201


@pytest.mark.parametrize("name", ["schema", "data_record"])
@pytest.mark.parametrize(
    ("text", "path", "message"),
    [
        ("{", "", "Not valid JSON: Expecting property name enclosed in double quotes at line 1, column 2."),
        ('{"a": 1, "a": 2}', "", "The key 'a' is given twice."),
        ('{"a": [NaN]}', "/a/0", "NaN is no JSON number."),
        ('{"a": "\\u0000"}', "/a", "The string holds a NUL character."),
        ('{"a": "\\ud800"}', "/a", "The string holds half of a surrogate pair."),
    ],
)
def test_texts_that_are_no_json(
    client: Client, acme: Tenant, payload: Payload, name: str, text: str, path: str, message: str
) -> None:
    response = send(client, acme, "post", payload | {name: base64.b64encode(text.encode()).decode()})
    assert response.status_code == 400
    error = response.json()["error"]
    assert error["message"].startswith(f"{name}: ")
    assert error["details"] == [{"path": f"/{name}{path}", "message": message}]


def test_a_sample_that_does_not_fit(client: Client, acme: Tenant, payload: Payload) -> None:
    sample = {"client": {"age": -1, "name": 5}}
    response = send(client, acme, "post", payload | {"data_record": encoded(sample)})
    error = response.json()["error"]
    assert (response.status_code, error["message"]) == (400, "The data_record does not fit the schema.")
    assert sorted(detail["path"] for detail in error["details"]) == [
        "/data_record/client/age",
        "/data_record/client/name",
    ]
    assert not Schema.objects.exists()


@pytest.mark.parametrize(
    ("schema", "message", "path"),
    [
        ({"type": "strin"}, "The schema is not valid draft-4 JSON Schema.", "/schema/type"),
        ({"required": []}, "The schema is not valid draft-4 JSON Schema.", "/schema/required"),
        ([], "The schema is not valid draft-4 JSON Schema.", "/schema"),
        ({"$schema": "http://json-schema.org/draft-07/schema#"}, "The schema is not draft-4.", "/schema/$schema"),
    ],
)
def test_a_schema_that_is_not_draft_4(
    client: Client, acme: Tenant, payload: Payload, schema: Any, message: str, path: str
) -> None:
    response = send(client, acme, "post", payload | {"schema": encoded(schema)})
    error = response.json()["error"]
    assert (response.status_code, error["message"], error["details"][0]["path"]) == (400, message, path)


@pytest.mark.parametrize(
    "reference", ["http://127.0.0.1:1/x", "https://example.org/x#/y", "file:///etc/passwd", "x.json"]
)
def test_a_reference_to_elsewhere_is_never_fetched(
    client: Client, acme: Tenant, payload: Payload, reference: str
) -> None:
    schema = {"properties": {"a": {"$ref": reference}}}
    response = send(client, acme, "post", payload | {"schema": encoded(schema)})
    error = response.json()["error"]
    assert (response.status_code, error["details"][0]["path"]) == (400, "/schema/properties/a")
    assert not Schema.objects.exists()


@both_writes
@pytest.mark.parametrize("url", [None, "", 5, "x" * 2049])
def test_a_missing_url(client: Client, acme: Tenant, payload: Payload, method: str, url: Any) -> None:
    response = send(client, acme, method, payload | {"url": url})
    refused(response, 400, "url is missing or longer than 2048 characters.")


@both_writes
@pytest.mark.parametrize("body", ["[]", "5", "null", '"x"'])
def test_a_body_that_is_no_object(client: Client, acme: Tenant, method: str, body: str) -> None:
    response = send(client, acme, method, body)
    refused(response, 400, "The body must be an object with schema, data_record and url.")


def test_a_refused_update_changes_nothing(client: Client, acme: Tenant, payload: Payload) -> None:
    send(client, acme, "post", payload)
    before = Schema.objects.values().get()
    for wrong in ({"url": ""}, {"schema": "x"}, {"schema": encoded({"type": "x"})}, {"data_record": encoded({})}):
        assert send(client, acme, "put", payload | wrong).status_code == 400
    assert Schema.objects.values().get() == before


def insert(client: Client, tenant: Tenant, document: Any) -> Any:
    return client.post("/v1/record?flow_name=intake", document, "application/json", headers=tenant.headers)


def test_records_are_held_against_the_schema_in_force(client: Client, acme: Tenant, payload: Payload) -> None:
    assert insert(client, acme, {"free": True}).status_code == 201
    send(client, acme, "post", payload)
    refusal = insert(client, acme, {"client": {"age": "x"}})
    assert (refusal.status_code, refusal.json()["error"]["message"]) == (
        400,
        "The data record does not fit the schema.",
    )
    assert [detail["path"] for detail in refusal.json()["error"]["details"]] == ["/client/age"]
    send(
        client, acme, "put", payload | {"schema": encoded({"required": ["free"]}), "data_record": encoded({"free": 1})}
    )
    assert insert(client, acme, SAMPLE).status_code == 400
    assert insert(client, acme, {"free": 1}).status_code == 201
    send(client, acme, "delete")
    assert insert(client, acme, {"client": {"age": "x"}}).status_code == 201
    assert Record.objects.count() == 3


def test_one_misfit_of_many_stores_nothing(client: Client, acme: Tenant, payload: Payload) -> None:
    send(client, acme, "post", payload)
    response = insert(client, acme, [SAMPLE, {"client": {"age": -1}}, {}])
    error = response.json()["error"]
    assert (response.status_code, error["message"]) == (400, "Data record 1 does not fit the schema.")
    assert [detail["path"] for detail in error["details"]] == ["/1/client/age"]
    assert not Record.objects.exists()


def test_stored_records_are_untouched_by_schema_changes(client: Client, acme: Tenant, payload: Payload) -> None:
    assert insert(client, acme, {"client": {"age": "x"}}).status_code == 201
    before = (Record.objects.values().get(), RecordData.objects.values().get())
    send(client, acme, "post", payload)
    send(client, acme, "put", payload | {"url": "other"})
    send(client, acme, "delete")
    assert (Record.objects.values().get(), RecordData.objects.values().get()) == before
