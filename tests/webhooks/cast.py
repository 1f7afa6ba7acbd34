"""The webhook of the cast."""

from typing import Any

from apps.webhooks.services import RegisteredWebhook, register_webhook
from tests.conftest import Tenant


def webhook_of(tenant: Tenant, **fields: Any) -> RegisteredWebhook:
    """A webhook of a tenant that looks for ``order.id`` and ``order.status``."""
    given = {"name": "orders", "identifier_path": "order.id", "status_path": "order.status", "rate_limit": 0} | fields
    return register_webhook(tenant.workspace, **given)
