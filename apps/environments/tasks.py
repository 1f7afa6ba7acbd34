"""The Celery side of environments."""

from celery import shared_task

from apps.environments.execution import work_all
from apps.environments.expiry import warn
from apps.environments.measuring import measure_due

MOST_SECONDS = 6 * 3600  # deploying a project with very large tables takes its time


@shared_task(name="environments.work", time_limit=MOST_SECONDS)
def work_on_jobs() -> int:
    """Do the jobs that are due; the message carries nothing, so a lost, late or doubled one changes nothing."""
    return work_all()


@shared_task(name="environments.warn_of_expiry")
def warn_of_expiry() -> int:
    """Tell owners of certificates that end soon."""
    return warn()


@shared_task(name="environments.measure")
def measure_environments() -> int:
    """Measure the environments whose time has come."""
    return measure_due()
