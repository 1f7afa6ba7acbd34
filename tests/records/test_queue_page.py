"""The page of the queue."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.utils import timezone

from apps.accounts.models import Role
from apps.flows import services
from apps.records import queue_counts
from apps.records.admin import queue
from apps.records.admin.bars import bars
from apps.records.execution import note_pulse
from apps.records.models import Hold, Record, Status
from apps.records.queue_counts import queues, runs_by_minute
from apps.records.services import create_records
from tests.conftest import Tenant
from tests.members import person, signed_in, superuser

PAGE, PART = "/admin/records/record/queue/", "/admin/records/record/queue/numbers/"


@pytest.fixture
def viewer(acme: Tenant) -> Client:
    """A viewer of Acme."""
    return signed_in(person("vi", acme=Role.VIEWER))


def insert(tenant: Tenant, count: int, **changes: Any) -> None:
    made = create_records(tenant.caller, [{}] * count, flow_name="intake")
    Record.objects.filter(uuid__in=[one.uuid for one in made]).update(**changes or {"claims": 0})


def cards(response: Any) -> dict[str, str]:
    return {card["title"]: card["number"] for card in response.context["cards"]}


def cells(response: Any) -> dict[str, list[str]]:
    return {row["queue"].name: [cell["number"] for cell in row["cells"]] for row in response.context["rows"]}


def test_the_numbers_of_ones_own_organizations(acme: Tenant, rival: Tenant, viewer: Client) -> None:
    later = timezone.now() + timedelta(days=1)
    insert(acme, 2)
    insert(acme, 3, wake_at=later, status=Status.SCHEDULED)
    insert(acme, 4, wake_at=None, hold=Hold.STOPPED)
    insert(acme, 5, wake_at=None, hold=Hold.PAUSED)
    insert(acme, 6, wake_at=None, hold=Hold.ERROR, status=Status.FAILED)
    insert(acme, 1, wake_at=later, status=Status.PROCESSING)
    insert(acme, 1, wake_at=timezone.now() - timedelta(seconds=9), status=Status.PROCESSING)
    insert(rival, 20)
    response = viewer.get(PAGE)
    assert cards(response) == {
        "Due now": "2", "Processing": "2", "Scheduled": "3", "Waiting": "4", "Paused": "5", "Failed": "6",
    }  # fmt: skip
    assert cells(response) == {"intake": ["2", "2", "3", "4", "5", "6"]}
    html = response.content.decode()
    assert "1 of them with an expired lease" in html
    assert "rival" not in html
    assert "none has been seen lately" in html


def test_the_number_of_those_that_wait_leads_to_all_of_them(acme: Tenant, viewer: Client) -> None:
    insert(acme, 2, wake_at=None, hold=Hold.STOPPED)
    insert(acme, 3, wake_at=None, hold=Hold.WAITING)
    insert(acme, 1, wake_at=None, hold=Hold.PAUSED)
    (card,) = [card for card in viewer.get(PAGE).context["cards"] if card["title"] == "Waiting"]
    assert card["number"] == "5"
    assert len(viewer.get(card["link"]).context["cl"].result_list) == 5


def test_what_is_due_in_a_flow_that_does_not_run_is_told_apart(acme: Tenant, viewer: Client) -> None:
    insert(acme, 3)
    services.change_status(acme.caller, acme.flow, "paused")
    response = viewer.get(PAGE)
    assert (cards(response)["Due now"], cards(response)["In stopped flows"]) == ("0", "3")


def test_the_part_is_what_the_page_shows(acme: Tenant, viewer: Client) -> None:
    insert(acme, 3)
    part = viewer.get(PART)
    assert "no-store" in part["Cache-Control"]
    assert "<html" not in part.content.decode()
    assert cells(part) == cells(viewer.get(PAGE)) == {"intake": ["3", "0", "0", "0", "0", "0"]}
    page = viewer.get(PAGE).content.decode()
    assert f'data-refresh="{PART}"' in page
    assert "flowize/refresh.js" in page


def test_counts_stop_at_their_bound(acme: Tenant, viewer: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(queue_counts, "MOST_COUNTED", 2)
    monkeypatch.setattr(queue, "MOST_COUNTED", 2)
    insert(acme, 4)
    insert(acme, 3, wake_at=None, hold=Hold.ERROR)
    response = viewer.get(PAGE)
    assert cells(response)["intake"] == ["2+", "0", "0", "0", "0", "2+"]
    assert cards(response)["Due now"] == "2+"


@pytest.mark.parametrize(("role", "shown"), [(Role.VIEWER, False), (Role.OPERATOR, False), (Role.DEVELOPER, True)])
def test_developers_pause_and_resume_from_here(acme: Tenant, role: Role, shown: bool) -> None:
    client = signed_in(person("somebody", acme=role))
    path = f"/admin/flows/flow/{acme.flow.pk}/status/paused/"
    assert (path in client.get(PAGE).content.decode()) is shown
    response = client.post(path, {"back": "queue"})
    acme.flow.refresh_from_db()
    assert acme.flow.status == ("paused" if shown else "running")
    if shown:
        assert response["Location"] == PAGE
        assert f"/admin/flows/flow/{acme.flow.pk}/status/running/" in client.get(PAGE).content.decode()


def test_a_form_leads_nowhere_else(acme: Tenant) -> None:
    client = signed_in(person("dev", acme=Role.DEVELOPER))
    path = f"/admin/flows/flow/{acme.flow.pk}/status/paused/"
    location = client.post(path, {"back": "https://evil.example/"})["Location"]
    assert location == f"/admin/flows/flow/{acme.flow.pk}/change/"


def test_whoever_runs_the_installation_sees_its_workers(acme: Tenant, rival: Tenant, viewer: Client) -> None:
    note_pulse("machine-7:123")
    own, all_of_it = viewer.get(PAGE), signed_in(superuser()).get(PAGE)
    assert own.context["workers"]["number"] == all_of_it.context["workers"]["number"] == 1
    assert "machine-7" not in own.content.decode()
    assert "machine-7:123" in all_of_it.content.decode()
    assert {row["queue"].workspace_id for row in all_of_it.context["rows"]} == {acme.workspace.pk, rival.workspace.pk}


def test_a_worker_that_has_not_been_seen_is_not_alive(acme: Tenant, viewer: Client) -> None:
    note_pulse("one:1")
    with connection.cursor() as cursor:
        cursor.execute("UPDATE records_workerpulse SET seen_at = now() - interval '90 s'")
    found = viewer.get(PAGE).context["workers"]
    assert (found["number"], found["last"]) == (0, "1 min 30 s ago")


def test_nothing_is_there_yet(db: None) -> None:
    stranger = signed_in(person("stranger"))
    assert stranger.get(PAGE).status_code in (302, 403, 200)
    assert queues([], 10) == []
    assert runs_by_minute([]) == [0] * 30


@pytest.mark.parametrize("path", [PAGE, PART])
def test_strangers_see_nothing(acme: Tenant, path: str) -> None:
    assert Client().get(path).status_code == 302
    insert(acme, 3)
    response = signed_in(person("stranger")).get(path)
    assert b"intake" not in response.content


def test_runs_by_minute(acme: Tenant, rival: Tenant) -> None:
    now = timezone.now()
    insert(acme, 2, date_last_run=now - timedelta(seconds=10))
    insert(acme, 3, date_last_run=now - timedelta(minutes=10, seconds=30))
    insert(acme, 4, date_last_run=now - timedelta(minutes=31))
    insert(rival, 5, date_last_run=now)
    found = runs_by_minute([acme.workspace.pk])
    assert (len(found), found[-1], found[-11], sum(found)) == (30, 2, 3, 5)


def test_runs_are_counted_up_to_a_bound(acme: Tenant, viewer: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(queue_counts, "MOST_RUNS", 3)
    monkeypatch.setattr(queue, "MOST_RUNS", 3)
    insert(acme, 5, date_last_run=timezone.now())
    html = viewer.get(PAGE).content.decode()
    assert "3 records had their last run" in html
    assert "Only the newest are counted" in html


def test_a_chart_says_its_numbers() -> None:
    drawn = bars([0, 5, 10], ["none", "<five>", "ten"], 'All "three"')
    assert 'aria-label="All &quot;three&quot;"' in drawn
    assert "<title>&lt;five&gt;</title>" in drawn
    assert [part.split('"')[0] for part in drawn.split(' height="')[1:]] == ["1", "32", "64"]
    assert "<rect" not in bars([], [], "")


def test_the_page_asks_few_questions(acme: Tenant, viewer: Client, django_assert_max_num_queries: Any) -> None:
    insert(acme, 5)
    with django_assert_max_num_queries(9):
        viewer.get(PART)


def test_the_sidebar_leads_here(acme: Tenant, viewer: Client) -> None:
    assert f'href="{PAGE}"' in viewer.get("/admin/").content.decode()
