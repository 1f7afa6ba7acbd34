"""Giving back space: what nobody needs any more goes, and what is left is packed.

The tables of people are files of their own: they are rewritten and their indexes built anew. The rows of everything
else stand in tables that all environments share; those are vacuumed, which makes the room of removed and replaced rows
free for new ones, without being in anybody's way.
"""

from datetime import timedelta

from django.conf import settings
from django.db import OperationalError, connection
from django.utils import timezone

from apps.applications.models import GivenAnswer
from apps.environments import measuring, storage
from apps.environments.job_steps import Step, StepContext
from apps.environments.models import ActivityHour, Measure
from apps.tables import storage as table_storage
from apps.tables.models import Table, Upload
from apps.webhooks.models import WebhookEvent

ACTIVITY_DAYS = 400
SHARED = (
    "records_record", "records_recorddata", "records_recordstep", "records_recordfield", "keystores_keystoreitem",
    "webhooks_webhookevent", "flows_flowversion",
)  # fmt: skip


def weigh(context: StepContext) -> str:
    """Note what the environment holds before."""
    context.job.memo["before"] = sum(storage.bytes_of(measuring.workspace_ids(context.environment)).values())
    return f"{context.job.memo['before']} bytes."


def purge(context: StepContext) -> str:
    """Remove what has expired or belongs to nothing: answers kept for repeated calls, unused uploads, old events."""
    ids, now = measuring.workspace_ids(context.environment), timezone.now()
    answers = GivenAnswer.objects.filter(
        workspace__in=ids, date_created__lt=now - timedelta(seconds=settings.IDEMPOTENCY_SECONDS)
    )
    uploads = Upload.objects.filter(table__workspace__in=ids, date_created__lt=now - timedelta(hours=1))
    removed = [("answers", answers.delete()[0]), ("uploads", uploads.delete()[0])]
    if days := settings.WEBHOOK_EVENT_DAYS:
        events = WebhookEvent.objects.filter(workspace__in=ids, received_at__lt=now - timedelta(days=days))
        removed.append(("webhook events", events.delete()[0]))
    old = ActivityHour.objects.filter(environment=context.environment, hour__lt=now - timedelta(days=ACTIVITY_DAYS))
    removed.append(("hours of statistics", old.delete()[0]))
    return ", ".join(f"{count} {what}" for what, count in removed) + " removed."


def pack(context: StepContext) -> str:
    """Rewrite the environment's tables and vacuum the shared ones; each by itself, so that none is locked for long."""
    own = [
        table_storage.relation(pk)
        for pk in Table.objects.filter(workspace__in=measuring.workspace_ids(context.environment)).values_list(
            "pk", flat=True
        )
    ]
    skipped = 0
    for name in own:
        skipped += not _quietly(f"VACUUM (FULL, ANALYZE) {name}")
        context.renew()
    for name in SHARED:
        skipped += not _quietly(f"VACUUM (SKIP_LOCKED, ANALYZE) {name}")
        context.renew()
    return f"{len(own)} tables rewritten, {len(SHARED)} vacuumed" + (f", {skipped} of them in use." if skipped else ".")


def report(context: StepContext) -> str:
    """Say what it has brought."""
    Measure.objects.filter(environment=context.environment).update(due_at=timezone.now())
    before = context.job.memo["before"]
    after = sum(storage.bytes_of(measuring.workspace_ids(context.environment)).values())
    context.job.memo |= {"after": after, "reclaimed": max(0, before - after)}
    return f"{before} bytes before, {after} after: {max(0, before - after)} reclaimed."


def _quietly(statement: str) -> bool:
    """Run it unless that would mean waiting for others; returns whether it ran."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("SET lock_timeout = '3s'")
            try:
                cursor.execute(statement)
            finally:
                cursor.execute("RESET lock_timeout")
    except OperationalError:
        return False
    return True


STEPS = (
    Step("weigh", weigh),
    Step("purge", purge),
    Step("pack", pack, atomic=False),
    Step("report", report),
)
