"""``/v1/flowdiagram`` and ``/v1/changeflowstatus``."""

import base64
import hashlib
import re
from datetime import UTC, datetime
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from django.test import Client

from apps.flows import services
from apps.flows.models import Flow, FlowVersion
from tests.conftest import STRAIGHT_FLOW, Tenant, publish
from tests.flows.conftest import CALLING_FLOW, draft

JANUARY, JULY = datetime(2026, 1, 15, 11, 0, tzinfo=UTC), datetime(2026, 7, 15, 11, 0, tzinfo=UTC)


def diagram(client: Client, tenant: Tenant, query: str = "", **headers: str) -> Any:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return client.get(f"/v1/flowdiagram{query}", headers=tenant.headers | named)


def change(client: Client, tenant: Tenant, query: str = "", **headers: str) -> Any:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return client.put(f"/v1/changeflowstatus{query}", headers=tenant.headers | named)


def refused(response: Any, status: int, message: str) -> None:
    assert (response.status_code, response.json()["error"]) == (status, {"code": status, "message": message})


def test_the_diagram(client: Client, acme: Tenant) -> None:
    flow = draft(acme, CALLING_FLOW, "calling")
    services.change_status(acme.caller, flow, "public")
    services.save_draft(acme.caller, flow, services.format_source(STRAIGHT_FLOW))
    flow.versions.update(date_created=JANUARY)
    flow.versions.filter(number=1).update(date_published=JULY)
    response = diagram(client, acme, X_Flow="calling")
    assert (response.status_code, response.json()) == (
        200,
        {
            "id": "ok",
            "code": 200,
            "request-ip": "127.0.0.1",
            "resource": {
                "customer": "acme project",
                "flow_name": "calling",
                "description": "What it does",
                "current_flow": {
                    "flow_id": str(flow.pk),
                    "version": "1",
                    "status": "running",
                    "date_published": "2026-07-15 13:00:00",
                    "objects": [
                        {"id": "start", "type": "start", "text": "start"},
                        {"id": "call", "type": "app", "text": "Call the CRM", "app": "core.http"},
                        {"id": "end", "type": "end", "text": "Done"},
                    ],
                    "connections": [
                        {"from": "start", "port": "ok", "to": "call"},
                        {"from": "call", "port": "ok", "to": "end"},
                        {"from": "call", "port": "error", "to": "end"},
                    ],
                },
                "versions": [
                    {
                        "version": "2",
                        "status": "draft",
                        "date_created": "2026-01-15 12:00:00",
                        "date_published": "",
                    },
                    {
                        "version": "1",
                        "status": "published",
                        "date_created": "2026-01-15 12:00:00",
                        "date_published": "2026-07-15 13:00:00",
                    },
                ],
            },
            "message": "Flow diagram is retrieving successfully",
            "error": None,
        },
    )


@pytest.mark.parametrize("published", [True, False])
def test_the_configuration_of_objects_stays_inside(client: Client, acme: Tenant, published: bool) -> None:
    flow = draft(acme, CALLING_FLOW, "calling")
    if published:
        services.change_status(acme.caller, flow, "public")
    content = diagram(client, acme, X_Flow="calling").content
    assert b"Call the CRM" in content
    for hidden in (b"top secret", b"crm.example", b'"with"', b"X-Key"):
        assert hidden not in content


def test_a_flow_never_published_shows_its_draft(client: Client, acme: Tenant) -> None:
    draft(acme, CALLING_FLOW, "calling")
    current = diagram(client, acme, X_Flow="calling").json()["resource"]["current_flow"]
    assert (current["version"], current["status"], current["date_published"]) == ("1", "draft", "")
    assert [row["id"] for row in current["objects"]] == ["start", "call", "end"]


def test_a_flow_without_any_version(client: Client, acme: Tenant) -> None:
    flow = services.create_flow(acme.caller, name="empty")
    resource = diagram(client, acme, X_Flow="empty").json()["resource"]
    assert resource["current_flow"] == {
        "flow_id": str(flow.pk),
        "version": "",
        "status": "draft",
        "date_published": "",
        "objects": [],
        "connections": [],
    }
    assert resource["versions"] == []


@pytest.mark.parametrize(
    ("source", "objects", "connections"),
    [
        ("{}", [], []),
        ('{"objects": []}', [], []),
        ('{"objects": "x"}', [], []),
        ('{"objects": {"a": 5, "b": {}}}', [{"id": "b", "type": "", "text": "b"}], []),
        (
            '{"objects": {"a": {"type": 5, "text": {"with": 1}, "app": [], "next": {"ok": {}, "else": "b"}}}}',
            [{"id": "a", "type": "", "text": "a"}],
            [{"from": "a", "port": "else", "to": "b"}],
        ),
        ('{"objects": {"a": {"type": "end", "next": []}}}', [{"id": "a", "type": "end", "text": "a"}], []),
    ],
)
def test_an_unfinished_draft_can_be_shown(
    client: Client, acme: Tenant, source: str, objects: list[Any], connections: list[Any]
) -> None:
    flow = services.create_flow(acme.caller, name="unfinished")
    services.save_draft(acme.caller, flow, source)
    current = diagram(client, acme, X_Flow="unfinished").json()["resource"]["current_flow"]
    assert (current["objects"], current["connections"]) == (objects, connections)


def test_ways_to_name_a_flow(client: Client, acme: Tenant) -> None:
    other = publish(acme, STRAIGHT_FLOW, "Łódź & co")
    number = str(other.pk)
    ways: list[tuple[str, dict[str, str]]] = [
        ("", {"X_Flow": "Łódź & co".encode().decode("latin-1")}),
        ("", {"X_Flow_Id": number}),
        ("", {"X_Flow_Id": number, "X_Flow": "intake"}),
        (f"?flow_id={number}&flow_name=intake", {}),
        (f"?flow_id={acme.flow.pk}", {"X_Flow_Id": number}),
        ("?flow_name=%C5%81%C3%B3d%C5%BA%20%26%20co", {}),
        ("?flow=%C5%81%C3%B3d%C5%BA+%26+co", {}),
        (f"/?flow_id={number}", {}),
    ]
    for query, headers in ways:
        assert diagram(client, acme, query, **headers).json()["resource"]["flow_name"] == "Łódź & co"


@pytest.mark.parametrize("call", [diagram, change])
def test_flows_that_cannot_be_found(client: Client, acme: Tenant, rival: Tenant, call: Any) -> None:
    status = {"X_Status": "paused"}
    for headers in ({"X_Flow": "unknown"}, {"X_Flow_Id": str(rival.flow.pk)}, {"X_Flow_Id": "9" * 18}):
        refused(call(client, acme, **headers, **status), 404, "There is no such flow.")
    for text in ("abc", "1 OR 1=1", "-1"):
        refused(call(client, acme, X_Flow_Id=text, X_Flow="intake", **status), 400, "The flow id must be a number.")
    refused(call(client, acme, **status), 400, "Name the flow: X-Flow or X-Flow-Id is missing.")
    rival.flow.refresh_from_db()
    assert rival.flow.status == "running"


@pytest.mark.parametrize(
    ("before", "word", "text", "after"),
    [
        ("public", "paused", "paused", "paused"),
        ("paused", "running", "resumed", "running"),
        ("public", "inactive", "stopped", "inactive"),
        ("inactive", "public", "published", "running"),
        ("paused", "paused", "paused", "paused"),
        ("public", "public", "published", "running"),
        ("public", "running", "resumed", "running"),
        ("inactive", "inactive", "stopped", "inactive"),
    ],
)
def test_changing_the_status(client: Client, acme: Tenant, before: str, word: str, text: str, after: str) -> None:
    services.change_status(acme.caller, acme.flow, before)
    response = change(client, acme, X_Flow="intake", X_Status=word)
    assert (response.status_code, response.json()) == (
        200,
        {
            "id": "ok",
            "code": 200,
            "request-ip": "127.0.0.1",
            "resource": "",
            "message": f"Flow diagram has been {text} successfully",
            "error": None,
        },
    )
    assert Flow.objects.get(pk=acme.flow.pk).status == after


def test_the_status_in_the_url(client: Client, acme: Tenant) -> None:
    assert change(client, acme, f"?flow_id={acme.flow.pk}&status=paused").status_code == 200
    assert Flow.objects.get(pk=acme.flow.pk).status == "paused"


def test_an_impossible_transition(client: Client, acme: Tenant) -> None:
    services.change_status(acme.caller, acme.flow, "inactive")
    response = change(client, acme, X_Flow="intake", X_Status="running")
    refused(response, 409, "The flow is inactive: that cannot follow.")


def test_a_draft_with_problems(client: Client, acme: Tenant) -> None:
    document = {**STRAIGHT_FLOW, "objects": {**STRAIGHT_FLOW["objects"], "lost": {"type": "end"}}}
    services.save_draft(acme.caller, acme.flow, services.format_source(document))
    response = change(client, acme, X_Flow="intake", X_Status="public")
    error = response.json()["error"]
    assert (response.status_code, error["code"]) == (409, 409)
    assert error["message"] == "The flow is running; its draft has problems to solve first."
    assert [detail["path"] for detail in error["details"]] == ["lost"]
    assert FlowVersion.objects.get(flow=acme.flow, number=1).status == "published"


@pytest.mark.parametrize("word", [None, "", " "])
def test_without_a_status(client: Client, acme: Tenant, word: str | None) -> None:
    headers = {} if word is None else {"X_Status": word}
    response = change(client, acme, X_Flow="intake", **headers)
    refused(response, 400, "X-Status is missing: one of public, paused, running, inactive.")


@pytest.mark.parametrize("word", ["draft", "PAUSED", "delete"])
def test_an_unknown_status(client: Client, acme: Tenant, word: str) -> None:
    response = change(client, acme, X_Flow="intake", X_Status=word)
    refused(response, 400, "The status must be one of public, paused, running, inactive.")


SVG = "image/svg+xml"


def test_a_flow_can_be_had_as_a_drawing(client: Client, acme: Tenant) -> None:
    publish(acme, CALLING_FLOW)
    response = diagram(client, acme, X_Flow="calling", Accept=SVG)
    assert (response.status_code, response["Content-Type"]) == (200, "image/svg+xml; charset=utf-8")
    policy = response["Content-Security-Policy"]
    assert re.fullmatch(r"default-src 'none'; style-src 'sha256-[\w+/=]{44}'; frame-ancestors 'none'", policy)
    root = ET.fromstring(response.content)
    assert root[0].text == "calling, version 1"
    assert "Call the CRM (call): core.http" in [element.get("aria-label") for element in root.iter()]
    assert b"secret" not in response.content
    assert b"crm.example" not in response.content


def test_the_policy_of_a_drawing_names_its_style_sheet(client: Client, acme: Tenant) -> None:
    response = diagram(client, acme, X_Flow="intake", Accept=SVG)
    (style,) = ET.fromstring(response.content).iter("{http://www.w3.org/2000/svg}style")
    digest = base64.b64encode(hashlib.sha256(str(style.text).encode()).digest()).decode()
    assert f"'sha256-{digest}'" in response["Content-Security-Policy"]


def test_a_drawing_has_a_tag_of_its_own(client: Client, acme: Tenant) -> None:
    plain, drawn = diagram(client, acme, X_Flow="intake"), diagram(client, acme, X_Flow="intake", Accept=SVG)
    assert plain["ETag"] != drawn["ETag"]
    assert "Accept" in drawn["Vary"]
    again = diagram(client, acme, X_Flow="intake", Accept=SVG, If_None_Match=drawn["ETag"])
    assert (again.status_code, again.content, again["ETag"]) == (304, b"", drawn["ETag"])
    assert diagram(client, acme, X_Flow="intake", Accept=SVG, If_None_Match=plain["ETag"]).status_code == 200
    services.save_draft(acme.caller, acme.flow, services.format_source(CALLING_FLOW))
    assert diagram(client, acme, X_Flow="intake", Accept=SVG, If_None_Match=drawn["ETag"]).status_code == 200


@pytest.mark.parametrize(
    ("accept", "content_type"),
    [
        ("*/*", "application/json"),
        ("image/*", "image/svg+xml; charset=utf-8"),
        (f"{SVG};q=0.5, application/xml", "application/xml; charset=utf-8"),
        ("text/html, image/svg+xml, */*;q=0.1", "image/svg+xml; charset=utf-8"),
    ],
)
def test_a_drawing_is_for_those_who_ask_for_one(client: Client, acme: Tenant, accept: str, content_type: str) -> None:
    assert diagram(client, acme, X_Flow="intake", Accept=accept)["Content-Type"] == content_type


def test_errors_are_not_drawn(client: Client, acme: Tenant, rival: Tenant) -> None:
    for headers, status in [({"X_Flow": "nope"}, 404), ({}, 400), ({"X_Flow_Id": str(rival.flow.pk)}, 404)]:
        response = diagram(client, acme, Accept=SVG, **headers)
        assert (response.status_code, response["Content-Type"]) == (status, "application/json")
        assert response.json()["error"]["code"] == status
    narrow = client.get("/v1/flowdiagram?flow=intake", headers=acme.narrow_headers | {"Accept": SVG})
    assert (narrow.status_code, narrow["Content-Type"]) == (401, "application/json")


def test_a_drawing_has_no_fields(client: Client, acme: Tenant) -> None:
    response = diagram(client, acme, "?fields=flow_name", X_Flow="intake", Accept=SVG)
    refused(response, 400, "A drawing has no fields to choose from.")


def test_other_calls_are_not_drawn(client: Client, acme: Tenant) -> None:
    assert change(client, acme, X_Flow="intake", X_Status="paused", Accept=SVG).status_code == 406
    acme.flow.refresh_from_db()
    assert acme.flow.status == "running"


@pytest.mark.parametrize("document", [None, {"objects": {"a": {"next": {"ok": 5}}}}])
def test_a_draft_that_is_not_right_can_be_drawn(client: Client, acme: Tenant, document: Any) -> None:
    flow = services.create_flow(acme.caller, name="fresh")
    if document:
        services.save_draft(acme.caller, flow, services.format_source(document))
    assert diagram(client, acme, X_Flow="fresh", Accept=SVG).status_code == 200
