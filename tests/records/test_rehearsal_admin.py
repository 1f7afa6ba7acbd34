"""The page that rehearses a draft."""

import copy

import pytest
from django.test import Client

from apps.accounts.models import Role
from apps.flows import services as flows
from apps.records.execution import drain
from apps.records.models import Record
from tests.conftest import STRAIGHT_FLOW, Tenant
from tests.members import person, signed_in
from tests.records.conftest import insert

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def viewer(acme: Tenant) -> Client:
    """Somebody who reads Acme's records."""
    return signed_in(person("vi", acme=Role.VIEWER))


def url(tenant: Tenant) -> str:
    return f"/admin/records/record/rehearse/{tenant.flow.pk}/"


def draft_for_the_older(tenant: Tenant) -> None:
    document = copy.deepcopy(STRAIGHT_FLOW)
    document["objects"]["adult"]["rules"][0]["when"] = "client.age >= 21"
    flows.save_draft(tenant.caller, tenant.flow, flows.format_source(document))


def test_the_page_shows_which_records_would_go_another_way(acme: Tenant, viewer: Client) -> None:
    changed, _ = insert(acme, {"client": {"age": 20}}), insert(acme, {"client": {"age": 40}})
    drain()
    draft_for_the_older(acme)
    page = viewer.post(url(acme), {"last": "5"})
    assert [(label, count) for label, _, count in page.context["counts"]] == [("same path", 1), ("another path", 1)]
    line = page.context["results"][1]
    assert (line["result"].uuid, line["before"][1], line["after"][1]) == (changed.uuid, "adult → yes", "adult → else")
    assert f"/admin/records/record/{changed.pk}/change/" in page.content.decode()


def test_a_sample_shows_its_course_and_makes_no_record(acme: Tenant, viewer: Client) -> None:
    draft_for_the_older(acme)
    page = viewer.post(url(acme), {"sample": '{"client": {"age": 20}, "note": "<b>"}'})
    assert page.context["results"][0]["path"] == ["start → ok", "adult → else", "refer → ok", "end"]
    assert "<b>" not in page.content.decode().partition("What would become")[2]
    assert Record.objects.count() == 0


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ({"sample": "{"}, "sample"),
        ({"sample": "[1]"}, "refusal"),
        ({"last": "0"}, "last"),
        ({"last": "101"}, "last"),
        ({"last": "many"}, "last"),
    ],
)
def test_what_cannot_be_rehearsed_is_said_beside_the_field(
    acme: Tenant, viewer: Client, data: dict[str, str], message: str
) -> None:
    draft_for_the_older(acme)
    page = viewer.post(url(acme), data)
    assert page.status_code == 200
    assert "results" not in page.context
    if message == "refusal":
        assert page.context["refusal"].message == "A data record is an object."
    else:
        assert list(page.context["form"].errors) == [message]


def test_a_draft_with_problems_names_them(acme: Tenant, viewer: Client) -> None:
    flows.save_draft(acme.caller, acme.flow, '{"format": "flow/1", "start": "start", "objects": {}}')
    page = viewer.post(url(acme), {"last": "5"})
    assert page.context["refusal"].details


def test_without_a_draft_there_is_nothing_to_rehearse(acme: Tenant, viewer: Client) -> None:
    assert "There is nothing to rehearse" in viewer.get(url(acme)).content.decode()
    assert "results" not in viewer.post(url(acme), {"last": "5"}).context


def test_the_flow_of_another_organization_is_not_there(acme: Tenant, rival: Tenant, viewer: Client) -> None:
    draft_for_the_older(rival)
    for answer in (viewer.get(url(rival)), viewer.post(url(rival), {"last": "5"})):
        assert answer.status_code == 404
    assert viewer.get("/admin/records/record/rehearse/999999999/").status_code == 404


def test_whoever_is_not_signed_in_is_sent_to_the_login(acme: Tenant) -> None:
    answer = Client().get(url(acme))
    assert answer.status_code == 302
    assert answer["Location"].startswith("/admin/login/")
