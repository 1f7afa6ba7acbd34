"""The Celery side of triggers; messages carry nothing, so a lost, late or doubled one changes nothing."""

from celery import current_app, shared_task

from apps.triggers.batch_runs import NUDGE, run_batches
from apps.triggers.schedules import run_due

MOST_SECONDS = 3600  # a large file takes its time to be read through


@shared_task(name="triggers.run_schedules")
def run_schedules() -> int:
    """Make the records of all schedules that are due."""
    return run_due()


@shared_task(name=NUDGE, time_limit=MOST_SECONDS)
def run_ready_batches() -> None:
    """Make the records of batches for a while; when there is more to do, the next message goes on."""
    if run_batches():
        current_app.send_task(NUDGE, retry=False, expires=60, ignore_result=True)
