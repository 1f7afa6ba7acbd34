"""Conditional requests for flow diagrams and their status."""

from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from apps.flows import services
from apps.flows.models import Flow
from tests.conftest import STRAIGHT_FLOW, Tenant


def diagram(client: Client, tenant: Tenant, **headers: str) -> Any:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return client.get("/v1/flowdiagram", headers=tenant.headers | {"X-Flow": "intake"} | named)


def change(client: Client, tenant: Tenant, status: str, **headers: str) -> Any:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return client.put(f"/v1/changeflowstatus?flow=intake&status={status}", headers=tenant.headers | named)


def test_a_diagram_can_be_kept(client: Client, acme: Tenant) -> None:
    first = diagram(client, acme)
    assert diagram(client, acme, If_None_Match=first["ETag"]).status_code == 304
    assert diagram(client, acme, If_Modified_Since=first["Last-Modified"]).status_code == 304
    assert diagram(client, acme, If_None_Match='"x"').status_code == 200


def test_everything_that_shows_changes_the_tag(client: Client, acme: Tenant) -> None:
    tags = [diagram(client, acme)["ETag"]]

    def noted() -> int:
        tags.append(diagram(client, acme)["ETag"])
        return len(set(tags))

    assert noted() == 1
    services.save_draft(acme.caller, acme.flow, services.format_source(STRAIGHT_FLOW))
    assert noted() == 2
    services.save_draft(acme.caller, acme.flow, services.format_source(STRAIGHT_FLOW | {"name": "x"}))
    assert noted() == 3
    for number, status in enumerate(("paused", "running", "inactive", "public"), 4):
        change(client, acme, status)
        assert noted() == number
    flow = Flow.objects.get(pk=acme.flow.pk)
    flow.description = "other"
    flow.save()
    assert noted() == 8


def test_a_status_is_changed_only_from_the_version_named(client: Client, acme: Tenant) -> None:
    tag = diagram(client, acme)["ETag"]
    assert change(client, acme, "paused", If_Match=tag).status_code == 200
    assert change(client, acme, "inactive", If_Match=tag).status_code == 412
    assert Flow.objects.get(pk=acme.flow.pk).status == "paused"
    assert change(client, acme, "inactive", If_Match="*").status_code == 200


@pytest.mark.django_db(transaction=True)
def test_a_diagram_that_is_current_is_not_read(client: Client, acme: Tenant) -> None:
    tag = diagram(client, acme)["ETag"]
    for statements, headers in ((3, {}), (2, {"If_None_Match": tag})):
        with CaptureQueriesContext(connection) as captured:
            diagram(client, acme, **headers)
        assert len(captured) == statements
