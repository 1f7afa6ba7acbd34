"""Acting on records in their list, and finding them there."""

from typing import Any

import pytest
from django.test import Client

from apps.accounts.models import Role
from apps.flows import services as flows
from apps.records.admin import actions
from apps.records.models import Hold, Record, Status
from apps.schemas.fields import create_field
from tests.conftest import STRAIGHT_FLOW, Tenant, publish
from tests.members import person, signed_in, superuser
from tests.records.conftest import insert

LIST = "/admin/records/record/"


@pytest.fixture
def operator(acme: Tenant) -> Client:
    """Somebody who runs Acme's queue."""
    return signed_in(person("op", acme=Role.OPERATOR))


def act(client: Client, action: str, *records: Record, **more: str) -> tuple[int, list[str]]:
    form = {"action": action, "_selected_action": [row.pk for row in records], "select_across": "0"} | more
    response = client.post(LIST, form, follow=True)
    return response.status_code, [str(message) for message in response.context["messages"]]


def failed(tenant: Tenant, uuid: str) -> Record:
    record = insert(tenant, uuid=uuid)
    Record.objects.filter(pk=record.pk).update(status=Status.FAILED, hold=Hold.ERROR, wake_at=None)
    return record


def listed(client: Client, query: str) -> set[str]:
    return {record.uuid for record in client.get(LIST + query).context["cl"].result_list}


@pytest.mark.parametrize(
    ("action", "message", "columns"),
    [
        ("pause", "1 record paused.", (Status.NOT_RUNNING, Hold.PAUSED)),
        ("execute", "1 record executed.", (Status.NOT_RUNNING, Hold.NONE)),
        ("dequeue", "1 record deleted from the queue.", (Status.NOT_RUNNING, Hold.NONE)),
    ],
)
def test_operators_act_on_the_queue(
    acme: Tenant, operator: Client, action: str, message: str, columns: tuple[int, int]
) -> None:
    record = insert(acme)
    assert act(operator, action, record) == (200, [message])
    record.refresh_from_db()
    assert (record.status, record.hold) == columns
    assert (record.wake_at is None) is (action != "execute")


def test_paused_and_failed_records_go_on(acme: Tenant, operator: Client) -> None:
    paused, broken = insert(acme), failed(acme, "broken")
    act(operator, "pause", paused)
    assert act(operator, "resume", paused)[1] == ["1 record resumed."]
    assert act(operator, "carry_on", broken)[1] == ["1 record resumed from error status."]
    assert set(Record.objects.values_list("status", "hold")) == {(0, 0)}


def test_a_failed_record_is_reviewed(acme: Tenant, operator: Client) -> None:
    record = failed(acme, "broken")
    assert act(operator, "review", record)[1] == ["1 record reviewed."]
    record.refresh_from_db()
    assert (record.status, record.hold) == (Status.REVIEWED, Hold.NONE)


def test_each_refusal_is_told(acme: Tenant, operator: Client) -> None:
    new, broken = insert(acme, uuid="new"), failed(acme, "broken")
    assert act(operator, "carry_on", new, broken)[1] == [
        "1 record resumed from error status.",
        "new: Data record cannot be resumed from error status: its queue status is New",
    ]
    assert act(operator, "review", new)[1] == ["new: Data record cannot be reviewed: its queue status is New"]


def test_many_refusals_are_counted(acme: Tenant, operator: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    records = [insert(acme) for _ in range(13)]
    failed(acme, "broken")
    told = act(operator, "carry_on", *records, Record.objects.get(uuid="broken"))[1]
    assert (len(told), told[-1]) == (12, "3 more could not be changed.")
    monkeypatch.setattr(actions, "MOST_CHOSEN", 5)
    assert act(operator, "pause", *records)[1] == ["Choose at most 5 records at a time."]


def test_moving_asks_for_the_flow(acme: Tenant, rival: Tenant, operator: Client) -> None:
    other = publish(acme, STRAIGHT_FLOW | {"name": "other"})
    flows.create_flow(acme.caller, name="draft")
    record = insert(acme)
    page = operator.post(LIST, {"action": "move", "_selected_action": [record.pk], "select_across": "0"})
    assert [flow.name for flow in page.context["flows"]] == ["intake", "other"]
    assert "Move 1 record to another flow" in page.content.decode()
    foreign = operator.post(LIST, {"action": "move", "_selected_action": [record.pk], "flow": rival.flow.pk})
    assert foreign.status_code == 200
    assert act(operator, "move", record, flow=str(other.pk))[1] == ["1 record moved."]
    record.refresh_from_db()
    assert (record.flow, record.run_no) == (other, 2)


def test_records_of_two_projects_do_not_move_together(acme: Tenant, rival: Tenant) -> None:
    client = signed_in(superuser())
    for chosen in ([insert(acme), insert(rival)], [insert(acme), insert(acme), insert(rival)]):
        told = act(client, "move", *chosen, flow=str(acme.flow.pk))[1]
        assert told == ["Choose records of one project: they move within it."]
    assert act(client, "pause", *Record.objects.all())[1] == ["5 records paused."]


@pytest.mark.parametrize("action", ["pause", "resume", "execute", "dequeue", "carry_on", "review", "move"])
def test_viewers_act_on_nothing(acme: Tenant, action: str) -> None:
    record = insert(acme)
    viewer = signed_in(person("vi", acme=Role.VIEWER))
    before = Record.objects.values().get()
    viewer.post(LIST, {"action": action, "_selected_action": [record.pk], "flow": acme.flow.pk})
    assert Record.objects.values().get() == before
    assert "Run now" not in viewer.get(LIST).content.decode()


def test_a_right_in_one_organization_is_none_in_another(acme: Tenant, rival: Tenant) -> None:
    client = signed_in(person("both", acme=Role.OPERATOR, rival=Role.VIEWER))
    record = insert(rival)
    before = Record.objects.values().get()
    chosen: dict[str, Any] = {"action": "pause", "_selected_action": [record.pk]}
    assert client.post(LIST, chosen).status_code == 403
    assert Record.objects.values().get() == before


def test_records_are_found_by_data_field_and_date(acme: Tenant, rival: Tenant, operator: Client) -> None:
    for tenant in (acme, rival):
        create_field(tenant.caller, name="age", path="client.age")
    insert(acme, {"client": {"age": 30}}, uuid="a")
    insert(acme, {"client": {"age": 31}}, uuid="b")
    insert(rival, {"client": {"age": 30}}, uuid="foreign")
    insert(acme, uuid="x=1")
    assert listed(operator, "?q=age%3D30") == {"a", "x=1"}
    assert listed(operator, "?q=age%20%3D%2031") == {"b"}
    assert listed(operator, "?q=x%3D1") == {"x=1"}
    assert listed(operator, "?q=nothing%3D30") == set()
    assert listed(operator, "?hold__exact=1") == set()
    assert listed(operator, "?date_created__gte=2020-01-01%2000:00:00%2B00:00") == {"a", "b", "x=1"}
    assert listed(operator, "?date_created__lt=2020-01-01%2000:00:00%2B00:00") == set()
