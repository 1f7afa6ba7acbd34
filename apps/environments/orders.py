"""How every change of an environment begins: alone, and only while nothing else is under way."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from django.db import transaction
from django.utils import timezone

from apps.core.errors import Conflict
from apps.environments.callers import OrganizationCaller
from apps.environments.job_kinds import plan_of
from apps.environments.models import QUIET, Environment, EnvironmentJob, JobKind, JobState, Status
from apps.environments.nudge import nudge_on_commit
from apps.environments.selectors import get_environment

STATUS_OF = {
    JobKind.CREATE: Status.CREATING,
    JobKind.UPDATE: Status.UPDATING,
    JobKind.UPGRADE: Status.UPGRADING,
    JobKind.UPDATE_VERSION: Status.UPGRADING,
    JobKind.OPTIMIZE: Status.UPGRADING,
    JobKind.DEPLOY: Status.UPDATING,
    JobKind.REMOVE_PROJECT: Status.UPDATING,
    JobKind.DELETE: Status.DELETING,
}


@contextmanager
def changing(caller: OrganizationCaller, environment_id: str | int) -> Iterator[Environment]:
    """The environment under a lock, in a transaction.

    Raises ``NotFound`` for one that is not the caller's, and ``Conflict`` while a job of its is under way.
    """
    caller.require_manager()
    environment = get_environment(caller.organization_id, environment_id)
    _require_quiet(environment)  # before waiting for the lock, which a job may hold for as long as its step takes
    with transaction.atomic():
        locked = Environment.objects.select_for_update(of=("self",)).select_related("version").get(pk=environment.pk)
        _require_quiet(locked)
        yield locked


def begin(
    caller: OrganizationCaller, environment: Environment, kind: JobKind, parameters: Mapping[str, Any]
) -> EnvironmentJob:
    """Put a job into the queue and let the environment say so; only inside ``changing``, or on a new environment.

    A job that failed before is given up: what it left half done, the steps of the new one put right.
    """
    EnvironmentJob.objects.filter(environment=environment, state=JobState.FAILED).update(state=JobState.SUPERSEDED)
    if kind != JobKind.UPDATE:
        environment.certificates.filter(live=False).delete()  # not brought into force, and nobody will any more
    job = EnvironmentJob(
        environment=environment,
        kind=kind,
        parameters={**parameters, "provision": environment.provisioned_at is None},
        requested_by=caller.name,
        wake_at=timezone.now(),
    )
    job.step = plan_of(job)[0].name
    job.save()
    _show(environment, kind)
    return job


def resume(environment: Environment) -> EnvironmentJob:
    """Put the job that failed back into the queue, at the step where it failed; only inside ``changing``."""
    job = environment.jobs.filter(state=JobState.FAILED).first()
    if job is None:
        raise Conflict("No job of this environment has failed.")
    job.state, job.attempts, job.step_since = JobState.QUEUED, 0, None
    job.wake_at, job.date_finished, job.error = timezone.now(), None, ""
    job.save()
    _show(environment, JobKind(job.kind))
    return job


def _require_quiet(environment: Environment) -> None:
    if environment.status not in QUIET:
        raise Conflict(f"The environment is {environment.status}: wait until it is ready.")


def _show(environment: Environment, kind: JobKind) -> None:
    environment.status, environment.status_reason = STATUS_OF[kind], ""
    environment.save(update_fields=["status", "status_reason", "date_updated"])
    nudge_on_commit()
