"""Webhooks with their secret addresses, and the storing of events."""

import secrets
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db import connection
from psycopg.types.json import Jsonb

from apps.accounts.models import Workspace
from apps.core import metrics, tokens
from apps.core.jsonio import JSON
from apps.webhooks.models import Webhook
from apps.webhooks.paths import text_at
from apps.webhooks.receivers import Receiver, forget_receivers
from apps.webhooks.selectors import StoredEvent

# One statement whatever the number of events. Of two deliveries with one id the second waits for the first to commit
# and then inserts nothing. An event is dated when it is stored: its transaction may have begun before the record that
# it had to wait for, and must not look older than that.
_INSERT = """
INSERT INTO webhooks_webhookevent (
    workspace_id, webhook_id, event_id, delivery, position, identifier, status, payload, address, record_uuid, refusal,
    replay_of, received_at)
SELECT %(workspace)s, %(webhook)s, event_id, %(delivery)s, n - 1, identifier, status, payload, %(address)s, record_uuid,
       %(refusal)s, %(replay_of)s, statement_timestamp()
FROM unnest(%(event_ids)s::text[], %(identifiers)s::text[], %(statuses)s::text[], %(payloads)s::jsonb[],
            %(records)s::text[]) WITH ORDINALITY AS event (event_id, identifier, status, payload, record_uuid, n)
ORDER BY n
ON CONFLICT (workspace_id, webhook_id, delivery, position) WHERE NOT (delivery = '') DO NOTHING
RETURNING received_at
"""


@dataclass(frozen=True, slots=True)
class RegisteredWebhook:
    """A new webhook with its uri in the clear, for this one moment."""

    webhook: Webhook
    uri: str


class AlreadyDelivered(Exception):
    """A delivery with the same id has been stored first."""


def register_webhook(workspace: Workspace, **fields: Any) -> RegisteredWebhook:
    """Create a webhook of ``workspace``; ``fields`` are those of its form."""
    webhook = Webhook(workspace=workspace, **fields)
    return RegisteredWebhook(webhook, save_with_new_uri(webhook))


def save_with_new_uri(webhook: Webhook) -> str:
    """Save a webhook under a fresh uri of 64 hexadecimal digits, which is returned and never shown again.

    The uri it had takes no more deliveries from then on.
    """
    uri = tokens.new_secret()
    webhook.uri_hash, webhook.uri_prefix = tokens.digest(uri), tokens.prefix(uri)
    webhook.save()
    forget_receivers()
    return uri


def store_events(
    receiver: Receiver,
    payloads: Sequence[JSON],
    *,
    address: str,
    delivery: str = "",
    records: Sequence[str] = (),
    refusal: str = "",
    replay_of: str = "",
) -> list[StoredEvent]:
    """Keep payloads as events, each with the record of its place in ``records``.

    Raises ``AlreadyDelivered`` when any event of that ``delivery`` is there already; the caller's transaction must then
    be rolled back.
    """
    event_ids = [new_event_id() for _ in payloads]
    values: dict[str, Any] = {
        "workspace": receiver.workspace_id,
        "webhook": receiver.webhook_id,
        "event_ids": event_ids,
        "delivery": delivery,
        "identifiers": identifiers(receiver, payloads),
        "statuses": [text_at(receiver.status_path, payload) for payload in payloads],
        "payloads": [Jsonb(payload) for payload in payloads],
        "address": address,
        "records": list(records) or [""] * len(payloads),
        "refusal": refusal,
        "replay_of": replay_of,
    }
    with connection.cursor() as cursor:
        cursor.execute(_INSERT, values)
        stored = cursor.fetchall()
    if len(stored) < len(payloads):
        raise AlreadyDelivered
    metrics.count("webhook_events", by=len(stored))
    moment = stored[0][0]
    return [StoredEvent(key, payload, moment) for key, payload in zip(event_ids, payloads, strict=True)]


def identifiers(receiver: Receiver, payloads: Sequence[JSON]) -> list[str]:
    """Whom each payload is about, "" for those that do not say."""
    return [text_at(receiver.identifier_path, payload) for payload in payloads]


def new_event_id() -> str:
    """24 hexadecimal digits: the second it is made in, then 64 random bits."""
    return f"{int(time.time()):08x}{secrets.token_hex(8)}"
