"""The Celery side of tables."""

from celery import shared_task

from apps.tables.execution import tend

MOST_SECONDS = 6 * 3600  # an index of a very large table takes its time


@shared_task(name="tables.tend", time_limit=MOST_SECONDS)
def tend_tables() -> None:
    """Build and drop what is due; the message carries nothing, so a lost, late or doubled one changes nothing."""
    tend()
