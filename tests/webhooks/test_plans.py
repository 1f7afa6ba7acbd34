"""How events are found among many."""

import pytest
from django.db import connection

from apps.webhooks.models import WebhookEvent
from apps.webhooks.selectors import events_of_delivery
from apps.webhooks.services import RegisteredWebhook
from tests.conftest import Tenant
from tests.webhooks.cast import webhook_of

_FILL = """
INSERT INTO webhooks_webhookevent (workspace_id, webhook_id, event_id, delivery, position, identifier, status, payload,
                                   address, record_uuid, refusal, replay_of, received_at)
SELECT %s, %s, lpad(to_hex(n), 24, '0'), 'webhook-id:' || n, 0, n::text, '', '{}', '', '', '', '', now()
FROM generate_series(1, %s) n
"""


@pytest.fixture
def _many(acme: Tenant, rival: Tenant, hook: RegisteredWebhook) -> None:
    """A few hundred events of Acme's, and twenty thousand newer ones of Rival's."""
    with connection.cursor() as cursor:
        for tenant, webhook, size in ((acme, hook.webhook, 300), (rival, webhook_of(rival).webhook, 20_000)):
            cursor.execute(_FILL, [tenant.workspace.pk, webhook.pk, size])
        cursor.execute("ANALYZE webhooks_webhookevent")


@pytest.mark.usefixtures("_many")
def test_every_way_to_an_event_has_its_index(acme: Tenant, hook: RegisteredWebhook) -> None:
    workspace, webhook = acme.workspace.pk, hook.webhook.pk
    rows = WebhookEvent.objects.in_workspace(workspace)
    ways = {
        "webhook_event_for": rows.filter(webhook=webhook, identifier="77").order_by("id"),
        "webhook_event_newest": rows.order_by("-id")[:50],
        "webhook_event_once": rows.filter(event_id="0" * 23 + "7"),
        "webhook_delivery_once": rows.filter(webhook=webhook, delivery="webhook-id:7").exclude(delivery=""),
        "webhook_event_of": WebhookEvent.objects.filter(webhook=webhook).order_by("-id")[:1],
    }
    for index, query in ways.items():
        plan = query.explain()
        assert index in plan, plan
        assert "Seq Scan" not in plan
    assert [event.event_id for event in events_of_delivery(workspace, webhook, "webhook-id:255")] == [
        "0" * 22 + "ff",
    ]
