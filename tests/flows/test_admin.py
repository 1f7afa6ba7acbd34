"""The page of a flow."""

import json
from typing import Any

import pytest
from django.test import Client

from apps.accounts.models import Role
from apps.flows import services
from apps.flows.admin.forms import STARTER
from apps.flows.admin.outline import Line, outline
from apps.flows.models import Flow, VersionStatus
from apps.records.services import create_records
from tests.conftest import STRAIGHT_FLOW, Tenant
from tests.members import person, signed_in

CHANGED = services.format_source({**STRAIGHT_FLOW, "description": "changed"})


@pytest.fixture
def developer(acme: Tenant) -> Client:
    """A developer of Acme."""
    return signed_in(person("dev", acme=Role.DEVELOPER))


def page(client: Client, flow: Flow) -> Any:
    """The flow's page."""
    return client.get(f"/admin/flows/flow/{flow.pk}/change/")


def save(client: Client, flow: Flow, **changed: Any) -> Any:
    """Send the flow's form as the page shows it, with changes."""
    form = page(client, flow).context["adminform"].form
    filled = {"name": flow.name, "description": flow.description}
    filled |= {name: form.fields[name].initial for name in ("draft", "basis")}
    return client.post(f"/admin/flows/flow/{flow.pk}/change/", filled | changed)


def act(client: Client, flow: Flow, status: str) -> Any:
    """Press a button of the flow's page."""
    return client.post(f"/admin/flows/flow/{flow.pk}/status/{status}/", follow=True)


def versions(flow: Flow) -> list[tuple[int, str]]:
    """Numbers and statuses, newest first."""
    return list(flow.versions.values_list("number", "status"))


def test_a_new_flow_starts_with_a_draft_that_can_be_published(acme: Tenant, developer: Client) -> None:
    form = {"workspace": acme.workspace.pk, "name": "fresh", "description": "", "draft": STARTER, "basis": ""}
    assert developer.post("/admin/flows/flow/add/", form).status_code == 302
    flow = Flow.objects.get(name="fresh")
    assert (flow.workspace, flow.status, versions(flow)) == (acme.workspace, "draft", [(1, "draft")])
    assert "ready to be published" in page(developer, flow).content.decode()


def test_a_taken_name_is_refused(acme: Tenant, developer: Client) -> None:
    form = {"workspace": acme.workspace.pk, "name": "intake", "draft": STARTER}
    assert developer.post("/admin/flows/flow/add/", form).status_code == 200
    other = services.create_flow(acme.caller, name="other")
    assert save(developer, other, name="intake", draft=STARTER).status_code == 200
    assert sorted(Flow.objects.values_list("name", flat=True)) == ["intake", "other"]


def test_a_foreign_workspace_is_no_choice(acme: Tenant, rival: Tenant, developer: Client) -> None:
    form = {"workspace": rival.workspace.pk, "name": "mine", "draft": STARTER}
    assert "workspace" in developer.post("/admin/flows/flow/add/", form).context["adminform"].form.errors
    assert not Flow.objects.filter(name="mine").exists()


def test_an_edit_becomes_the_draft_and_the_live_version_stays(acme: Tenant, developer: Client) -> None:
    assert save(developer, acme.flow, draft=CHANGED.replace("\n", "\r\n")).status_code == 302
    assert versions(acme.flow) == [(2, "draft"), (1, "published")]
    assert acme.flow.versions.get(number=2).source == CHANGED
    assert json.loads(acme.flow.versions.get(number=1).source) == STRAIGHT_FLOW


def test_a_text_left_as_it_was_makes_no_draft(acme: Tenant, developer: Client) -> None:
    assert save(developer, acme.flow, description="Now described").status_code == 302
    acme.flow.refresh_from_db()
    assert (acme.flow.description, versions(acme.flow)) == ("Now described", [(1, "published")])


@pytest.mark.parametrize(
    ("draft", "message"),
    [
        ('{"format":\n  oops}', "Not valid JSON: Expecting value at line 2, column 3."),
        ("[]", "A flow document is a JSON object."),
        ('{"start": "a", "start": "b"}', "The key 'start' is given twice."),
    ],
)
def test_a_draft_that_is_no_json_object_is_refused(acme: Tenant, developer: Client, draft: str, message: str) -> None:
    response = save(developer, acme.flow, draft=draft)
    assert response.context["adminform"].form.errors["draft"] == [message]
    assert versions(acme.flow) == [(1, "published")]


def test_a_draft_somebody_else_changed_is_not_overwritten(acme: Tenant, developer: Client) -> None:
    form = page(developer, acme.flow).context["adminform"].form
    services.save_draft(acme.caller, acme.flow, STARTER)
    response = save(developer, acme.flow, draft=CHANGED, basis=form.fields["basis"].initial)
    assert "Somebody has changed the draft" in response.content.decode()
    assert acme.flow.versions.get(status=VersionStatus.DRAFT).source == STARTER


def test_problems_are_listed_and_keep_the_draft_from_publication(acme: Tenant, developer: Client) -> None:
    broken = {**STRAIGHT_FLOW, "start": "nowhere"}
    save(developer, acme.flow, draft=services.format_source(broken))
    shown = page(developer, acme.flow)
    assert [problem.path for problem in shown.context["problems"]] == ["/start"]
    assert "to solve before the draft can be published" in shown.content.decode()
    answer = act(developer, acme.flow, "public")
    assert "its draft has problems to solve first" in answer.content.decode()
    assert versions(acme.flow) == [(2, "draft"), (1, "published")]


def test_the_buttons_bring_a_flow_through_its_life(acme: Tenant, developer: Client) -> None:
    seen = []
    for status in ("paused", "running", "inactive", "public"):
        answer = act(developer, acme.flow, status)
        acme.flow.refresh_from_db()
        seen.append((acme.flow.status, [item["status"] for item in answer.context["acts"]]))
    assert seen == [
        ("paused", ["running", "inactive"]),
        ("running", ["paused", "inactive"]),
        ("inactive", ["public"]),
        ("running", ["paused", "inactive"]),
    ]


def test_an_act_that_cannot_follow_is_told(acme: Tenant, developer: Client) -> None:
    act(developer, acme.flow, "inactive")
    assert "The flow is inactive: that cannot follow." in act(developer, acme.flow, "paused").content.decode()
    assert "The status must be one of" in act(developer, acme.flow, "nonsense").content.decode()


def test_acts_are_posted_only(acme: Tenant, developer: Client) -> None:
    assert developer.get(f"/admin/flows/flow/{acme.flow.pk}/status/paused/").status_code == 405
    acme.flow.refresh_from_db()
    assert acme.flow.status == "running"


@pytest.mark.parametrize("role", [Role.VIEWER, Role.OPERATOR])
def test_readers_read(acme: Tenant, role: Role) -> None:
    reader = signed_in(person("vi", acme=role))
    assert "status/paused" not in page(reader, acme.flow).content.decode()
    assert reader.get(f"/admin/flows/flow/{acme.flow.pk}/versions/1/").status_code == 200
    assert act(reader, acme.flow, "paused").status_code == 403
    assert reader.post(f"/admin/flows/flow/{acme.flow.pk}/change/", {"name": "x"}).status_code == 403
    acme.flow.refresh_from_db()
    assert (acme.flow.name, acme.flow.status) == ("intake", "running")


def test_a_version_shows_its_objects_and_connections(acme: Tenant, developer: Client) -> None:
    response = developer.get(f"/admin/flows/flow/{acme.flow.pk}/versions/1/")
    lines = response.context["objects"]
    assert [line.id for line in lines] == ["start", "adult", "accept", "refer", "end"]
    assert (lines[1].kind, lines[1].text) == ("decision", "Of age?")
    assert lines[1].leads_to == [("yes", "accept"), ("else", "refer")]
    assert "client.age &gt;= 18" in response.content.decode()


@pytest.mark.parametrize("number", [2, 99999999999999999999])
def test_a_version_that_is_not_there_is_missing(acme: Tenant, developer: Client, number: int) -> None:
    assert developer.get(f"/admin/flows/flow/{acme.flow.pk}/versions/{number}/").status_code == 404


def test_a_flow_with_records_is_kept_and_one_without_goes(acme: Tenant, developer: Client) -> None:
    path = f"/admin/flows/flow/{acme.flow.pk}/delete/"
    create_records(acme.caller, [{"a": 1}], flow_name="intake")
    assert "records" in developer.get(path).content.decode()
    developer.post(path, {"post": "yes"})
    assert Flow.objects.filter(pk=acme.flow.pk).exists()
    acme.flow.records.all().delete()
    developer.post(path, {"post": "yes"})
    assert not Flow.objects.filter(pk=acme.flow.pk).exists()


@pytest.mark.parametrize("document", [None, [], {}, {"objects": []}, {"objects": {"a": 1}, "start": 5}])
def test_the_outline_of_what_is_no_flow_is_empty(document: Any) -> None:
    assert outline(document) == []


def test_the_outline_follows_connections_and_keeps_what_is_apart() -> None:
    objects = {
        "lost": {"type": "end"},
        "call": {"type": "app", "app": "core.http", "with": {"url": "x"}, "next": {"ok": "gone"}},
        "start": {"type": "start", "next": {"ok": "call"}},
    }
    assert outline({"start": "start", "objects": objects}) == [
        Line("start", "start", "", [("ok", "call")], ""),
        Line("call", "core.http", "", [("ok", "gone")], '{\n  "with": {\n    "url": "x"\n  }\n}'),
        Line("lost", "end", "", [], ""),
    ]
