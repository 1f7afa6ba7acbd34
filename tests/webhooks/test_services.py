"""Secret addresses, the finding of webhooks, and how long events are kept."""

import re
from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings as installed
from django.db import IntegrityError, transaction
from django.utils import timezone

from apps.accounts.models import Workspace
from apps.core import tokens
from apps.core.errors import AddressNotAllowed, NotFound
from apps.webhooks import retention
from apps.webhooks.example import curl_line, url_of
from apps.webhooks.models import Webhook, WebhookEvent
from apps.webhooks.receivers import Receiver, find_receiver, forget_receivers
from apps.webhooks.services import RegisteredWebhook, new_event_id, save_with_new_uri, store_events
from apps.webhooks.tasks import clear_old_events
from tests.conftest import Tenant
from tests.webhooks.cast import webhook_of


def found(uri: str, host: str = "testserver", address: str = "127.0.0.1") -> int:
    return find_receiver(uri, host=host, address=address).webhook_id


def test_a_uri_has_256_bits_and_is_kept_as_a_hash(hook: RegisteredWebhook) -> None:
    assert re.fullmatch(r"[0-9a-f]{64}", hook.uri)
    row = Webhook.objects.filter(pk=hook.webhook.pk).values().get()
    assert row["uri_hash"] == tokens.digest(hook.uri)
    assert row["uri_prefix"] == hook.uri[:8]
    assert hook.uri not in str(row)


def test_a_new_uri_ends_the_old_one(hook: RegisteredWebhook) -> None:
    assert found(hook.uri) == hook.webhook.pk
    fresh = save_with_new_uri(hook.webhook)
    assert found(fresh) == hook.webhook.pk
    with pytest.raises(NotFound):
        found(hook.uri)


def test_names_are_unique_in_a_workspace_only(acme: Tenant, rival: Tenant, hook: RegisteredWebhook) -> None:
    webhook_of(rival)
    with pytest.raises(IntegrityError), transaction.atomic():
        webhook_of(acme)


@pytest.mark.parametrize("uri", ["", "nope", "0" * 64, "\0", "ż", "x" * 10_000])
def test_unknown_uris(hook: RegisteredWebhook, uri: str) -> None:
    with pytest.raises(NotFound) as refused:
        found(uri)
    assert refused.value.message == "The requested resource doesn't exist."


def test_a_webhook_that_is_off_looks_like_none(hook: RegisteredWebhook) -> None:
    Webhook.objects.update(active=False)
    with pytest.raises(NotFound) as refused:
        found(hook.uri)
    assert refused.value.message == NotFound.default_message


def test_known_webhooks_are_remembered_for_a_moment(
    hook: RegisteredWebhook, django_assert_num_queries: Any, settings: Any
) -> None:
    settings.CREDENTIAL_CACHE_SECONDS = 60
    with django_assert_num_queries(1):
        assert found(hook.uri) == found(hook.uri) == hook.webhook.pk
    forget_receivers()
    with django_assert_num_queries(1):
        found(hook.uri)


@pytest.mark.parametrize(
    ("listed", "address", "allowed"),
    [
        ("0.0.0.0/0\n::/0", "203.0.113.9", True),
        ("0.0.0.0/0\n::/0", "2001:db8::1", True),
        ("0.0.0.0/0", "2001:db8::1", False),
        ("203.0.113.9, 10.0.0.0/8", "10.1.2.3", True),
        ("203.0.113.9", "203.0.113.8", False),
        ("", "127.0.0.1", False),
        ("0.0.0.0/0", "", False),
    ],
)
def test_the_address_list_decides(acme: Tenant, listed: str, address: str, allowed: bool) -> None:
    uri = webhook_of(acme, addresses=listed).uri
    if allowed:
        assert found(uri, address=address)
        return
    with pytest.raises(AddressNotAllowed):
        found(uri, address=address)


def test_the_host_picks_the_copy(acme: Tenant, hook: RegisteredWebhook) -> None:
    assert found(hook.uri, host="api.acme.example") == hook.webhook.pk
    deployed = Workspace.objects.create(project=acme.project, api_host="api.acme.example")
    forget_receivers()
    with pytest.raises(NotFound):
        found(hook.uri, host="api.acme.example")
    copy = Webhook.objects.create(workspace=deployed, name="orders", uri_hash=hook.webhook.uri_hash)
    assert found(hook.uri, host="api.acme.example") == copy.pk
    assert found(hook.uri) == hook.webhook.pk
    Webhook.objects.filter(pk=copy.pk).update(active=False)
    forget_receivers()
    with pytest.raises(NotFound):
        found(hook.uri, host="api.acme.example")


def test_the_host_of_another_project_picks_nothing_else(acme: Tenant, rival: Tenant, hook: RegisteredWebhook) -> None:
    Workspace.objects.create(project=rival.project, api_host="api.rival.example")
    assert found(hook.uri, host="api.rival.example") == hook.webhook.pk


def test_a_sender_may_insert_records_and_nothing_else(hook: RegisteredWebhook, acme: Tenant) -> None:
    caller = find_receiver(hook.uri, host="", address="127.0.0.1").caller("127.0.0.1")
    assert caller.scopes == {"record"}
    assert (caller.workspace_id, caller.application_id, caller.default_flow) == (acme.workspace.pk, None, "")


def test_the_example_is_a_command_that_fits_the_paths(hook: RegisteredWebhook, acme: Tenant) -> None:
    url = f"{installed.PUBLIC_URL}/v1/webhook/abc"
    assert curl_line(hook.webhook, "abc") == (
        f"curl -s {url} -H 'Content-Type: application/json' "
        """-d '{"order": {"id": "example-1", "status": "received"}}'"""
    )
    other = Webhook(workspace=acme.workspace, identifier_path="it's", status_path="it's.deeper")
    assert curl_line(other, "abc").endswith("""-d '{"it'"'"'s": "example-1"}'""")
    assert curl_line(Webhook(workspace=acme.workspace), "abc").endswith("""-d '{"hello": "webhook"}'""")


def test_the_address_is_on_the_host_of_the_copy(acme: Tenant, settings: Any) -> None:
    settings.PUBLIC_URL = "https://flowize.example:8443"
    deployed = Workspace(project=acme.project, api_host="api-x.example")
    assert url_of(Webhook(workspace=acme.workspace), "abc") == "https://flowize.example:8443/v1/webhook/abc"
    assert url_of(Webhook(workspace=deployed), "abc") == "https://api-x.example:8443/v1/webhook/abc"


def stored(hook: RegisteredWebhook, *payloads: Any) -> list[str]:
    receiver = Receiver.of(hook.webhook)
    return [event.event_id for event in store_events(receiver, payloads, address="127.0.0.1")]


def test_events_are_found_by_their_identifier_in_order(acme: Tenant, rival: Tenant, hook: RegisteredWebhook) -> None:
    other, foreign = webhook_of(acme, name="other"), webhook_of(rival)
    first, _, third = stored(hook, {"order": {"id": 1}}, {"order": {"id": 2}}, {"order": {"id": "1", "status": "x"}})
    stored(hook, {"nothing": 1})
    stored(other, {"order": {"id": 1}})
    stored(foreign, {"order": {"id": 1}})
    (later,) = stored(hook, {"order": {"id": 1}})
    events = WebhookEvent.objects.filter(webhook=hook.webhook).order_by("id")
    rows = events.filter(identifier="1")
    assert [row.event_id for row in rows] == [first, third, later]
    assert [row.status for row in rows] == ["", "x", ""]
    assert [row.payload for row in events.filter(identifier="")] == [{"nothing": 1}]
    assert {row.workspace_id for row in events} == {acme.workspace.pk}


def test_event_ids_are_24_hex_digits_of_their_own() -> None:
    made = {new_event_id() for _ in range(1000)}
    assert len(made) == 1000
    assert all(re.fullmatch(r"[0-9a-f]{24}", key) for key in made)


def test_a_thousand_events_are_one_statement(hook: RegisteredWebhook, django_assert_num_queries: Any) -> None:
    with django_assert_num_queries(1):
        keys = stored(hook, *({"order": {"id": number}} for number in range(1000)))
    assert list(WebhookEvent.objects.order_by("id").values_list("event_id", flat=True)) == keys
    assert [row.position for row in WebhookEvent.objects.order_by("id")[:3]] == [0, 1, 2]


def test_old_events_go_the_oldest_first(
    hook: RegisteredWebhook, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retention, "REMOVED_AT_ONCE", 2)
    keys = stored(hook, *[{}] * 7)
    age = {keys[number]: timezone.now() - timedelta(days=3, minutes=1) for number in range(5)}
    for key, moment in age.items():
        WebhookEvent.objects.filter(event_id=key).update(received_at=moment)
    clear_old_events()
    assert WebhookEvent.objects.count() == 7
    settings.WEBHOOK_EVENT_DAYS = 4
    clear_old_events()
    assert WebhookEvent.objects.count() == 7
    settings.WEBHOOK_EVENT_DAYS = 3
    clear_old_events()
    assert list(WebhookEvent.objects.order_by("id").values_list("event_id", flat=True)) == keys[5:]


def test_events_go_with_their_webhook(acme: Tenant, hook: RegisteredWebhook) -> None:
    kept = webhook_of(acme, name="kept")
    stored(hook, {}, {})
    (left,) = stored(kept, {})
    hook.webhook.delete()
    assert [row.event_id for row in WebhookEvent.objects.all()] == [left]


def test_the_task_is_scheduled() -> None:
    schedule = installed.CELERY_BEAT_SCHEDULE["clear-old-events"]
    assert (schedule["task"], schedule["schedule"]) == (clear_old_events.name, 3600.0)
