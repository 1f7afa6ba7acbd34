"""How a webhook event is answered."""

from typing import Any

from apps.core import dates
from apps.webhooks.receivers import Receiver
from apps.webhooks.selectors import StoredEvent

# The group of apps a webhook belongs to: there is one, the default apps.
PLUGIN_ID = "1"


def shown_event(receiver: Receiver, event: StoredEvent) -> dict[str, Any]:
    """The resource of a stored event."""
    return {
        "_id": {"$id": event.event_id},
        "customer_id": str(receiver.sender.project_id),
        "plugin_id": PLUGIN_ID,
        "application_id": str(receiver.webhook_id),
        "date_created": dates.render_atom(event.received_at, receiver.zone),
        "data": event.payload,
    }
