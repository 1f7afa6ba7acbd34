"""The Celery side of flow execution."""

from celery import shared_task

from apps.records.execution import drain
from apps.records.fields import fill_fields
from apps.records.forsaken import wake_forsaken
from apps.records.nudge import nudge_on_commit
from apps.records.runner import ring_runner


@shared_task(name="records.drain")
def drain_due_records() -> int:
    """Run what is due; the message carries nothing, so a lost, late or doubled one changes nothing.

    Where the process has a runner it only rings there. Returns how many records were taken on here.
    """
    if ring_runner():
        return 0
    handled, more = drain()
    if more:
        nudge_on_commit()
    return handled


@shared_task(name="records.fill_data_fields")
def fill_data_fields() -> bool:
    """Read new data fields out of older records, some seconds at a time; the next tick goes on where this one ends."""
    return fill_fields(seconds=4.0)


@shared_task(name="records.wake_forsaken")
def wake_forsaken_records() -> int:
    """Wake the records that listen to webhooks that are gone."""
    return wake_forsaken()
