"""The Celery side of flow execution."""

from celery import shared_task

from apps.records.execution import drain
from apps.records.nudge import nudge_on_commit


@shared_task(name="records.drain")
def drain_due_records() -> int:
    """Run what is due; the message carries nothing, so a lost, late or doubled one changes nothing."""
    handled, more = drain()
    if more:
        nudge_on_commit()
    return handled
