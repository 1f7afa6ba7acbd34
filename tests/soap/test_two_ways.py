"""What came in by SOAP is read, changed and removed by REST, and the other way round, with the same refusals."""

import json
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from apps.flows import services as flows
from apps.records.models import Record, RecordData, Status
from apps.schemas.services import create_schema
from tests.conftest import Tenant
from tests.soap.messages import Answer, auth, base64_of, call, from_base64

DOCUMENT = {"client": {"name": "Zoë <&> 漢字 😀", "age": 36, "x": [1, 2.5, None, True]}}


def soap(tenant: Tenant, operation: str, **texts: str) -> Answer:
    """A call with its texts in their structures."""
    record = {name: texts[name] for name in ("Uuid", "ExecutionTime", "Data") if name in texts}
    flow = {name: texts[name] for name in ("Flow", "FlowId", "Status") if name in texts}
    schema = {name: texts[name] for name in ("Url", "Schema", "DataRecord") if name in texts}
    structures = {"DataRecordObject": record, "FlowDiagramObject": flow, "SchemaObject": schema}
    return call(operation, auth(tenant) | {name: value for name, value in structures.items() if value})


def rest(tenant: Tenant, method: str, path: str, body: Any = None) -> Any:
    data = "" if body is None else json.dumps(body)
    return Client().generic(method, path, data, "application/json", headers=tenant.headers)


def test_a_record_of_soap_lives_on_in_rest(acme: Tenant) -> None:
    inserted = soap(acme, "insertRecord", Uuid="one", Data=base64_of(DOCUMENT), Flow="intake")
    shown = rest(acme, "GET", "/v1/record/one").json()["resource"]
    assert shown["data_record"] == DOCUMENT
    assert shown["info"]["uuid"] == from_base64(inserted.resource)["data_record_id"] == "one"
    assert rest(acme, "PUT", "/v1/record/one", {"new": 1}).status_code == 200
    assert json.loads(soap(acme, "getRecord", Uuid="one").resource) == {"new": 1}
    assert rest(acme, "DELETE", "/v1/record/one").status_code == 200
    assert soap(acme, "getRecord", Uuid="one").fault == ("404", "There is no such data record.")


def test_a_record_of_rest_lives_on_in_soap(acme: Tenant) -> None:
    assert rest(acme, "POST", "/v1/record?flow=intake&uuid=one", DOCUMENT).status_code == 201
    assert json.loads(soap(acme, "getRecord", Uuid="one").resource) == DOCUMENT
    updated = from_base64(soap(acme, "updateRecord", Uuid="one", Data=base64_of({"new": 1})).resource)
    assert rest(acme, "GET", "/v1/record/one").json()["resource"]["data_record"] == updated["data_record"] == {"new": 1}
    assert soap(acme, "deleteRecord", Uuid="one").members["Code"] == "201"
    assert rest(acme, "GET", "/v1/record/one").status_code == 404


def test_both_answer_the_same_resources(acme: Tenant) -> None:
    by_soap = from_base64(soap(acme, "insertRecord", Uuid="soap", Data=base64_of(DOCUMENT), Flow="intake").resource)
    by_rest = rest(acme, "POST", "/v1/record?flow=intake&uuid=rest", DOCUMENT).json()["resource"]
    assert by_soap | {"data_record_id": "rest"} == by_rest
    by_soap = from_base64(soap(acme, "updateRecord", Uuid="soap", Data=base64_of({})).resource)
    by_rest = rest(acme, "PUT", "/v1/record/rest", {}).json()["resource"]
    assert by_soap | {"uuid": "rest"} == by_rest


def test_documents_come_back_whatever_characters_they_hold(acme: Tenant) -> None:
    document = {"a": "\x01\x1f\x7f\x85\ufffe\uffff\r\n\t\u2028 ]]> <!-- &amp; 😀", "\x02\ufffe": "</Resource>"}
    soap(acme, "insertRecord", Uuid="one", Data=base64_of(document), Flow="intake")
    assert json.loads(soap(acme, "getRecord", Uuid="one").resource) == document
    assert rest(acme, "GET", "/v1/record/one").json()["resource"]["data_record"] == document
    source = json.dumps({"type": "object", "title": "\ufffe\uffff é"}, ensure_ascii=False)
    soap(acme, "insertSchema", Schema=base64_of(source), DataRecord=base64_of({}))
    updated = soap(acme, "updateSchema", Schema=base64_of(source), DataRecord=base64_of({}))
    assert json.loads(updated.resource) == json.loads(source)


def test_the_schema_is_one(acme: Tenant) -> None:
    given = {"Schema": base64_of({"type": "object", "required": ["a"]}), "DataRecord": base64_of({"a": 1})}
    soap(acme, "insertSchema", **given)
    refused = rest(acme, "POST", "/v1/record?flow=intake", {})
    assert refused.json()["error"]["message"] == "The data record does not fit the schema."
    assert rest(acme, "DELETE", "/v1/schema").status_code == 200
    assert soap(acme, "getSchema").fault == ("404", "There is no data schema.")


# --- Refusals: what REST does, what SOAP does, and which fault both must have -------------------------------------


def in_use(acme: Tenant) -> None:
    rest(acme, "POST", "/v1/record?flow=intake&uuid=busy", {})
    later = timezone.now() + timedelta(minutes=5)
    Record.objects.filter(uuid="busy").update(status=Status.PROCESSING, wake_at=later)


def with_schema(acme: Tenant) -> None:
    schema = base64_of({"type": "object", "properties": {"age": {"type": "integer"}}})
    create_schema(acme.caller, url="", schema=schema, data_record=base64_of({}))


def with_record(acme: Tenant) -> None:
    rest(acme, "POST", "/v1/record?flow=intake&uuid=taken", {})


def with_draft(acme: Tenant) -> None:
    flows.create_flow(acme.caller, name="draft")


def nothing(acme: Tenant) -> None:
    """No need of anything."""


SCHEMA_BODY = {"url": "http://a.example/", "schema": base64_of({"type": "x"}), "data_record": base64_of({})}
SCHEMA_TEXTS = {"Schema": base64_of({"type": "x"}), "DataRecord": base64_of({})}
EMPTY, TWO = base64_of({}), base64_of([{}, {}])
MISFIT, ONE_MISFIT = base64_of({"age": "x"}), base64_of([{}, {"age": "x"}])
INTAKE = {"Flow": "intake"}
INSERT = "/v1/record?flow=intake"
COMMITS = pytest.mark.django_db(transaction=True)
REFUSALS: list[Any] = [
    pytest.param(
        with_record,
        ("POST", f"{INSERT}&uuid=taken", {}),
        ("insertRecord", INTAKE | {"Uuid": "taken", "Data": EMPTY}),
        marks=COMMITS,
    ),
    (with_schema, ("POST", INSERT, {"age": "x"}), ("insertRecord", INTAKE | {"Data": MISFIT})),
    (with_schema, ("POST", INSERT, [{}, {"age": "x"}]), ("insertRecord", INTAKE | {"Data": ONE_MISFIT})),
    (nothing, ("POST", INSERT, 5), ("insertRecord", INTAKE | {"Data": base64_of(5)})),
    (nothing, ("POST", INSERT, []), ("insertRecord", INTAKE | {"Data": base64_of([])})),
    (nothing, ("POST", f"{INSERT}&uuid=a", [{}, {}]), ("insertRecord", INTAKE | {"Uuid": "a", "Data": TWO})),
    (nothing, ("POST", f"{INSERT}&uuid=a b", {}), ("insertRecord", INTAKE | {"Uuid": "a b", "Data": EMPTY})),
    (nothing, ("POST", "/v1/record?flow=nope", {}), ("insertRecord", {"Flow": "nope", "Data": EMPTY})),
    (nothing, ("POST", "/v1/record?flow_id=x", {}), ("insertRecord", {"FlowId": "x", "Data": EMPTY})),
    (nothing, ("POST", "/v1/record", {}), ("insertRecord", {"Data": EMPTY})),
    (with_draft, ("POST", "/v1/record?flow=draft", {}), ("insertRecord", {"Flow": "draft", "Data": EMPTY})),
    (nothing, ("GET", "/v1/record/nope"), ("getRecord", {"Uuid": "nope"})),
    (nothing, ("PUT", "/v1/record/nope", {}), ("updateRecord", {"Uuid": "nope", "Data": EMPTY})),
    (with_record, ("PUT", "/v1/record/taken", [{}, {}]), ("updateRecord", {"Uuid": "taken", "Data": TWO})),
    (in_use, ("PUT", "/v1/record/busy", {}), ("updateRecord", {"Uuid": "busy", "Data": EMPTY})),
    (in_use, ("DELETE", "/v1/record/busy"), ("deleteRecord", {"Uuid": "busy"})),
    (nothing, ("DELETE", "/v1/record/nope"), ("deleteRecord", {"Uuid": "nope"})),
    (nothing, ("GET", "/v1/flowdiagram?flow=nope"), ("getFlowDiagram", {"Flow": "nope"})),
    (nothing, ("GET", "/v1/flowdiagram"), ("getFlowDiagram", {})),
    (nothing, ("PUT", "/v1/changeflowstatus?flow=intake&status=off"), ("changeFlowStatus", INTAKE | {"Status": "off"})),
    (
        with_draft,
        ("PUT", "/v1/changeflowstatus?flow=draft&status=paused"),
        ("changeFlowStatus", {"Flow": "draft", "Status": "paused"}),
    ),
    (nothing, ("GET", "/v1/schema"), ("getSchema", {})),
    (nothing, ("DELETE", "/v1/schema"), ("deleteSchema", {})),
    (nothing, ("POST", "/v1/schema", SCHEMA_BODY), ("insertSchema", SCHEMA_TEXTS)),
    (
        with_schema,
        ("POST", "/v1/schema", SCHEMA_BODY | {"schema": EMPTY}),
        ("insertSchema", SCHEMA_TEXTS | {"Schema": EMPTY}),
    ),
    (
        nothing,
        ("PUT", "/v1/schema", SCHEMA_BODY | {"schema": EMPTY}),
        ("updateSchema", SCHEMA_TEXTS | {"Schema": EMPTY}),
    ),
]


@pytest.mark.parametrize(
    ("prepare", "by_rest", "by_soap"), REFUSALS, ids=lambda item: item[0] if isinstance(item, tuple) else ""
)
def test_refusals_have_the_same_codes_and_texts(
    acme: Tenant, prepare: Any, by_rest: tuple[Any, ...], by_soap: tuple[str, dict[str, str]]
) -> None:
    prepare(acme)
    before = (Record.objects.count(), list(RecordData.objects.values("data")))
    error = rest(acme, *by_rest).json()["error"]
    operation, texts = by_soap
    answer = soap(acme, operation, **texts)
    assert answer.status == 500
    assert answer.fault == (str(error["code"]), error["message"])
    details = {key.removeprefix("details"): text for key, text in answer.items.items() if key.startswith("details")}
    assert list(details.values()) == [detail["message"] for detail in error.get("details", [])]
    assert [key.strip("/") for key in details] == [detail["path"].strip("/") for detail in error.get("details", [])]
    assert (Record.objects.count(), list(RecordData.objects.values("data"))) == before


def test_a_document_that_is_no_json_is_named(acme: Tenant) -> None:
    for data, text in [
        ("***", "Data is not the base64 of a JSON document."),
        ("", "Data is missing."),
        (base64_of("hello"), "Data: Not valid JSON: Expecting value at line 1, column 1."),
        (base64_of('{"a":1,"a":2}'), "Data: The key 'a' is given twice."),
        (base64_of('{"a":NaN}'), "Data: /a: NaN is no JSON number."),
        (
            base64_of("[" * 200 + "]" * 200),
            "Data: " + "/0" * 100 + ": The document is nested more than 100 levels deep.",
        ),
        ("/w==", "Data: The document is not UTF-8: byte 1 cannot be read."),
    ]:
        assert soap(acme, "insertRecord", Flow="intake", Data=data).fault == ("400", text)
    assert not Record.objects.exists()


def test_dates_are_named(acme: Tenant) -> None:
    refused = soap(acme, "insertRecord", Flow="intake", Data=base64_of({}), ExecutionTime="tomorrow")
    assert refused.fault[1].startswith("ExecutionTime is not a date in ATOM format")


@pytest.mark.parametrize("operation", ["getRecord", "updateRecord", "deleteRecord"])
def test_a_call_for_a_record_names_one(acme: Tenant, operation: str) -> None:
    assert soap(acme, operation, Data=base64_of({})).fault == ("400", "Uuid is missing.")


def test_an_address_of_a_schema_may_be_left_out_but_not_be_endless(acme: Tenant) -> None:
    given = {"Schema": base64_of({}), "DataRecord": base64_of({})}
    refused = soap(acme, "insertSchema", Url="x" * 2049, **given)
    assert refused.fault == ("400", "The url is longer than 2048 characters.")
    assert soap(acme, "insertSchema", **given).members["Code"] == "201"
