"""The log of webhook events, and their replay."""

from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from apps.accounts.models import Role
from apps.applications.members import member_caller
from apps.core.errors import Conflict, MissingScope, NotFound
from apps.records.models import Record
from apps.triggers.services import replay_event
from apps.webhooks.models import Webhook, WebhookEvent
from apps.webhooks.services import RegisteredWebhook
from tests.conftest import Tenant
from tests.members import person, signed_in, superuser
from tests.triggers.conftest import ORDER, deliver
from tests.webhooks.cast import webhook_of

LIST = "/admin/webhooks/webhookevent/"


@pytest.fixture
def operator(acme: Tenant) -> Client:
    """An operator of Acme."""
    return signed_in(person("op", acme=Role.OPERATOR))


def listed(client: Client, query: str = "") -> list[str]:
    """The identifiers on a page of the list."""
    return [event.identifier for event in client.get(LIST + query).context["cl"].result_list]


def named(hook: RegisteredWebhook, *identifiers: str) -> None:
    for identifier in identifiers:
        deliver(hook.uri, {"order": {"id": identifier}})


def said(response: Any) -> list[str]:
    return [str(message) for message in response.context["messages"]]


def stop_the_flow(tenant: Tenant, status: str = "inactive") -> None:
    type(tenant.flow).objects.filter(pk=tenant.flow.pk).update(status=status)


# --- Reading ----------------------------------------------------------------------------------------------------


def test_the_newest_events_come_first(hook: RegisteredWebhook, operator: Client) -> None:
    named(hook, "a", "b", "c")
    assert listed(operator) == ["c", "b", "a"]


def test_the_search_finds_whole_identifiers_and_event_ids(
    acme: Tenant, rival: Tenant, hook: RegisteredWebhook, operator: Client
) -> None:
    named(hook, "order-1", "order-2")
    named(webhook_of(rival), "order-1")
    assert listed(operator, "?q=order-1") == ["order-1"]
    assert listed(operator, "?q=%20order-2%20") == ["order-2"]
    assert listed(operator, "?q=order") == []
    event = WebhookEvent.objects.get(identifier="order-2")
    assert listed(operator, f"?q={event.event_id.upper()}") == ["order-2"]
    foreign = WebhookEvent.objects.get(webhook__workspace=rival.workspace)
    assert listed(operator, f"?q={foreign.event_id}") == []
    assert listed(signed_in(superuser()), "?q=order-1") == ["order-1", "order-1"]


def test_the_list_is_filtered_by_webhook_and_outcome(
    acme: Tenant, hook: RegisteredWebhook, inserting: RegisteredWebhook, operator: Client
) -> None:
    named(hook, "stored")
    named(inserting, "record")
    stop_the_flow(acme)
    named(inserting, "refused")
    for outcome in ("stored", "record", "refused"):
        assert listed(operator, f"?outcome={outcome}") == [outcome]
    assert len(listed(operator, "?outcome=nonsense")) == 3
    assert listed(operator, f"?webhook__id__exact={hook.webhook.pk}") == ["stored"]
    page = operator.get(LIST).content.decode()
    assert all(word in page for word in ("Stored", "Record made", "Refused by its flow"))


def test_the_list_is_read_in_as_many_statements_whatever_its_length(hook: RegisteredWebhook, operator: Client) -> None:
    counts = []
    for size in (1, 30):
        named(hook, *map(str, range(size)))
        with CaptureQueriesContext(connection) as queries:
            operator.get(LIST)
        counts.append(len(queries))
        assert not any('"payload"' in query["sql"] for query in queries)
    assert counts[0] == counts[1]


def test_the_page_of_an_event_shows_payload_record_and_reason(
    acme: Tenant, inserting: RegisteredWebhook, operator: Client
) -> None:
    named(inserting, "made")
    stop_the_flow(acme)
    deliver(inserting.uri, {"order": {"id": "<b onload=x>"}, "note": "</pre><script>alert(1)</script>"})
    refused, made = WebhookEvent.objects.order_by("-id")
    page = operator.get(f"{LIST}{made.pk}/change/")
    assert f"/admin/records/record/{Record.objects.get().pk}/change/" in page.content.decode()
    assert page.context["payload"] == '{\n  "order": {\n    "id": "made"\n  }\n}'
    assert ("Identifier", "made") in page.context["facts"]
    text = operator.get(f"{LIST}{refused.pk}/change/").content.decode()
    assert "The flow intake takes no data records: it is inactive." in text
    assert "<script>alert" not in text
    assert "<b onload" not in text
    Record.objects.all().delete()
    assert f"{made.record_uuid} (removed)" in operator.get(f"{LIST}{made.pk}/change/").content.decode()


def test_an_empty_log(operator: Client, acme: Tenant) -> None:
    assert operator.get(LIST).status_code == 200


# --- Replaying --------------------------------------------------------------------------------------------------


def test_a_replay_is_a_new_event_with_a_record_of_its_own(
    acme: Tenant, inserting: RegisteredWebhook, operator: Client
) -> None:
    deliver(inserting.uri, headers={"Webhook-Id": "m-1"})
    first = WebhookEvent.objects.get()
    response = operator.post(f"{LIST}{first.pk}/replay/", follow=True)
    again = WebhookEvent.objects.exclude(pk=first.pk).get()
    assert said(response) == [f"The event has been taken in once more as {again.event_id}."]
    assert response.redirect_chain == [(f"{LIST}{again.pk}/change/", 302)]
    assert (again.payload, again.replay_of, again.delivery) == (ORDER, first.event_id, "")
    assert (again.identifier, again.status, again.webhook) == ("A-1", "paid", inserting.webhook)
    assert {first.record_uuid, again.record_uuid} == set(Record.objects.values_list("uuid", flat=True))
    assert Record.objects.count() == 2
    assert first.event_id in response.content.decode()
    assert LogEntry.objects.get().get_change_message() == f"Replayed as {again.event_id}."


def test_an_event_without_a_flow_is_replayed_for_those_who_listen(hook: RegisteredWebhook, operator: Client) -> None:
    deliver(hook.uri)
    operator.post(f"{LIST}{WebhookEvent.objects.get().pk}/replay/")
    assert WebhookEvent.objects.count() == 2
    assert not Record.objects.exists()


def test_a_replay_asks_the_webhook_as_it_is_now(acme: Tenant, hook: RegisteredWebhook, operator: Client) -> None:
    deliver(hook.uri, {"order": {"id": 1}, "id": 2})
    Webhook.objects.update(flow="intake", identifier_path="id", active=False)
    operator.post(f"{LIST}{WebhookEvent.objects.get().pk}/replay/")
    again = WebhookEvent.objects.first()
    assert (again.identifier, again.record_uuid) == ("2", Record.objects.get().uuid)


def test_a_refused_event_can_be_replayed_once_its_flow_runs(
    acme: Tenant, inserting: RegisteredWebhook, operator: Client
) -> None:
    stop_the_flow(acme)
    deliver(inserting.uri)
    event = WebhookEvent.objects.get()
    response = operator.post(f"{LIST}{event.pk}/replay/", follow=True)
    assert said(response) == ["The flow intake takes no data records: it is inactive."]
    assert WebhookEvent.objects.count() == 1
    stop_the_flow(acme, "running")
    operator.post(f"{LIST}{event.pk}/replay/")
    assert (WebhookEvent.objects.count(), Record.objects.count()) == (2, 1)


def test_several_are_replayed_and_each_refusal_is_told(
    acme: Tenant, hook: RegisteredWebhook, inserting: RegisteredWebhook, operator: Client
) -> None:
    named(hook, "a", "b")
    stop_the_flow(acme)
    named(inserting, "c")
    keys = [event.pk for event in WebhookEvent.objects.all()]
    refused = WebhookEvent.objects.get(identifier="c")
    response = operator.post(LIST, {"action": "replay_selected", "_selected_action": keys}, follow=True)
    assert said(response) == [
        "2 events replayed.",
        f"{refused.event_id}: The flow intake takes no data records: it is inactive.",
    ]
    assert [event.identifier for event in WebhookEvent.objects.order_by("id")] == ["a", "b", "c", "a", "b"]


def test_too_many_at_once_are_refused(
    hook: RegisteredWebhook, operator: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("apps.triggers.admin.events.MOST_REPLAYED", 2)
    named(hook, "a", "b", "c")
    keys = [event.pk for event in WebhookEvent.objects.all()]
    response = operator.post(LIST, {"action": "replay_selected", "_selected_action": keys}, follow=True)
    assert said(response) == ["At most 2 events can be replayed at once."]
    assert WebhookEvent.objects.count() == 3


@pytest.mark.parametrize(
    ("role", "replays", "deletes"),
    [(Role.VIEWER, 0, 0), (Role.OPERATOR, 1, 0), (Role.DEVELOPER, 1, 1), (Role.OWNER, 1, 1)],
)
def test_what_each_role_may_do(hook: RegisteredWebhook, role: Role, replays: int, deletes: int) -> None:
    deliver(hook.uri)
    event = WebhookEvent.objects.get()
    client = signed_in(person("somebody", acme=role))
    page = client.get(f"{LIST}{event.pk}/change/").content.decode()
    assert (f"{event.pk}/replay/" in page, f"{event.pk}/delete/" in page) == (bool(replays), bool(deletes))
    client.post(f"{LIST}{event.pk}/replay/")
    assert WebhookEvent.objects.count() == 1 + replays
    client.post(LIST, {"action": "replay_selected", "_selected_action": [event.pk]})
    assert WebhookEvent.objects.count() == 1 + 2 * replays
    client.post(f"{LIST}{event.pk}/delete/", {"post": "yes"})
    assert WebhookEvent.objects.filter(pk=event.pk).exists() is not bool(deletes)


def test_a_role_elsewhere_does_not_count(acme: Tenant, rival: Tenant, hook: RegisteredWebhook) -> None:
    deliver(hook.uri)
    event = WebhookEvent.objects.get()
    both = signed_in(person("both", acme=Role.VIEWER, rival=Role.OWNER))
    assert both.post(f"{LIST}{event.pk}/replay/").status_code == 403
    response = both.post(LIST, {"action": "replay_selected", "_selected_action": [event.pk]}, follow=True)
    assert said(response) == [f"{event.event_id}: your role does not allow it."]
    assert WebhookEvent.objects.count() == 1


def test_a_replay_needs_a_post(hook: RegisteredWebhook, operator: Client) -> None:
    deliver(hook.uri)
    assert operator.get(f"{LIST}{WebhookEvent.objects.get().pk}/replay/").status_code == 405
    assert WebhookEvent.objects.count() == 1


@pytest.mark.parametrize("page", ["add/", "1/change/"])
def test_nobody_writes_events_here(hook: RegisteredWebhook, page: str) -> None:
    deliver(hook.uri)
    path = page.replace("1", str(WebhookEvent.objects.get().pk))
    client = signed_in(superuser())
    before = WebhookEvent.objects.values().get()
    assert client.post(LIST + path, {"identifier": "forged"}).status_code == 403
    assert WebhookEvent.objects.values().get() == before


def test_the_service_asks_for_the_scope_and_the_workspace(acme: Tenant, rival: Tenant, inserting: Any) -> None:
    deliver(inserting.uri)
    key = WebhookEvent.objects.get().event_id
    with pytest.raises(MissingScope):
        replay_event(member_caller(acme.workspace, Role.VIEWER), key)
    for caller, name in ((rival.caller, key), (acme.caller, "0" * 24), (acme.caller, "\0")):
        with pytest.raises(NotFound):
            replay_event(caller, name)
    stop_the_flow(acme)
    with pytest.raises(Conflict):
        replay_event(acme.caller, key)
    assert (WebhookEvent.objects.count(), Record.objects.count()) == (1, 1)
