"""``/v1/record`` as callers meet it: exact bodies, and what is refused."""

import json
import threading
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import connection, connections
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from apps.applications.authentication import forget_credentials
from apps.flows import services as flows
from apps.records.models import Record, RecordData, Status
from tests.conftest import STRAIGHT_FLOW, publish

DOCUMENT = {"client": {"age": 30, "name": "Fietsen BV"}}


def post(client: Client, tenant: Any, body: Any, path: str = "/v1/record", **named: str) -> Any:
    headers = {"X-Flow": "intake"} | {name.replace("_", "-"): value for name, value in named.items()}
    return client.post(path, json.dumps(body), "application/json", headers=tenant.headers | headers)


def get(client: Client, tenant: Any, uuid: str) -> Any:
    return client.get(f"/v1/record/{uuid}", headers=tenant.headers)


def message_of(response: Any) -> tuple[int, str]:
    return response.status_code, response.json()["error"]["message"]


def test_insert_answers_the_record_in_the_envelope(client: Client, acme: Any) -> None:
    response = post(client, acme, DOCUMENT, X_Uuid="order-1")
    assert response.status_code == 201
    assert response.json() == {
        "id": "created",
        "code": 201,
        "request-ip": "127.0.0.1",
        "resource": {
            "flow_id": str(acme.flow.pk),
            "flow_name": "intake",
            "data_record_id": "order-1",
            "data_record": DOCUMENT,
        },
        "message": "Data Record is created successfully",
        "error": None,
    }
    record = Record.objects.get(uuid="order-1")
    assert (record.workspace_id, record.application_id) == (acme.workspace.pk, acme.keys.pk)
    assert (record.status, record.num_runs, record.content.data) == (Status.NOT_RUNNING, 0, DOCUMENT)


def test_array_is_stored_in_order(client: Client, acme: Any) -> None:
    bodies = [{"client": {"age": age}} for age in range(20)]
    resource = post(client, acme, bodies).json()["resource"]
    assert [row["data_record"]["client"]["age"] for row in resource] == list(range(20))
    stored = Record.objects.order_by("id").values_list("uuid", flat=True)
    assert [row["data_record_id"] for row in resource] == list(stored)


def test_array_is_stored_whole_or_not_at_all(client: Client, acme: Any) -> None:
    response = post(client, acme, [DOCUMENT, "no object", DOCUMENT])
    assert message_of(response) == (400, "Data record 1 is no object.")
    assert not Record.objects.exists()


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ([], "The body holds no data record."),
        ([{}] * 1001, "One call takes at most 1000 data records."),
        ("text", "A data record is an object."),
        (None, "A data record is an object."),
    ],
)
def test_bodies_that_are_no_records(client: Client, acme: Any, body: Any, message: str) -> None:
    assert message_of(post(client, acme, body)) == (400, message)
    assert not Record.objects.exists()


@pytest.mark.parametrize("raw", ["{", '{"a": NaN}', '{"a": 1, "a": 2}', '{"a": "\\u0000"}', "", '{"a": "\\ud800"}'])
def test_bodies_that_cannot_be_read(client: Client, acme: Any, raw: str) -> None:
    response = client.post("/v1/record", raw, "application/json", headers=acme.headers | {"X-Flow": "intake"})
    assert response.status_code == 400
    assert response.json()["error"]["code"] == 400
    assert not Record.objects.exists()


def test_body_over_the_limit(client: Client, acme: Any, settings: Any) -> None:
    settings.BODY_LIMIT = 100
    response = post(client, acme, {"client": {"age": 1, "name": "x" * 200}})
    assert message_of(response) == (413, "The request body is larger than 100 bytes.")
    assert not Record.objects.exists()


@pytest.mark.parametrize("content_type", ["text/plain", "multipart/form-data; boundary=x", "garbage;;;=", ""])
def test_content_type_that_is_not_read(client: Client, acme: Any, content_type: str) -> None:
    response = client.generic("POST", "/v1/record", "{}", content_type, headers=acme.headers | {"X-Flow": "intake"})
    assert (response.status_code, response.json()["id"]) == (415, "unsupported-media-type")
    assert not Record.objects.exists()


def test_flow_by_id_wins_over_its_name(client: Client, acme: Any) -> None:
    other = publish(acme, STRAIGHT_FLOW, "other")
    response = post(client, acme, DOCUMENT, X_Flow_Id=str(other.pk))
    assert response.json()["resource"]["flow_name"] == "other"


def test_default_flow_of_the_application(client: Client, acme: Any) -> None:
    without = client.post("/v1/record", "{}", "application/json", headers=acme.headers)
    assert message_of(without) == (400, "Name the flow: X-Flow or X-Flow-Id is missing.")
    acme.keys.default_flow = "intake"
    acme.keys.save()
    forget_credentials()
    response = client.post("/v1/record", "{}", "application/json", headers=acme.headers)
    assert response.json()["resource"]["flow_name"] == "intake"


def test_flow_that_does_not_exist_or_is_somebody_elses(client: Client, acme: Any, rival: Any) -> None:
    assert message_of(post(client, acme, DOCUMENT, X_Flow="nope")) == (404, "There is no such flow.")
    foreign = post(client, acme, DOCUMENT, X_Flow_Id=str(rival.flow.pk))
    assert message_of(foreign) == (404, "There is no such flow.")
    assert message_of(post(client, acme, DOCUMENT, X_Flow_Id="abc")) == (400, "The flow id must be a number.")


def test_paused_flow_takes_records_and_others_do_not(client: Client, acme: Any) -> None:
    flows.create_flow(acme.caller, name="draft")
    assert message_of(post(client, acme, DOCUMENT, X_Flow="draft")) == (
        409,
        "The flow draft takes no data records: it is draft.",
    )
    flows.change_status(acme.caller, acme.flow, "paused")
    assert post(client, acme, DOCUMENT).status_code == 201
    flows.change_status(acme.caller, acme.flow, "inactive")
    assert message_of(post(client, acme, DOCUMENT)) == (409, "The flow intake takes no data records: it is inactive.")


@pytest.mark.django_db(transaction=True)
def test_uuid_is_one_in_a_workspace(client: Client, acme: Any, rival: Any) -> None:
    assert post(client, acme, DOCUMENT, X_Uuid="same").status_code == 201
    again = post(client, acme, {"client": {"age": 99}}, X_Uuid="same")
    assert message_of(again) == (409, "The uuid is taken by another data record.")
    assert post(client, rival, DOCUMENT, X_Uuid="same").status_code == 201
    assert RecordData.objects.filter(data=DOCUMENT).count() == 2


@pytest.mark.parametrize("uuid", ["a b", "x" * 129, "search", "a/b", "\xad"])
def test_uuids_that_are_refused(client: Client, acme: Any, uuid: str) -> None:
    assert post(client, acme, DOCUMENT, X_Uuid=uuid).status_code == 400
    assert not Record.objects.exists()


def test_uuid_names_a_single_record(client: Client, acme: Any) -> None:
    response = post(client, acme, [DOCUMENT, DOCUMENT], X_Uuid="one")
    assert message_of(response) == (400, "X-Uuid names a single data record, the body holds several.")


@pytest.mark.parametrize("name", ["executiontime", "realtime"])
def test_execution_time_in_the_url(client: Client, acme: Any, name: str) -> None:
    moment = (timezone.now() + timedelta(hours=1)).isoformat().replace("+00:00", "Z")
    response = post(client, acme, DOCUMENT, path=f"/v1/record?{name}={moment}&uuid=later")
    assert response.status_code == 201
    record = Record.objects.get(uuid="later")
    assert (record.status, record.wake_at) == (Status.SCHEDULED, datetime.fromisoformat(moment))
    assert get(client, acme, "later").json()["resource"]["info"]["status"] == "Scheduled"


def test_execution_time_that_is_past_or_empty_means_now(client: Client, acme: Any) -> None:
    for uuid, moment in {"past": "2009-11-04T19:55:41Z", "empty": ""}.items():
        assert post(client, acme, DOCUMENT, X_Uuid=uuid, X_Executiontime=moment).status_code == 201
        record = Record.objects.get(uuid=uuid)
        assert record.status == Status.NOT_RUNNING
        assert record.wake_at == record.date_created


@pytest.mark.parametrize("moment", ["tomorrow", "2026-01-01", "2026-01-01T10:00:00", "0001-01-01T00:00:00+23:00"])
def test_execution_time_that_is_no_date(client: Client, acme: Any, moment: str) -> None:
    status, message = message_of(post(client, acme, DOCUMENT, X_Executiontime=moment))
    assert (status, message.split(" is ")[0]) == (400, "X-Executiontime")
    assert not Record.objects.exists()


def test_get_answers_document_dates_and_an_empty_trace(client: Client, acme: Any) -> None:
    post(client, acme, DOCUMENT, X_Uuid="order-1")
    Record.objects.update(date_created=datetime.fromisoformat("2026-01-15T11:00:00Z"))
    body = get(client, acme, "order-1").json()
    assert body["message"] == "Data Record structure was retrieving successfully"
    assert body["resource"] == {
        "info": {
            "uuid": "order-1",
            "customer_id": str(acme.project.pk),
            "flow_id": str(acme.flow.pk),
            "date_created": "2026-01-15 12:00:00",
            "status": "Not running",
        },
        "data_record": DOCUMENT,
        "flow_process": {"date_started": "", "date_last_run": ""},
        "flow_objects_info": [],
    }


def test_get_by_header_by_parameter_by_path_and_with_a_slash(client: Client, acme: Any) -> None:
    post(client, acme, DOCUMENT, X_Uuid="order-1")
    for path, headers in [
        ("/v1/record", {"X-Uuid": "order-1"}),
        ("/v1/record", {"uuid": "order-1"}),
        ("/v1/record/", {"X-Uuid": "order-1"}),
        ("/v1/record?uuid=order-1", {}),
        ("/v1/record/order-1", {"X-Uuid": "order-1"}),
        ("/v1/record/order-1/", {}),
    ]:
        assert client.get(path, headers=acme.headers | headers).status_code == 200, path
    differing = client.get("/v1/record/order-1", headers=acme.headers | {"X-Uuid": "order-2"})
    assert message_of(differing) == (400, "The path and X-Uuid name different data records.")
    assert message_of(client.get("/v1/record", headers=acme.headers)) == (400, "X-Uuid is missing.")


def test_head_has_the_headers_of_get_and_no_body(client: Client, acme: Any) -> None:
    post(client, acme, DOCUMENT, X_Uuid="order-1")
    response = client.head("/v1/record/order-1", headers=acme.headers)
    assert (response.status_code, response.content) == (200, b"")


def test_record_of_another_tenant_is_as_absent_as_an_unknown_one(client: Client, acme: Any, rival: Any) -> None:
    post(client, rival, DOCUMENT, X_Uuid="theirs")
    foreign, unknown = get(client, acme, "theirs"), get(client, acme, "nobodys")
    assert (foreign.status_code, foreign.json()) == (404, unknown.json())


@pytest.mark.django_db(transaction=True)
def test_of_twenty_inserts_with_one_uuid_at_once_one_is_stored(acme: Any) -> None:
    statuses: list[int] = []

    def insert() -> None:
        statuses.append(post(Client(), acme, DOCUMENT, X_Uuid="race").status_code)
        connections.close_all()

    threads = [threading.Thread(target=insert) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(statuses) == [201] + [409] * 19
    assert Record.objects.count() == RecordData.objects.count() == 1


def statements(act: Any) -> int:
    with CaptureQueriesContext(connection) as captured:
        act()
    return len(captured)


@pytest.mark.django_db(transaction=True)
def test_single_insert_takes_four_statements_all_in_and_three_when_the_key_is_known(client: Client, acme: Any) -> None:
    assert statements(lambda: post(client, acme, DOCUMENT)) == 4
    assert statements(lambda: post(client, acme, DOCUMENT)) == 3
    assert Record.objects.count() == 2


@pytest.mark.django_db(transaction=True)
def test_array_of_a_thousand_takes_as_many_statements_as_an_array_of_one(client: Client, acme: Any) -> None:
    post(client, acme, DOCUMENT)
    assert statements(lambda: post(client, acme, [DOCUMENT])) == 3
    assert statements(lambda: post(client, acme, [DOCUMENT] * 1000)) == 3
    assert Record.objects.count() == 1002


@pytest.mark.django_db(transaction=True)
def test_get_takes_two_statements(client: Client, acme: Any) -> None:
    post(client, acme, DOCUMENT, X_Uuid="order-1")
    assert statements(lambda: get(client, acme, "order-1")) == 2
