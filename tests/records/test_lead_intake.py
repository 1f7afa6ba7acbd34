"""A whole flow of leads against a real service and a real mail server: every way a lead can take."""

import copy
import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from apps.contents.models import Template
from apps.flows.connections import save_connection
from apps.flows.models import Connection
from apps.records.execution import drain
from apps.records.life_cycle import Act
from apps.records.models import Record, Status
from apps.records.queueing import change_queue
from apps.schemas.models import Schema
from tests.conftest import Tenant, publish
from tests.core.smtp import Catcher, catching
from tests.flows.engine.test_lead_intake import LEADS
from tests.keystores.conftest import fill, make_keystore
from tests.records.conftest import Answer, Sink, flow_of, insert, make_due, steps

pytestmark = pytest.mark.django_db(transaction=True)

SCHEMA = {
    "$schema": "http://json-schema.org/draft-04/schema#",
    "type": "object",
    "properties": {"client": {"type": "object", "required": ["name"]}},
    "required": ["client"],
}
ADA = {"client": {"name": "Ada", "age": 36, "country": "NL", "email": "ada@example.com"}}
MARK = {"type": "set", "set": {"archived": True}, "next": {"ok": "end"}}


@pytest.fixture
def catcher(settings: Any) -> Iterator[Catcher]:
    """The mail server that the installation uses."""
    with catching() as catcher:
        settings.EMAIL_BACKEND = "apps.core.mail.Backend"
        settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", catcher.port
        settings.DEFAULT_FROM_EMAIL = "Flowize <flows@example.org>"
        yield catcher


@pytest.fixture
def leads(acme: Tenant, sink: Sink, catcher: Catcher) -> Tenant:
    """Acme with the flow of leads running, and everything that it names."""
    workspace = acme.workspace
    origin = sink.url.removesuffix("/leads")
    fill(make_keystore(acme, "crm", structure={}), main={"endpoint": origin})
    save_connection(acme.caller, Connection(name="crm", base_url=origin, kind="bearer"), "crm-token")
    Template.objects.create(workspace=workspace, name="welcome", subject="Welcome", text="Hello {{ client.name }}")
    Template.objects.create(workspace=workspace, name="crm_down", subject="CRM", text="{{ system.error.code }}")
    publish(acme, flow_of("archive_lead", mark=MARK))
    publish(acme, flow_of("lead_intake_be", mark={**MARK, "set": {"belgian": True}}))
    publish(acme, copy.deepcopy(LEADS))
    return acme


def lead(tenant: Tenant, **changes: Any) -> Record:
    """A lead that has gone as far as it goes without anybody."""
    record = insert(tenant, {"client": ADA["client"] | changes}, flow="lead_intake")
    drain()
    record.refresh_from_db()
    return record


def test_a_dutch_lead_is_created_waited_for_and_welcomed(leads: Tenant, sink: Sink, catcher: Catcher) -> None:
    record = lead(leads)
    (call,) = sink.received
    assert (call.method, call.path, json.loads(call.body)) == ("POST", "/leads", {"name": "Ada"})
    assert call.headers["authorization"] == "Bearer crm-token"
    assert call.headers["idempotency-key"] == f"{record.uuid}:1:4"
    assert (record.status, record.at, catcher.mails) == (Status.SCHEDULED, "pause", [])
    due = record.wake_at.astimezone(ZoneInfo("Europe/Amsterdam"))
    assert (due.hour, due.minute) == (9, 0)
    assert timedelta(days=2) <= record.wake_at - record.date_started < timedelta(days=3, minutes=1)
    make_due(record)
    drain()
    record.refresh_from_db()
    assert record.status == Status.FINISHED
    (mail,) = catcher.mails
    assert mail.recipients == ["ada@example.com"]
    assert mail.message.get_content().strip() == "Hello Ada"
    assert steps(record) == [
        (1, 1, "start", "ok"),
        (2, 1, "check", "ok"),
        (3, 1, "adult", "nl"),
        (4, 1, "crm", "ok"),
        (5, 1, "pause", "ok"),
        (6, 1, "welcome", "ok"),
        (7, 1, "end", ""),
    ]
    assert len(sink.received) == 1


def test_a_service_that_is_down_is_tried_again_told_of_and_taken_up_by_a_person(
    leads: Tenant, sink: Sink, catcher: Catcher
) -> None:
    sink.answer = Answer(status=503)
    record = lead(leads)
    for _ in range(5):
        assert record.status == Status.SCHEDULED
        make_due(record)
        drain()
        record.refresh_from_db()
    assert len(sink.received) == 6
    assert len(set(sink.keys)) == 1
    assert (record.at, catcher.mails[0].recipients) == ("hold", ["ops@example.com"])
    assert catcher.mails[0].message.get_content().strip() == "http.503"
    sink.answer = Answer(status=201)
    change_queue(leads.caller, Act.EXECUTE, [record.uuid])
    drain()
    make_due(record)
    drain()
    record.refresh_from_db()
    assert (record.status, len(sink.received), len(catcher.mails)) == (Status.HANDLED, 7, 2)


def test_a_belgian_lead_moves_and_keeps_its_uuid(leads: Tenant, sink: Sink) -> None:
    record = lead(leads, country="BE")
    drain()
    record.refresh_from_db()
    assert (record.flow.name, record.status, record.content.data["belgian"]) == (
        "lead_intake_be",
        Status.FINISHED,
        True,
    )
    assert sink.received == []


@pytest.mark.parametrize("changes", [{"age": 17}, {"country": "DE"}])
def test_other_leads_are_archived_as_records_of_their_own(leads: Tenant, sink: Sink, changes: dict[str, Any]) -> None:
    record = lead(leads, **changes)
    drain()
    assert record.status == Status.FINISHED
    archived = Record.objects.get(flow__name="archive_lead")
    assert (archived.status, archived.content.data["archived"]) == (Status.FINISHED, True)
    assert archived.content.data["client"] == record.content.data["client"]
    assert sink.received == []


def test_a_lead_that_does_not_fit_the_schema_any_more_is_rejected(leads: Tenant, sink: Sink) -> None:
    record = insert(leads, {"client": {"age": 30}}, flow="lead_intake")
    Schema.objects.create(workspace=leads.workspace, source=json.dumps(SCHEMA), sample=json.dumps(ADA))
    drain()
    record.refresh_from_db()
    assert (2, 1, "check", "invalid") in steps(record)
    assert Record.objects.filter(flow__name="archive_lead").count() == 1
    assert sink.received == []
