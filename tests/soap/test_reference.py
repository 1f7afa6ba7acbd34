"""The published requests are answered with the published answers, element by element."""

import json
from collections.abc import Mapping
from datetime import timedelta
from typing import Any
from xml.etree import ElementTree

import pytest
from django.test import Client
from django.utils import timezone

from apps.flows import services as flows
from apps.records.models import Record, Status
from apps.records.services import create_records
from apps.schemas.models import Schema
from apps.webhooks.models import WebhookEvent
from apps.webhooks.services import register_webhook
from tests.conftest import STRAIGHT_FLOW, Tenant
from tests.soap.messages import base64_of, from_base64, post
from tests.soap.published import answer, corrected, printed, request, shape

DOCUMENT = {"client": [{"name": "De Vries & Söhne <Fietsen>", "age": 34}]}
SCHEMA = {"type": "object", "properties": {"client": {"type": "array"}}}


def keys(tenant: Tenant) -> dict[str, str]:
    return {"Apikey": tenant.api_key, "Appkey": tenant.keys.app_key, "Version": "1"}


def check(operation: str, given: Mapping[str, str], **texts: str) -> str:
    """Send the published request and compare the answer with the published one; the resource that came."""
    response = post(request(operation, given), headers={"SOAPAction": f'"Flowize#{operation}"'})
    assert response.status == 200, response.response.content
    resource = response.resource
    assert shape(response.root) == answer(operation, RequestIP="127.0.0.1", Resource=resource, **texts)
    return resource


@pytest.fixture
def record(acme: Tenant) -> str:
    create_records(acme.caller, [DOCUMENT], flow_name="intake", uuid="client-1001")
    return "client-1001"


@pytest.fixture
def schema(acme: Tenant) -> None:
    given = keys(acme) | {"Schema": base64_of(SCHEMA), "DataRecord": base64_of(DOCUMENT), "Url": "http://a.example/"}
    post(request("insertSchema", given))


def test_insert_schema(acme: Tenant) -> None:
    given = keys(acme) | {"Url": "", "Schema": base64_of(SCHEMA), "DataRecord": base64_of(DOCUMENT)}
    assert check("insertSchema", given) == ""
    stored = Schema.objects.get(workspace=acme.workspace)
    assert (stored.url, json.loads(stored.source), json.loads(stored.sample)) == ("", SCHEMA, DOCUMENT)


def test_get_schema(acme: Tenant, schema: None) -> None:
    resource = json.loads(check("getSchema", keys(acme)))
    rest = Client().get("/v1/schema", headers=acme.headers).json()["resource"]
    assert resource == rest
    assert list(resource) == ["url", "schema", "creation_date", "modified_date", "customer"]
    assert from_base64(resource["schema"]) == SCHEMA


def test_update_schema(acme: Tenant, schema: None) -> None:
    source = '{ "type": "object" }'
    given = keys(acme) | {"Schema": base64_of(source), "DataRecord": base64_of("{}")}
    assert check("updateSchema", given) == source
    assert Schema.objects.get().source == source


def test_delete_schema(acme: Tenant, schema: None) -> None:
    assert check("deleteSchema", keys(acme)) == ""
    assert not Schema.objects.exists()


def test_insert_record(acme: Tenant) -> None:
    given = keys(acme) | {"Uuid": "client-1001", "Data": base64_of(DOCUMENT), "Flow": "intake"}
    resource = check("insertRecord", given)
    assert from_base64(resource) == {
        "flow_id": str(acme.flow.pk),
        "flow_name": "intake",
        "data_record_id": "client-1001",
        "data_record": DOCUMENT,
    }
    row = Record.objects.get(uuid="client-1001")
    assert (row.application_id, row.content.data, row.status) == (acme.keys.pk, DOCUMENT, Status.NOT_RUNNING)


def test_insert_an_array_of_records(acme: Tenant) -> None:
    given = keys(acme) | {"Data": base64_of([DOCUMENT, {}]), "FlowId": str(acme.flow.pk)}
    rows = from_base64(check("insertRecord", given))
    assert [row["data_record"] for row in rows] == [DOCUMENT, {}]
    assert [row["data_record_id"] for row in rows] == list(Record.objects.order_by("pk").values_list("uuid", flat=True))


def test_insert_a_record_for_later(acme: Tenant) -> None:
    at = timezone.now() + timedelta(days=1)
    given = keys(acme) | {"Data": base64_of({}), "Flow": "intake", "ExecutionTime": at.isoformat(timespec="seconds")}
    check("insertRecord", given)
    row = Record.objects.get()
    assert (row.status, row.wake_at) == (Status.SCHEDULED, at.replace(microsecond=0))


def test_get_record(acme: Tenant, record: str) -> None:
    assert json.loads(check("getRecord", keys(acme) | {"Uuid": record})) == DOCUMENT


def test_update_record(acme: Tenant, record: str) -> None:
    resource = check("updateRecord", keys(acme) | {"Uuid": record, "Data": base64_of({"new": 1})})
    assert from_base64(resource) == {
        "flow_name": "intake",
        "customer_id": str(acme.project.pk),
        "uuid": record,
        "data_record": {"new": 1},
    }
    assert Record.objects.get().content.data == {"new": 1}


def test_update_several_records(acme: Tenant, record: str) -> None:
    create_records(acme.caller, [{}], flow_name="intake", uuid="second")
    given = keys(acme) | {"Uuid": f"{record}, second", "Data": base64_of([{"a": 1}, {"b": 2}])}
    rows = from_base64(check("updateRecord", given))
    assert [(row["uuid"], row["data_record"]) for row in rows] == [(record, {"a": 1}), ("second", {"b": 2})]


def test_delete_record(acme: Tenant, record: str) -> None:
    assert check("deleteRecord", keys(acme) | {"Uuid": record}) == ""
    assert not Record.objects.exists()


def test_get_flow_diagram(acme: Tenant) -> None:
    resource = json.loads(check("getFlowDiagram", keys(acme) | {"Flow": "intake"}))
    rest = Client().get("/v1/flowdiagram?flow=intake", headers=acme.headers).json()["resource"]
    assert resource == rest
    assert resource["current_flow"]["status"] == "running"


@pytest.mark.parametrize(
    ("status", "word", "after"),
    [
        ("public", "published", "running"),
        ("paused", "paused", "paused"),
        ("running", "resumed", "running"),
        ("inactive", "stopped", "inactive"),
    ],
)
def test_change_flow_status(acme: Tenant, status: str, word: str, after: str) -> None:
    flows.save_draft(acme.caller, acme.flow, flows.format_source(STRAIGHT_FLOW))
    given = keys(acme) | {"FlowId": str(acme.flow.pk), "Status": status}
    resource = check("changeFlowStatus", given, Message=f"Flow diagram has been {word} successfully")
    rest = Client().get("/v1/flowdiagram?flow=intake", headers=acme.headers).json()["resource"]
    assert json.loads(resource) == rest
    assert rest["current_flow"]["status"] == after
    assert rest["current_flow"]["version"] == ("2" if status == "public" else "1")


@pytest.fixture
def uri(acme: Tenant) -> str:
    return register_webhook(acme.workspace, name="orders", addresses="127.0.0.1").uri


def test_webhook(acme: Tenant, uri: str) -> None:
    response = post(request("webhook", {"Uri": uri, "Payload": '{"order": "é"}'}))
    assert response.members == {
        "Id": "created",
        "Code": "201",
        "RequestIP": "127.0.0.1",
        "Resource": "",
        "Message": "Webhook response has been saved successfully",
        "Error": "null",
    }
    assert response.child.tag == "{Flowize}webhookResponse"
    assert WebhookEvent.objects.get().payload == {"order": "é"}


def test_webhook_with_the_published_fault(acme: Tenant, uri: str, settings: Any) -> None:
    settings.SOAP_WEBHOOK_SUCCESS = "fault"
    response = post(request("webhook", {"Uri": uri, "Payload": "{}"}))
    assert response.status == 200
    assert shape(response.root) == answer("webhook", faultactor=response.child.findtext("faultactor") or "")
    assert WebhookEvent.objects.count() == 1


def test_wrong_credentials(acme: Tenant) -> None:
    response = post(request("getSchema", keys(acme) | {"Apikey": "0" * 64}))
    assert response.status == 500
    actor = response.child.findtext("faultactor") or ""
    expected = ElementTree.fromstring(printed("credentials.fault"))
    assert shape(response.root) == shape(expected, {"faultactor": actor})
    assert len(actor) == len(expected.findtext(".//faultactor") or "") == 88
    int(actor, 16)


def test_deleting_a_record_that_a_worker_has(acme: Tenant, record: str) -> None:
    Record.objects.update(status=Status.PROCESSING, wake_at=timezone.now() + timedelta(minutes=5))
    response = post(request("deleteRecord", keys(acme) | {"Uuid": record}))
    assert response.status == 500
    expected = ElementTree.fromstring(printed("inUse.fault"))
    assert shape(response.root) == shape(expected, {"faultactor": response.child.findtext("faultactor") or ""})
    assert Record.objects.count() == 1


# --- The introduction ---------------------------------------------------------------------------------------------


def test_the_envelope_of_the_introduction(acme: Tenant) -> None:
    """It declares one of its three prefixes, has a header inside ``input``, and loose text between its fields."""
    acme.oauth.default_flow = "intake"
    acme.oauth.save()
    response = post(printed("postRecord.request").replace("**session_id**", token(acme)))
    row = Record.objects.get()
    assert row.content.data == {
        "Postcode": "?",
        "Huisnummer": "?",
        "Toevoeging": "?",
        "brief_naw_02": "?",
        "brief_naw_03": "?",
    }
    assert row.application_id == acme.oauth.pk
    declared = printed("postRecord.answer").replace("xmlns:dig", 'xmlns:mym="Flowize" xmlns:dig')
    (expected,) = ElementTree.fromstring(declared)[0]
    (found,) = response.child
    assert response.child.tag == expected.tag
    assert found.tag == "return"
    texts = {"DataRecordID": row.uuid}
    assert [shape(member) for member in found] == [shape(member, texts) for member in expected[0]]


@pytest.mark.parametrize(
    "version", ["http://schemas.xmlsoap.org/soap/envelope/", "http://www.w3.org/2003/05/soap-envelope/"]
)
def test_the_header_of_the_introduction(acme: Tenant, version: str) -> None:
    """Its prefix ``tns`` is not declared; the documentation spells the namespace of SOAP 1.2 with a slash."""
    text = printed("header.request").replace(">string<", f">{token(acme)}<")
    text = text.replace(
        "...",
        "<dig:getFlowDiagram><input><FlowDiagramObject><Flow>intake</Flow></FlowDiagramObject></input></dig:getFlowDiagram>",
    )
    response = post(text.replace("http://schemas.xmlsoap.org/soap/envelope/", version))
    assert response.envelope == version
    assert json.loads(response.resource)["flow_name"] == "intake"


def token(tenant: Tenant) -> str:
    answered = Client().get("/v1/checkauthentication", headers=tenant.client_headers)
    return str(answered.json()["resource"]["access_token"])


def test_an_undeclared_prefix_of_no_published_text(acme: Tenant) -> None:
    response = post(corrected("getSchema.request").replace("mym:getSchema>", "abc:getSchema>"))
    assert response.fault == ("400", "The prefix abc is not declared at line 4, column 7.")
