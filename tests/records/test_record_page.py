"""The page of one record: where it stands and why, and its trace in pages."""

import re
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from apps.accounts.models import Role
from apps.records.admin.page import STEPS_A_PAGE, span
from apps.records.models import Hold, Listener, Record, RecordData, RecordStep, Status
from apps.records.services import create_records
from apps.webhooks.models import Webhook
from tests.conftest import Tenant
from tests.members import person, signed_in


@pytest.fixture
def viewer(acme: Tenant) -> Client:
    """A viewer of Acme."""
    return signed_in(person("vi", acme=Role.VIEWER))


@pytest.fixture
def record(acme: Tenant) -> Record:
    """A record of Acme's that has not run."""
    made = create_records(acme.caller, [{"n": 1}], flow_name="intake")
    return Record.objects.get(uuid=made[0].uuid)


def page(client: Client, record: Record, query: str = "") -> Any:
    response = client.get(f"/admin/records/record/{record.pk}/change/{query}")
    assert response.status_code == 200
    return response


def standing(client: Client, record: Record) -> dict[str, str]:
    return dict(page(client, record).context["standing"])


def change(record: Record, **changes: Any) -> None:
    Record.objects.filter(pk=record.pk).update(**changes)


def steps(record: Record, count: int, **changes: Any) -> None:
    base = {"record": record, "run_no": 1, "attempt": 1, "object": "adult", "type": "decision", "ms": 5, "port": "yes"}
    base |= {"started_at": timezone.now()} | changes
    RecordStep.objects.bulk_create(RecordStep(**base, seq=number) for number in range(1, count + 1))


def test_a_record_that_is_due(record: Record, viewer: Client) -> None:
    change(record, wake_at=timezone.now() - timedelta(hours=2, minutes=5, seconds=40))
    found = standing(viewer, record)
    assert found["Queue"] == "New"
    assert found["Due"].endswith("(2 h 5 min ago)")


def test_a_record_in_a_workers_hands(record: Record, viewer: Client) -> None:
    change(
        record,
        status=Status.PROCESSING,
        leased_by="machine:7",
        claims=2,
        wake_at=timezone.now() + timedelta(seconds=25.5),
    )
    found = standing(viewer, record)
    assert found["Queue"] == "Processing"
    assert "(in 2" in found["Lease"]
    assert (found["Worker"], found["Claims without progress"]) == ("machine:7", "2")


def test_a_lease_that_has_run_out(record: Record, viewer: Client) -> None:
    change(record, status=Status.PROCESSING, leased_by="machine:7", wake_at=timezone.now() - timedelta(seconds=90))
    assert re.search(r"\(1 min \d+ s ago\)$", standing(viewer, record)["Lease"])


def test_a_record_that_waits(record: Record, viewer: Client) -> None:
    now = timezone.now()
    change(
        record,
        at="adult",
        status=Status.SCHEDULED,
        entered_at=now - timedelta(days=1, hours=1, minutes=30),
        wake_at=now + timedelta(days=3),
    )
    found = standing(viewer, record)
    assert found["At this object since"].endswith("(1 d 1 h)")
    assert "(in 3 d)" in found["Due"]


def test_a_paused_record_keeps_its_date(record: Record, viewer: Client) -> None:
    change(record, hold=Hold.PAUSED, wake_at=None, saved_wake_at=timezone.now())
    found = standing(viewer, record)
    assert found["Queue"] == "Paused"
    assert "Due before the pause" in found
    assert "Due" not in found


def test_a_long_trace_comes_in_pages_the_last_one_first(record: Record, viewer: Client) -> None:
    steps(record, 2 * STEPS_A_PAGE + 3)

    def shown(query: str) -> tuple[int, int]:
        found = [line["step"].seq for line in page(viewer, record, query).context["steps"]]
        return found[0], found[-1]

    assert shown("") == (101, 103)
    assert shown("?steps=1") == (1, 50)
    assert shown("?steps=2") == (51, 100)
    assert shown("?steps=99") == (101, 103)
    assert shown("?steps=x%00") == (1, 50)
    html = page(viewer, record, "?steps=2").content.decode()
    assert "Page 2 of 3" in html
    assert "steps 51 to 100 of 103" in html
    for number in (1, 3):
        assert f'href="?steps={number}#trace"' in html


def test_a_short_trace_has_no_pages(record: Record, viewer: Client) -> None:
    steps(record, 3)
    assert "Pages of the trace" not in page(viewer, record).content.decode()


def test_what_a_step_shows(record: Record, viewer: Client) -> None:
    error = {"code": "timeout", "message": "<b>late</b>"}
    steps(record, 1, error=error, output={"a": "<i>"}, ms=61_000)
    (line,) = page(viewer, record).context["steps"]
    assert (line["took"], line["error"], line["waited"]) == ("1 min 1 s", "timeout: <b>late</b>", False)
    assert '"when": "client.age >= 18"' in line["settings"]
    html = page(viewer, record).content.decode()
    assert "timeout: &lt;b&gt;late&lt;/b&gt;" in html
    assert "&quot;&lt;i&gt;&quot;" in html


def test_steps_of_an_earlier_run_have_no_settings_of_this_flow(record: Record, viewer: Client) -> None:
    """They may have been made in another flow."""
    steps(record, 1)
    change(record, run_no=2)
    (line,) = page(viewer, record).context["steps"]
    assert line["settings"] == ""


def test_waits_are_told_from_work(record: Record, viewer: Client) -> None:
    steps(record, 1, type="wait", ms=90_061_000)
    (line,) = page(viewer, record).context["steps"]
    assert (line["took"], line["waited"]) == ("1 d 1 h", True)


def test_the_document_before_and_after(record: Record, viewer: Client) -> None:
    assert "Document before" not in page(viewer, record).content.decode()
    RecordData.objects.filter(record=record).update(data={"n": 2}, input={"n": 1})
    response = page(viewer, record)
    assert (response.context["input"], response.context["document"]) == ('{\n  "n": 1\n}', '{\n  "n": 2\n}')
    assert "Document before the flow changed it" in response.content.decode()


def test_an_empty_trace(record: Record, viewer: Client) -> None:
    assert "has not passed any object yet" in page(viewer, record).content.decode()


def test_the_page_asks_few_questions(record: Record, viewer: Client, django_assert_max_num_queries: Any) -> None:
    steps(record, 120)
    with django_assert_max_num_queries(16):
        page(viewer, record)


@pytest.mark.parametrize(
    ("length", "text"),
    [
        (timedelta(), "0 ms"),
        (timedelta(milliseconds=7), "7 ms"),
        (timedelta(seconds=1.25), "1.2 s"),
        (timedelta(seconds=60), "1 min"),
        (timedelta(minutes=61), "1 h 1 min"),
        (timedelta(hours=48, seconds=5), "2 d"),
        (timedelta(days=400, hours=3), "400 d 3 h"),
    ],
)
def test_lengths_of_time_as_people_say_them(length: timedelta, text: str) -> None:
    assert span(length) == text


def test_the_records_around_one(acme: Tenant, record: Record, viewer: Client) -> None:
    assert "Other records" not in page(viewer, record).content.decode()
    made = create_records(acme.caller, [{"n": n} for n in range(22)], flow_name="intake")
    children = Record.objects.filter(uuid__in=[one.uuid for one in made]).order_by("-pk")
    children.update(parent=record, depth=1)
    response = page(viewer, record)
    assert [child.pk for child in response.context["children"]] == [child.pk for child in children[:20]]
    assert "The newest 20 are shown." in response.content.decode()
    assert page(viewer, children[0]).context["parent"] == record


def test_a_record_of_others_is_not_named(record: Record, rival: Tenant, viewer: Client) -> None:
    theirs = Record.objects.get(uuid=create_records(rival.caller, [{}], flow_name="intake")[0].uuid)
    change(record, parent=theirs)
    Record.objects.filter(pk=theirs.pk).update(parent=record)
    response = page(viewer, record)
    assert (response.context["parent"], response.context["children"]) == (None, [])
    assert theirs.uuid not in response.content.decode()


def test_what_a_held_record_listens_to(acme: Tenant, record: Record, viewer: Client) -> None:
    webhook = Webhook.objects.create(workspace=acme.workspace, name="payments", uri_hash="x")
    change(record, hold=Hold.WAITING, wake_at=None)
    listener = Listener.objects.create(record=record, run_no=1, seq=0, webhook=webhook, identifier="A-17")
    assert page(viewer, record).context["listens"]["what"] == "an event of payments with the identifier A-17"
    webhook.delete()
    assert "a webhook that is gone" in page(viewer, record).context["listens"]["what"]
    child = Record.objects.get(uuid=create_records(acme.caller, [{}], flow_name="intake")[0].uuid)
    Listener.objects.filter(pk=listener.pk).update(webhook=None, child=child)
    assert page(viewer, record).context["listens"] == {"what": "the end of", "child": child}
    change(record, seq=5)
    assert page(viewer, record).context["listens"] is None
