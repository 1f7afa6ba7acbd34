"""Flows name what their workspace has."""

from typing import Any

import pytest

from apps.core.errors import Conflict
from apps.flows import services
from apps.flows.engine.apps import APPS
from apps.flows.references import KINDS
from apps.keystores.models import Keystore
from apps.webhooks.services import register_webhook
from tests.conftest import STRAIGHT_FLOW, Tenant, publish

pytestmark = pytest.mark.django_db

NAMING: dict[str, Any] = {
    "format": "flow/1",
    "start": "start",
    "objects": {
        "start": {"type": "start", "next": {"ok": "hear"}},
        "hear": {
            "type": "webhook",
            "webhook": "payments",
            "identifier": "{{ keystore.users.one.id }}",
            "next": {"else": "run"},
        },
        "run": {"type": "run", "flow": "archive", "next": {"ok": "leave"}},
        "leave": {"type": "move", "flow": "intake"},
    },
}


def faults(tenant: Tenant) -> list[tuple[str, str]]:
    found = services.problems_of(services.format_source(NAMING), tenant.workspace.pk)
    return [(detail.path, detail.message) for detail in found]


def test_what_is_not_there_is_a_problem_with_its_place(acme: Tenant, rival: Tenant) -> None:
    Keystore.objects.create(workspace=rival.workspace, identifier="users")
    register_webhook(rival.workspace, name="payments")
    publish(rival, STRAIGHT_FLOW, "archive")
    assert faults(acme) == [
        ("hear/identifier", "there is no keystore named 'users'"),
        ("hear/webhook", "there is no webhook named 'payments'"),
        ("run/flow", "there is no flow named 'archive'"),
    ]
    flow = services.create_flow(acme.caller, name="naming")
    services.save_draft(acme.caller, flow, services.format_source(NAMING))
    with pytest.raises(Conflict) as caught:
        services.change_status(acme.caller, flow, "public")
    assert len(caught.value.details) == 3


def test_what_is_there_is_none(acme: Tenant) -> None:
    Keystore.objects.create(workspace=acme.workspace, identifier="users")
    register_webhook(acme.workspace, name="payments")
    services.create_flow(acme.caller, name="archive")
    assert faults(acme) == []
    assert publish(acme, NAMING, "naming").status == "running"


def test_a_flow_may_name_itself(acme: Tenant) -> None:
    document = STRAIGHT_FLOW | {"objects": STRAIGHT_FLOW["objects"] | {"end": {"type": "move", "flow": "round"}}}
    assert publish(acme, document, "round").status == "running"


def test_without_a_workspace_only_the_document_is_judged(acme: Tenant) -> None:
    assert services.problems_of(services.format_source(NAMING)) == []


def test_a_document_of_the_wrong_shape_names_nothing(acme: Tenant) -> None:
    assert [detail.message for detail in services.problems_of("[]", acme.workspace.pk)] == [
        'the value is not of type "object"'
    ]


def test_publishing_notes_how_many_records_may_run_at_once(acme: Tenant) -> None:
    flow = publish(acme, STRAIGHT_FLOW | {"limits": {"concurrency": 3}}, "few")
    assert flow.concurrency == 3
    services.save_draft(acme.caller, flow, services.format_source(STRAIGHT_FLOW))
    assert services.change_status(acme.caller, flow, "public").concurrency == 0


def test_everything_that_apps_name_can_be_found() -> None:
    named = {kind for app in APPS.values() for _, kind in app.references}
    assert named <= set(KINDS)
