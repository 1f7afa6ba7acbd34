"""The events of webhooks as records look for them."""

import json
from typing import Any

from django.db import connection

from apps.core.jsonio import StoredJSONDecoder
from apps.flows.engine.results import AppError, Event
from apps.flows.engine.walk import Held, Listen, Outcome
from apps.records.runs import Run
from apps.records.waking import hold_still
from apps.webhooks.models import Webhook

# The oldest one that the record has not taken. Its first run counts from its insertion: what it listens for may be
# there before a worker is. The event that a record was made from is no news to it.
_NEXT = """
SELECT e.id, e.event_id, e.status, e.payload::text
FROM records_record r JOIN webhooks_webhookevent e ON e.workspace_id = r.workspace_id
WHERE r.id = %(record)s AND e.webhook_id = %(webhook)s AND e.identifier = %(identifier)s
  AND e.received_at >= coalesce(%(since)s::timestamptz, CASE r.run_no WHEN 1 THEN r.date_created ELSE r.run_started END)
  AND e.record_uuid <> r.uuid
  AND NOT EXISTS (SELECT FROM records_heardevent h WHERE h.record_id = r.id AND h.event = e.id)
ORDER BY e.id LIMIT 1
"""
_TAKE = "INSERT INTO records_heardevent (record_id, event) VALUES (%s, %s)"
_LISTEN = """
INSERT INTO records_listener (record_id, run_no, seq, webhook_id, identifier) VALUES (%s, %s, %s, %s, %s)
ON CONFLICT (record_id) DO UPDATE SET run_no = excluded.run_no, seq = excluded.seq, webhook_id = excluded.webhook_id,
    identifier = excluded.identifier, child_id = NULL
"""


def webhook_of(run: Run, listen: Listen) -> int | None:
    """The id of the webhook that is listened to; nothing when the workspace has none of that name."""
    rows = Webhook.objects.in_workspace(run.claimed.workspace_id).filter(name=listen.webhook)
    return rows.values_list("pk", flat=True).first()


def next_event(run: Run, listen: Listen, webhook_id: int | None) -> Event | AppError | None:
    """The event, which the record has taken then; nothing when there is none yet."""
    if webhook_id is None:
        return AppError("no_webhook", f"There is no webhook named {listen.webhook}.")
    values: dict[str, Any] = {
        "record": run.claimed.record_id,
        "webhook": webhook_id,
        "identifier": listen.identifier,
        "since": listen.since,
    }
    with connection.cursor() as cursor:
        cursor.execute(_NEXT, values)
        found = cursor.fetchone()
        if found is None:
            return None
        cursor.execute(_TAKE, [run.claimed.record_id, found[0]])
    return Event(found[1], found[2], json.loads(found[3], cls=StoredJSONDecoder))


def keep_listening(run: Run, listen: Listen, webhook_id: int | None, outcome: Outcome) -> None:
    """Have the record woken by the next event, when it is held for one."""
    if not isinstance(outcome, Held):
        return
    token = run.token
    values = [run.claimed.record_id, token.run_no, token.seq, webhook_id, listen.identifier]
    with connection.cursor() as cursor:
        cursor.execute(_LISTEN, values)


def hold_events_still(listen: Listen, webhook_id: int | None) -> None:
    """From here to the end of the transaction no event of that identifier comes in."""
    if webhook_id is not None:
        hold_still(webhook_id, [listen.identifier])
