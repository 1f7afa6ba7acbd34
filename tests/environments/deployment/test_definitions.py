"""What a project is made of: read, checked, and brought into another workspace."""

import json
from typing import Any

import pytest

from apps.accounts.models import Role
from apps.applications.caller import Caller
from apps.applications.members import member_caller
from apps.contents.models import HostedPage, Template
from apps.core.errors import BadRequest, Conflict, MissingScope
from apps.environments.definitions.document import apply_definition, check_definition, fingerprint, read_definition
from apps.environments.definitions.section import Section
from apps.environments.definitions.sections import SECTIONS
from apps.flows import services as flows
from apps.flows.connections import save_connection
from apps.flows.models import Connection, ConnectionSecret, Flow
from apps.keystores.models import Keystore
from apps.schemas.fields import create_field
from apps.schemas.models import DataField, Schema
from apps.tables import services as tables
from apps.tables import structure
from apps.tables.models import Column, Table
from apps.triggers.models import Schedule, UrlTrigger
from apps.triggers.schedules import save_schedule
from apps.triggers.url_triggers import register_url
from apps.webhooks.models import Webhook
from apps.webhooks.services import register_webhook
from tests.conftest import STRAIGHT_FLOW, Tenant, publish
from tests.environments.deployment.conftest import deploy

pytestmark = pytest.mark.django_db


@pytest.fixture
def complete(stocked: Tenant) -> Tenant:
    """Acme with something in every part of a definition."""
    Schema.objects.create(workspace=stocked.workspace, source='{"type": "object"}', sample="{}", url="http://x.example")
    create_field(stocked.caller, name="email", path="client.email", list_column=True)
    Template.objects.create(workspace=stocked.workspace, name="welcome", subject="Hello", text="Hello {{ name }}")
    register_webhook(stocked.workspace, name="paid", identifier_path="order.id", flow="intake")
    register_url(stocked.workspace, name="form", application=stocked.keys, flow="intake")
    save_connection(
        stocked.caller, Connection(name="crm", base_url="https://crm.example.com", kind="bearer"), "s3cret-crm"
    )
    HostedPage.objects.create(workspace=stocked.workspace, name="contact", html="<form></form>", flow="intake")
    save_schedule(
        Schedule(workspace=stocked.workspace, name="nightly", flow="intake", cron="0 3 * * *", document={"n": 1})
    )
    return stocked


def test_every_part_is_there_and_no_secret(complete: Tenant) -> None:
    definition = read_definition(complete.workspace.pk)
    assert list(definition) == ["format", *(section.name for section in SECTIONS)]
    assert all(definition[section.name] for section in SECTIONS)
    text = json.dumps(definition)
    secrets = (Webhook.objects.get().uri_hash, UrlTrigger.objects.get().secret_hash, "s3cret-crm")
    assert not [secret for secret in secrets if secret in text]
    assert check_definition(json.loads(text)) == definition


def test_a_copy_has_the_same_definition_as_what_it_was_copied_from(complete: Tenant, copy: Caller) -> None:
    assert deploy(complete, copy) == []
    first = read_definition(complete.workspace.pk)
    assert read_definition(copy.workspace_id) == first
    assert fingerprint(read_definition(copy.workspace_id)) == fingerprint(first)
    flow = Flow.objects.in_workspace(copy.workspace_id).get()
    assert (flow.status, flow.live_version.number) == ("running", 1)


def test_applying_it_again_changes_nothing(complete: Tenant, copy: Caller) -> None:
    deploy(complete, copy)
    models = (Schema, DataField, Keystore, Table, Template, Webhook, Flow, HostedPage, UrlTrigger, Schedule, Connection)
    before = [list(model.objects.in_workspace(copy.workspace_id).order_by("pk").values_list("pk")) for model in models]
    columns = list(Column.objects.order_by("pk").values())
    versions = list(Flow.objects.values("live_version_id", "status"))
    assert deploy(complete, copy) == []
    assert [
        list(model.objects.in_workspace(copy.workspace_id).order_by("pk").values_list("pk")) for model in models
    ] == before
    assert list(Column.objects.order_by("pk").values()) == columns
    assert list(Flow.objects.values("live_version_id", "status")) == versions


def test_secrets_go_along_to_a_copy(complete: Tenant, copy: Caller) -> None:
    deploy(complete, copy)
    assert len({row.uri_hash for row in Webhook.objects.all()}) == 1
    assert len({row.secret_hash for row in UrlTrigger.objects.all()}) == 1
    theirs = ConnectionSecret.objects.filter(connection__workspace=copy.workspace_id)
    assert [row.secret for row in theirs.all()] == ["s3cret-crm"]
    save_connection(complete.caller, Connection.objects.in_workspace(complete.workspace.pk).get(), "another")
    deploy(complete, copy)
    assert [row.secret for row in theirs.all()] == ["another"]


def test_from_a_file_secrets_are_made_anew_and_told_once(complete: Tenant, rival: Tenant) -> None:
    definition = check_definition(json.loads(json.dumps(read_definition(complete.workspace.pk))))
    definition["url_triggers"][0]["application"] = None
    connection, webhook, url = apply_definition(rival.caller, definition)
    assert len({row.uri_hash for row in Webhook.objects.all()}) == 2
    assert len({row.secret_hash for row in UrlTrigger.objects.all()}) == 2
    assert connection == "The connection crm has no secret yet: enter it."
    assert webhook.startswith("The webhook paid has the new address /v1/webhook/")
    assert url.startswith("The URL trigger form has the new secret ")


def test_an_application_that_the_project_does_not_have_is_named(complete: Tenant, rival: Tenant) -> None:
    definition = check_definition(read_definition(complete.workspace.pk))
    with pytest.raises(Conflict, match="There is no application acme-keys in this project"):
        apply_definition(rival.caller, definition)
    assert not Webhook.objects.in_workspace(rival.workspace.pk).exists()


def test_a_schedule_in_a_copy_is_planned_in_the_zone_of_the_copy(complete: Tenant, copy: Caller) -> None:
    deploy(complete, copy)
    schedule = Schedule.objects.in_workspace(copy.workspace_id).get()
    assert (schedule.planned_zone, schedule.next_run is not None) == ("Europe/Paris", True)


def test_a_changed_flow_becomes_the_next_version_and_a_paused_one_stays_paused(acme: Tenant, copy: Caller) -> None:
    deploy(acme, copy)
    flow = Flow.objects.in_workspace(copy.workspace_id).get()
    flows.change_status(copy, flow, "paused")
    changed = {**STRAIGHT_FLOW, "description": "changed"}
    flows.save_draft(acme.caller, acme.flow, flows.format_source(changed))
    flows.change_status(acme.caller, acme.flow, "public")
    deploy(acme, copy)
    flow.refresh_from_db()
    assert (flow.status, flow.live_version.number, flow.live_version.document) == ("paused", 2, changed)


def test_drafts_stay_in_the_designer(acme: Tenant, copy: Caller) -> None:
    flow = flows.create_flow(acme.caller, name="unfinished")
    flows.save_draft(acme.caller, flow, "{}")
    deploy(acme, copy)
    assert [flow.name for flow in Flow.objects.in_workspace(copy.workspace_id)] == ["intake"]


def test_a_flow_and_a_webhook_that_went_away_are_switched_off(complete: Tenant, copy: Caller) -> None:
    deploy(complete, copy)
    publish(complete, {**STRAIGHT_FLOW, "name": "other"})
    Webhook.objects.in_workspace(complete.workspace.pk).delete()
    complete.flow.delete()
    notes = deploy(complete, copy)
    assert notes == [
        "The webhook paid is no longer part of the project and is switched off.",
        "The flow intake is no longer part of the project and takes no more records.",
    ]
    assert Flow.objects.in_workspace(copy.workspace_id).get(name="intake").status == "inactive"
    assert Webhook.objects.in_workspace(copy.workspace_id).get().active is False


def test_keystores_and_tables_that_went_away_keep_what_they_hold(stocked: Tenant, copy: Caller) -> None:
    deploy(stocked, copy)
    tables.insert_row(copy, "people", {"username": "ann"})
    Keystore.objects.in_workspace(stocked.workspace.pk).delete()
    stocked.extra["people"].delete()
    assert len(deploy(stocked, copy)) == 2
    assert tables.search_rows(copy, "people").matches == 1
    assert Keystore.objects.in_workspace(copy.workspace_id).count() == 1


def test_columns_follow_and_keep_their_rows(stocked: Tenant, copy: Caller) -> None:
    deploy(stocked, copy)
    tables.insert_row(copy, "people", {"username": "ann", "age": 20})
    people = stocked.extra["people"]
    structure.remove_column(stocked.caller, people.columns.get(name="age"))
    structure.add_column(stocked.caller, people, name="city", kind="text", position=0)
    deploy(stocked, copy)
    found = tables.search_rows(copy, "people")
    assert [(field.name, field.kind) for field in found.definition.columns.values()] == [
        ("username", "text"),
        ("city", "text"),
    ]
    assert [row.values for row in found.rows] == [{"username": "ann", "city": None}]


def test_a_column_of_another_type_needs_rows_that_are_replaced(stocked: Tenant, copy: Caller) -> None:
    deploy(stocked, copy)
    people = stocked.extra["people"]
    structure.remove_column(stocked.caller, people.columns.get(name="age"))
    structure.add_column(stocked.caller, people, name="age", kind="text")
    before = read_definition(copy.workspace_id)
    with pytest.raises(Conflict) as caught:
        deploy(stocked, copy)
    assert caught.value.message == (
        "The column age of the table people is integer there and text here: its rows can only be replaced, with the "
        "action delete and insert."
    )
    assert read_definition(copy.workspace_id) == before
    deploy(stocked, copy, replaceable=frozenset({"people"}))
    assert read_definition(copy.workspace_id) == read_definition(stocked.workspace.pk)


@pytest.mark.parametrize("is_new", [True, False])
def test_a_required_column_needs_rows_that_have_it_or_are_replaced(stocked: Tenant, copy: Caller, is_new: bool) -> None:
    people = stocked.extra["people"]
    if not is_new:
        structure.add_column(stocked.caller, people, name="email")
    deploy(stocked, copy)
    tables.insert_row(copy, "people", {"username": "ann"})
    if is_new:
        structure.add_column(stocked.caller, people, name="email", required=True)
    else:
        Column.objects.filter(table=people, name="email").update(required=True)
    with pytest.raises(BadRequest) as caught:
        deploy(stocked, copy)
    assert caught.value.message == (
        "tables: people: email: There are rows without a value in this column: it cannot be required."
    )
    assert [detail.path for detail in caught.value.details] == ["/tables/0/columns/2/required"]
    deploy(stocked, copy, replaceable=frozenset({"people"}))
    assert read_definition(copy.workspace_id) == read_definition(stocked.workspace.pk)


def test_all_or_nothing(complete: Tenant, copy: Caller) -> None:
    definition = read_definition(complete.workspace.pk)
    definition["flows"][0]["source"] = '{"format": "flow/1", "start": "x", "objects": {}}'
    before = read_definition(copy.workspace_id)
    with pytest.raises((BadRequest, Conflict)):
        apply_definition(copy, definition, source_id=complete.workspace.pk)
    assert read_definition(copy.workspace_id) == before
    assert not Table.objects.in_workspace(copy.workspace_id).exists()


@pytest.mark.parametrize(
    ("document", "path"),
    [
        ([], ""),
        ({}, ""),
        ({"format": "flowize-project/2"}, "/format"),
        ({"format": "flowize-project/1", "surplus": []}, ""),
        ({"format": "flowize-project/1", "schema": [{}, {}]}, "/schema"),
        ({"format": "flowize-project/1", "flows": [{"name": 1, "source": "", "active": True}]}, "/flows/0/name"),
        (
            {"format": "flowize-project/1", "tables": [{"name": "x", "columns": [{"name": "y", "kind": "picture"}]}]},
            "/tables/0/columns/0/kind",
        ),
        (
            {"format": "flowize-project/1", "tables": [{"name": "x", "columns": [], "description": "d" * 501}]},
            "/tables/0/description",
        ),
        ({"format": "flowize-project/1", "schema": [{"url": "u" * 2049, "source": "", "sample": ""}]}, "/schema/0/url"),
    ],
)
def test_what_is_no_definition_is_refused_with_its_place(document: Any, path: str) -> None:
    with pytest.raises(BadRequest) as caught:
        check_definition(document)
    assert path in [detail.path for detail in caught.value.details]


@pytest.mark.parametrize(
    ("section", "item", "message"),
    [
        (
            "keystores",
            {"identifier": "no good", "kind": "json", "structure": "{}"},
            "keystores: no good: Use letters",
        ),
        ("keystores", {"identifier": "x", "kind": "json", "structure": "{"}, "keystores:"),
        ("webhooks", {"name": "x", "addresses": "nowhere"}, "webhooks:"),
        ("data_fields", {"name": "x", "path": "..", "list_column": False}, "data_fields:"),
        ("schema", {"url": "", "source": '{"type": 1}', "sample": "{}"}, "schema:"),
        ("tables", {"name": "../x", "columns": []}, "tables:"),
        ("flows", {"name": "x", "source": "[]", "active": True}, "flows:"),
    ],
)
def test_a_part_that_cannot_be_is_named(acme: Tenant, section: str, item: dict[str, Any], message: str) -> None:
    definition = check_definition({"format": "flowize-project/1", section: [item]})
    before = read_definition(acme.workspace.pk)
    with pytest.raises(BadRequest) as caught:
        apply_definition(acme.caller, definition)
    assert caught.value.message.startswith(message)
    assert read_definition(acme.workspace.pk) == before


@pytest.mark.parametrize("section", [section for section in SECTIONS if section.most > 1], ids=lambda one: one.name)
def test_an_item_that_is_named_twice_is_refused_with_its_place(complete: Tenant, section: Section) -> None:
    definition = read_definition(complete.workspace.pk)
    definition[section.name].append(definition[section.name][0])
    with pytest.raises(BadRequest) as caught:
        check_definition(definition)
    place = f"/{section.name}/{len(definition[section.name]) - 1}/{section.key}"
    assert [detail.path for detail in caught.value.details] == [place]


def test_a_column_that_is_named_twice_is_refused_with_its_place(complete: Tenant) -> None:
    definition = read_definition(complete.workspace.pk)
    definition["tables"][0]["columns"].append({"name": "username", "kind": "json"})
    with pytest.raises(BadRequest) as caught:
        check_definition(definition)
    assert [detail.path for detail in caught.value.details] == ["/tables/0/columns/2/name"]


@pytest.mark.parametrize(
    ("section", "change", "path"),
    [
        ("schedules", {"cron": ""}, "/schedules/0/cron"),
        ("webhooks", {"addresses": "nowhere"}, "/webhooks/0/addresses"),
        ("keystores", {"structure": "{"}, "/keystores/0"),
        ("tables", {"columns": [{"name": "id", "kind": "text"}]}, "/tables/0/columns/0/name"),
        ("data_fields", {"path": ".."}, "/data_fields/0"),
        ("flows", {"source": "["}, "/flows/0"),
    ],
)
def test_a_fault_names_the_item_it_is_about(
    complete: Tenant, copy: Caller, section: str, change: dict[str, Any], path: str
) -> None:
    definition = read_definition(complete.workspace.pk)
    definition[section][0] |= change
    with pytest.raises(BadRequest) as caught:
        apply_definition(copy, check_definition(definition))
    assert caught.value.details[0].path.startswith(path)


def test_only_whoever_may_change_flows_and_schema_may_apply(acme: Tenant, copy: Caller) -> None:
    from apps.accounts.models import Workspace

    workspace = Workspace.objects.select_related("project").get(pk=copy.workspace_id)
    with pytest.raises(MissingScope):
        apply_definition(member_caller(workspace, Role.OPERATOR), read_definition(acme.workspace.pk))
