"""Reading webhook events."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from apps.core.jsonio import JSON
from apps.webhooks.models import WebhookEvent


@dataclass(frozen=True, slots=True)
class StoredEvent:
    """An event as its delivery is answered."""

    event_id: str
    payload: JSON
    received_at: datetime


def events_of_delivery(workspace_id: int, webhook_id: int, delivery: str) -> Sequence[StoredEvent]:
    """What was stored of a delivery, in its order; nothing when it has not been seen."""
    rows = WebhookEvent.objects.in_workspace(workspace_id).filter(webhook_id=webhook_id, delivery=delivery)
    found = rows.exclude(delivery="").order_by("position").only("event_id", "payload", "received_at")
    return [StoredEvent(row.event_id, row.payload, row.received_at) for row in found]
