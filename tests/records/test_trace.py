"""What ``GET /v1/record`` tells of a record on its way."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.test import Client

from apps.records.execution import drain
from apps.records.models import Record, RecordStep
from tests.conftest import Tenant, publish
from tests.records.conftest import Answer, Sink, calling_flow, flow_of, insert

JANUARY, JULY = datetime(2026, 1, 15, 11, 0, tzinfo=UTC), datetime(2026, 7, 15, 21, 59, 58, tzinfo=UTC)
pytestmark = pytest.mark.django_db(transaction=True)


def shown(client: Client, tenant: Tenant, uuid: str = "r-1") -> dict[str, Any]:
    response = client.get(f"/v1/record/{uuid}", headers=tenant.headers)
    assert response.status_code == 200
    resource: dict[str, Any] = response.json()["resource"]
    return resource


def entry(name: str, kind: str, text: str, **more: Any) -> dict[str, Any]:
    return {
        "id": name,
        "type": kind,
        "text": text,
        "status": "Finished",
        "date_started": "2026-07-15 23:59:58",
        "date_finished": "2026-07-16 00:00:00",
        "attempt": 1,
        "error": None,
    } | more


def fix_dates() -> None:
    """Give everything dates that are known."""
    Record.objects.update(date_created=JANUARY, date_started=JULY, date_last_run=JULY + timedelta(seconds=2))
    RecordStep.objects.update(started_at=JULY, ms=2000)


def test_a_finished_record(client: Client, acme: Tenant) -> None:
    insert(acme, uuid="r-1")
    drain()
    fix_dates()
    assert shown(client, acme) == {
        "info": {
            "uuid": "r-1",
            "customer_id": str(acme.project.pk),
            "flow_id": str(acme.flow.pk),
            "date_created": "2026-01-15 12:00:00",
            "status": "Finished",
        },
        "data_record": {"client": {"age": 30}, "result": "accepted"},
        "flow_process": {"date_started": "2026-07-15 23:59:58", "date_last_run": "2026-07-16 00:00:00"},
        "flow_objects_info": [
            entry("start", "start", "start"),
            entry("adult", "decision", "Of age?"),
            entry("accept", "set", "accept"),
            entry("end", "end", "end"),
        ],
    }


def test_dates_are_those_of_the_workspaces_zone(client: Client, acme: Tenant) -> None:
    acme.workspace.time_zone = "America/New_York"
    acme.workspace.save()
    insert(acme, uuid="r-1")
    drain()
    fix_dates()
    resource = shown(client, acme)
    assert resource["info"]["date_created"] == "2026-01-15 06:00:00"
    assert resource["flow_objects_info"][0]["date_started"] == "2026-07-15 17:59:58"


def test_a_failed_record_keeps_its_error_in_the_trace(client: Client, acme: Tenant, sink: Sink) -> None:
    sink.answer = Answer(503)
    publish(acme, calling_flow(sink.url, retry={"max": 0}, text="Call the CRM"))
    insert(acme, flow="calling", uuid="r-1")
    drain()
    fix_dates()
    resource = shown(client, acme)
    assert resource["info"]["status"] == "Finished with errors"
    assert resource["flow_objects_info"] == [
        entry("start", "start", "start"),
        entry(
            "tell",
            "app",
            "Call the CRM",
            status="Failed",
            error={"code": "http.503", "message": "The service answered 503."},
        ),
    ]


def test_a_record_that_will_be_tried_again(client: Client, acme: Tenant, sink: Sink) -> None:
    sink.answer = Answer(503)
    publish(acme, calling_flow(sink.url, retry={"max": 1, "delay": "1m"}))
    insert(acme, flow="calling", uuid="r-1")
    drain()
    resource = shown(client, acme)
    assert resource["info"]["status"] == "Scheduled"
    assert [(row["id"], row["status"], row["attempt"]) for row in resource["flow_objects_info"]] == [
        ("start", "Finished", 1),
        ("tell", "Failed", 1),
    ]


def test_a_record_that_waits_shows_where(client: Client, acme: Tenant) -> None:
    pause = {"type": "wait", "for": "P2D", "text": "Two days", "next": {"ok": "end"}}
    publish(acme, flow_of("waiting", pause=pause))
    insert(acme, flow="waiting", uuid="r-1")
    drain()
    fix_dates()
    Record.objects.update(entered_at=JULY)
    resource = shown(client, acme)
    assert resource["info"]["status"] == "Scheduled"
    assert resource["flow_objects_info"] == [
        entry("start", "start", "start"),
        entry("pause", "wait", "Two days", status="Waiting", date_finished=""),
    ]


def test_a_record_held_by_a_stop_shows_where(client: Client, acme: Tenant) -> None:
    publish(acme, flow_of("stopping", hold={"type": "stop", "text": "Ask Sales", "next": {"resume": "end"}}))
    insert(acme, flow="stopping", uuid="r-1")
    drain()
    resource = shown(client, acme)
    assert resource["info"]["status"] == "Not running"
    last = resource["flow_objects_info"][-1]
    assert (last["id"], last["type"], last["text"], last["status"]) == ("hold", "stop", "Ask Sales", "Waiting")


@pytest.mark.parametrize(
    "document",
    [
        {},
        {"big": 9223372036854775807, "small": -9223372036854775808, "float": 1e300, "tiny": 5e-324, "third": 0.1},
        {"text": 'Zoë 日本 😀 \u2028 \\ " \n', "ключ": None, "": "empty key", "a/b~c": [[], {}, [[]]]},
    ],
)
def test_documents_come_back_as_they_went_in(client: Client, acme: Tenant, document: dict[str, Any]) -> None:
    insert(acme, document, uuid="r-1")
    assert shown(client, acme)["data_record"] == document
    drain()
    assert shown(client, acme)["data_record"] == document | {"result": "referred"}


@pytest.mark.parametrize("uuid", ["!~'\"", "a?b#c", "<script>", "{x}", "x" * 128, "%2541"])
def test_unusual_uuids(client: Client, acme: Tenant, uuid: str) -> None:
    insert(acme, uuid=uuid)
    response = client.get("/v1/record", headers=acme.headers | {"X-Uuid": uuid})
    assert (response.status_code, response.json()["resource"]["info"]["uuid"]) == (200, uuid)
