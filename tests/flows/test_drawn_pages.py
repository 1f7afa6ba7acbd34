"""Drawings on the pages of flows, and as files."""

from xml.etree import ElementTree as ET

import pytest
from django.test import Client

from apps.accounts.models import Role
from apps.flows import services
from tests.conftest import STRAIGHT_FLOW, Tenant
from tests.flows.conftest import draft
from tests.members import person, signed_in

HOSTILE = {"start": "a", "objects": {"a": {"type": "set", "text": "<script>alert(1)</script>"}}}


@pytest.fixture
def viewer(acme: Tenant) -> Client:
    """A viewer of Acme."""
    return signed_in(person("vi", acme=Role.VIEWER))


def drawing(html: str) -> str:
    """The drawing on a page."""
    return html[html.index("<svg xmlns") : html.index("</svg>", html.index("<svg xmlns")) + 6]


def test_the_page_of_a_flow_draws_its_draft_and_else_its_live_version(acme: Tenant, viewer: Client) -> None:
    path = f"/admin/flows/flow/{acme.flow.pk}/change/"
    live = viewer.get(path).content.decode()
    assert "<h2>Diagram of version 1</h2>" in live
    assert "intake, version 1" in drawing(live)
    changed = {**STRAIGHT_FLOW, "objects": STRAIGHT_FLOW["objects"] | {"lost": {"type": "frobnicate"}}}
    services.save_draft(acme.caller, acme.flow, services.format_source(changed))
    html = viewer.get(path).content.decode()
    assert "<h2>Diagram of the draft</h2>" in html
    assert "lost: frobnicate" in drawing(html)
    assert "to solve before the draft can be published" in html


def test_a_flow_without_a_version_has_no_diagram(acme: Tenant, viewer: Client) -> None:
    empty = services.create_flow(acme.caller, name="empty")
    assert "Diagram" not in viewer.get(f"/admin/flows/flow/{empty.pk}/change/").content.decode()


def test_objects_of_a_version_lead_to_their_lines(acme: Tenant, viewer: Client) -> None:
    html = viewer.get(f"/admin/flows/flow/{acme.flow.pk}/versions/1/").content.decode()
    assert '<a href="#object-adult">' in drawing(html)
    assert '<tr id="object-adult">' in html


def test_a_drawing_in_its_full_size_and_as_a_file(acme: Tenant, viewer: Client) -> None:
    base = f"/admin/flows/flow/{acme.flow.pk}/versions/1"
    page = viewer.get(f"{base}/diagram/").content.decode()
    assert "flowize-drawing-whole" in page
    assert f'href="{base}/diagram.svg"' in page
    file = viewer.get(f"{base}/diagram.svg")
    assert (file.status_code, file["Content-Type"]) == (200, "image/svg+xml; charset=utf-8")
    assert file["Content-Disposition"] == f'attachment; filename="flow-{acme.flow.pk}-version-1.svg"'
    assert file["Content-Security-Policy"].startswith("default-src 'none'; style-src 'sha256-")
    assert file.content.decode() == drawing(page)
    ET.fromstring(file.content)


@pytest.mark.parametrize("rest", ["diagram/", "diagram.svg"])
def test_drawings_of_others_are_missing(acme: Tenant, rival: Tenant, viewer: Client, rest: str) -> None:
    assert viewer.get(f"/admin/flows/flow/{rival.flow.pk}/versions/1/{rest}").status_code in (302, 404)
    assert viewer.get(f"/admin/flows/flow/{acme.flow.pk}/versions/7/{rest}").status_code == 404
    assert viewer.get(f"/admin/flows/flow/{acme.flow.pk}/versions/{'9' * 20}/{rest}").status_code == 404
    assert Client().get(f"/admin/flows/flow/{acme.flow.pk}/versions/1/{rest}").status_code == 302


def test_what_a_draft_says_is_text(acme: Tenant, viewer: Client) -> None:
    flow = draft(acme, HOSTILE)
    for rest in ("change/", "versions/1/", "versions/1/diagram/"):
        html = viewer.get(f"/admin/flows/flow/{flow.pk}/{rest}").content.decode()
        assert "<script>alert(1)" not in html
        assert "&lt;script&gt;alert(1)&lt;/script&gt;" in drawing(html)
