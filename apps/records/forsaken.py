"""Records that listen to a webhook that is gone: nothing will ever tell them, so they are looked for.

A webhook may be removed, and another may take its name. Whoever listened to the old one looks again: it listens to the
new one, or fails with ``no_webhook``.
"""

from django.db import connection, transaction

from apps.records.waking import wake_listeners

MOST_FORGOTTEN = 10_000

# From each webhook that is listened to straight to the next one: listeners are many, webhooks few.
_GONE = """
WITH RECURSIVE heard AS (
    (SELECT webhook_id AS id FROM records_listener WHERE webhook_id IS NOT NULL ORDER BY webhook_id LIMIT 1)
    UNION ALL
    SELECT (SELECT l.webhook_id FROM records_listener l WHERE l.webhook_id > heard.id ORDER BY l.webhook_id LIMIT 1)
    FROM heard WHERE heard.id IS NOT NULL
)
SELECT id FROM heard WHERE id IS NOT NULL AND NOT EXISTS (SELECT FROM webhooks_webhook w WHERE w.id = heard.id)
"""
# Listeners of steps that are over, so that the next look does not meet them again. Who listens anew holds the lock of
# the record while it writes that down.
_FORGET = """
DELETE FROM records_listener l USING (
    SELECT l.record_id, l.run_no, l.seq FROM records_listener l JOIN records_record w ON w.id = l.record_id
    WHERE l.webhook_id = ANY(%s) AND (w.run_no, w.seq) <> (l.run_no, l.seq)
    ORDER BY w.id LIMIT %s FOR UPDATE OF w SKIP LOCKED
) past WHERE (l.record_id, l.run_no, l.seq) = (past.record_id, past.run_no, past.seq)
"""


def wake_forsaken() -> int:
    """Wake the records that listen to webhooks that are gone; returns how many."""
    with connection.cursor() as cursor:
        cursor.execute(_GONE)
        gone = [key for (key,) in cursor.fetchall()]
        if not gone:
            return 0
        with transaction.atomic():
            woken = wake_listeners(gone)
        cursor.execute(_FORGET, [gone, MOST_FORGOTTEN])
    return woken
