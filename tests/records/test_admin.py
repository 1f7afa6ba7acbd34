"""The list of records, the page of one, and the overview."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from apps.accounts.models import Role
from apps.core.admin import paginator
from apps.records.execution import drain
from apps.records.models import Record, Status
from apps.records.services import create_records
from tests.conftest import Tenant
from tests.members import person, signed_in, superuser

LIST = "/admin/records/record/"


@pytest.fixture
def viewer(acme: Tenant) -> Client:
    """Somebody who reads Acme's records."""
    return signed_in(person("vi", acme=Role.VIEWER))


def insert(tenant: Tenant, count: int = 1, **options: Any) -> list[Record]:
    """Records of ``tenant`` in its flow."""
    made = create_records(tenant.caller, [{"client": {"age": 30}}] * count, flow_name="intake", **options)
    return list(Record.objects.filter(uuid__in=[record.uuid for record in made]).order_by("pk"))


def listed(client: Client, query: str = "") -> list[str]:
    """The uuids on a page of the list."""
    return [record.uuid for record in client.get(LIST + query).context["cl"].result_list]


def test_the_newest_records_come_first(acme: Tenant, viewer: Client) -> None:
    uuids = [insert(acme, uuid=f"r{number}")[0].uuid for number in range(3)]
    assert listed(viewer) == uuids[::-1]


def test_the_list_is_read_in_as_many_statements_whatever_its_length(acme: Tenant, viewer: Client) -> None:
    counts = []
    for size in (1, 30):
        insert(acme, size)
        with CaptureQueriesContext(
            connection,
        ) as queries:
            viewer.get(LIST)
        counts.append(len(queries))
    assert counts[0] == counts[1]


def test_the_list_is_filtered_by_flow_and_status(acme: Tenant, viewer: Client) -> None:
    failed, new = insert(acme, 2)
    Record.objects.filter(pk=failed.pk).update(status=Status.FAILED)
    assert listed(viewer, f"?status__exact={Status.FAILED.value}") == [failed.uuid]
    assert set(listed(viewer, f"?flow__id__exact={acme.flow.pk}")) == {failed.uuid, new.uuid}
    assert listed(viewer, f"?flow__id__exact={acme.flow.pk + 1000}") == []


def test_the_search_finds_the_whole_uuid_only(acme: Tenant, rival: Tenant, viewer: Client) -> None:
    insert(acme, uuid="order-1")
    insert(rival, uuid="order-2")
    assert listed(viewer, "?q=order-1") == ["order-1"]
    assert listed(viewer, "?q=%20order-1%20") == ["order-1"]
    assert listed(viewer, "?q=order") == []
    assert listed(viewer, "?q=order-2") == []
    assert listed(signed_in(superuser()), "?q=order-2") == ["order-2"]


def test_a_long_list_is_counted_to_its_bound_only(
    acme: Tenant, viewer: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(paginator, "MOST_COUNTED", 60)
    insert(acme, 61)
    with CaptureQueriesContext(connection) as queries:
        response = viewer.get(LIST + "?_facets=True")
    assert response.context["cl"].result_count == 60
    assert "the newest 60 of these records" in response.content.decode()
    counting = [query["sql"] for query in queries if "COUNT(" in query["sql"]]
    assert len(counting) == 1
    assert all("LIMIT 60" in sql for sql in counting)
    assert len(listed(viewer, "?p=2")) == 10
    assert viewer.get(LIST + "?p=3").status_code == 302


def test_the_page_of_a_record_shows_document_and_trace(acme: Tenant, viewer: Client) -> None:
    (record,) = insert(acme)
    drain(5)
    response = viewer.get(f"{LIST}{record.pk}/change/")
    steps = [(line["step"].object, line["step"].port, line["error"]) for line in response.context["steps"]]
    assert steps == [("start", "ok", ""), ("adult", "yes", ""), ("accept", "ok", ""), ("end", "", "")]
    assert response.context["document"] == '{\n  "client": {\n    "age": 30\n  },\n  "result": "accepted"\n}'
    assert ("Flow", "intake") in response.context["facts"]
    assert "Dates in Europe/Amsterdam" in response.content.decode()


def test_text_of_a_record_is_shown_as_text(acme: Tenant, viewer: Client) -> None:
    (record,) = insert(acme)
    Record.objects.filter(pk=record.pk).update(error_code="oops", error_text="<b onload=x>")
    record.content.data = {"name": "</pre><script>alert(1)</script>"}
    record.content.save()
    page = viewer.get(f"{LIST}{record.pk}/change/").content.decode()
    assert "<script>alert" not in page
    assert "&lt;b onload=x&gt;" in page


@pytest.mark.parametrize("role", list(Role))
def test_nobody_changes_records_here(acme: Tenant, role: Role) -> None:
    (record,) = insert(acme)
    client = signed_in(person("somebody", acme=role))
    before = Record.objects.filter(pk=record.pk).values().get()
    for path in ("add/", f"{record.pk}/change/", f"{record.pk}/delete/"):
        assert client.post(LIST + path, {"uuid": "other", "post": "yes"}).status_code == 403
    assert Record.objects.filter(pk=record.pk).values().get() == before


def test_the_overview_counts_own_rows_of_the_last_day(acme: Tenant, rival: Tenant, viewer: Client) -> None:
    failed, old, *_ = insert(acme, 4)
    insert(rival, 5)
    Record.objects.filter(pk=failed.pk).update(status=Status.FAILED)
    Record.objects.filter(pk=old.pk).update(date_created=timezone.now() - timedelta(days=2))
    context = viewer.get("/admin/").context
    assert [(card["title"], card["number"]) for card in context["cards"]] == [
        ("Projects", 1),
        ("Flows running", 1),
        ("Records", 3),
        ("Finished with errors", 1),
    ]
    assert [(row["label"], row["number"], row["percent"]) for row in context["statuses"]] == [
        ("Not running", 2, 67),
        ("Finished with errors", 1, 33),
    ]


def test_an_empty_overview_says_what_comes_next(acme: Tenant) -> None:
    owner = signed_in(person("ada", acme=Role.OWNER))
    assert "No records came in." in owner.get("/admin/").content.decode()
    assert "Draw the first flow" not in owner.get("/admin/").content.decode()
    type(acme.flow).objects.update(live_version=None)
    acme.flow.delete()
    assert "Draw the first flow" in owner.get("/admin/").content.decode()
