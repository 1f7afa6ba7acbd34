"""The rows of jobs as a queue: claiming under a lease, checkpoints that only match while the lease is ours."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from uuid import uuid4

from django.conf import settings
from django.db import DEFAULT_DB_ALIAS, connection, connections, transaction
from django.utils import timezone

from apps.environments.job_steps import LeaseLost
from apps.environments.models import EnvironmentJob, JobState, JobStep

# Who does a step in one transaction keeps the row locked; its lease may run out, but nobody else takes it.
_CLAIM = """
UPDATE environments_environmentjob
SET state = 'running', lease_token = %(token)s, attempts = attempts + 1,
    step_since = coalesce(step_since, clock_timestamp()), wake_at = clock_timestamp() + %(lease)s * interval '1 second'
WHERE id = (
    SELECT id FROM environments_environmentjob WHERE state IN ('queued', 'running') AND wake_at <= clock_timestamp()
    ORDER BY wake_at LIMIT 1 FOR UPDATE SKIP LOCKED)
RETURNING id
"""
_RENEW = """
UPDATE environments_environmentjob SET wake_at = clock_timestamp() + %(lease)s * interval '1 second'
WHERE id = %(id)s AND lease_token = %(token)s
"""


def claim() -> EnvironmentJob | None:
    """Lease the job that is due longest, with its environment; none when nothing is due."""
    with connection.cursor() as cursor:
        cursor.execute(_CLAIM, {"token": uuid4(), "lease": settings.ENVIRONMENT_LEASE_SECONDS})
        row = cursor.fetchone()
    return EnvironmentJob.objects.select_related("environment__version").get(pk=row[0]) if row else None


def renew(job: EnvironmentJob) -> None:
    """Extend the lease; raises ``LeaseLost``."""
    with connection.cursor() as cursor:
        cursor.execute(_RENEW, {"id": job.pk, "token": job.lease_token, "lease": settings.ENVIRONMENT_LEASE_SECONDS})
        if not cursor.rowcount:
            raise LeaseLost


@contextmanager
def fenced(job: EnvironmentJob) -> Iterator[None]:
    """A transaction that begins by making sure that the lease is ours, and keeps it so; raises ``LeaseLost``."""
    with transaction.atomic():
        mine = EnvironmentJob.objects.select_for_update(of=("self",)).filter(
            pk=job.pk, lease_token=job.lease_token, state=JobState.RUNNING
        )
        if not mine.exists():
            raise LeaseLost
        yield


def advance(job: EnvironmentJob, step: str) -> None:
    """Note that the job stands before another step, under a renewed lease; only inside ``fenced``."""
    job.step, job.attempts, job.step_since, job.error = step, 1, timezone.now(), ""
    job.wake_at = timezone.now() + timedelta(seconds=settings.ENVIRONMENT_LEASE_SECONDS)
    job.save()


def put_back(job: EnvironmentJob, seconds: float, error: str = "", *, counted: bool = True) -> None:
    """Give the job back, due in so many seconds; only inside ``fenced``."""
    job.state, job.lease_token, job.error = JobState.QUEUED, None, error
    job.attempts -= 0 if counted else 1
    job.wake_at = timezone.now() + timedelta(seconds=seconds)
    job.save(update_fields=["state", "lease_token", "error", "attempts", "wake_at"])


def finish(job: EnvironmentJob, state: JobState, error: str = "") -> None:
    """Close the job; only inside ``fenced``."""
    job.state, job.lease_token, job.wake_at, job.error = state, None, None, error
    job.date_finished = timezone.now()
    job.save(update_fields=["state", "lease_token", "error", "wake_at", "date_finished"])


def begin_line(job: EnvironmentJob, step: str) -> JobStep:
    """A line of the log for an attempt that begins now."""
    return JobStep.objects.create(job=job, step=step, attempt=job.attempts, started_at=timezone.now())


def end_line(line: JobStep, message: str, *, failed: bool = False) -> None:
    """What came of the attempt."""
    line.finished_at, line.failed, line.message = timezone.now(), failed, message[:500]
    line.save(update_fields=["finished_at", "failed", "message"])


def tell(line: JobStep, text: str) -> None:
    """Let people see at once what an attempt is doing, whatever transaction it is in the middle of."""
    beside = connections.create_connection(DEFAULT_DB_ALIAS)
    try:
        with beside.cursor() as cursor:
            cursor.execute("UPDATE environments_jobstep SET message = %s WHERE id = %s", [text[:500], line.pk])
    finally:
        beside.close()
