"""Doing jobs: claim one that is due, walk its steps, write down after each how far it has come.

A worker that dies leaves a lease; when it ends, another worker begins the same step again. What a step did in its
transaction is then not there, what it did outside is safe to be done again.
"""

import structlog

from apps.core.errors import FlowizeError
from apps.core.failpoints import failpoint
from apps.environments import job_queue
from apps.environments.job_kinds import plan_of
from apps.environments.job_steps import LeaseLost, Step, StepContext, StepFailed
from apps.environments.models import Environment, EnvironmentJob, JobState, JobStep, Status
from apps.environments.provisioning import provisioner_of
from apps.environments.provisioning.protocol import NotYet, Refused

log = structlog.get_logger(__name__)

MOST_ATTEMPTS = 5
LONGEST_PAUSE = 60.0
PATIENCE_SECONDS = 1800  # how long a driver may keep a step waiting
DIED = "Its worker ended without a word each time it was tried."
DEFECT = "The platform could not do this step ({kind})."


def work() -> bool:
    """Take one job that is due as far as it goes; returns whether there was one."""
    job = job_queue.claim()
    if job is None:
        return False
    failpoint("after-job-claim")
    try:
        _walk(job)
    except LeaseLost:
        log.warning("lease of job lost", job=job.pk)
    return True


def _walk(job: EnvironmentJob) -> None:
    plan = plan_of(job)
    while job.state == JobState.RUNNING:
        step = next((step for step in plan if step.name == job.step), None)
        if step is None:
            return _give_up(job, f"There is no step {job.step} any more.")
        if job.attempts > MOST_ATTEMPTS:
            return _give_up(job, job.error or DIED)
        _try(job, step, _after(plan, step))
    return None


def _after(plan: tuple[Step, ...], step: Step) -> str:
    names = [one.name for one in plan]
    return [*names, ""][names.index(step.name) + 1]


def _try(job: EnvironmentJob, step: Step, following: str) -> None:
    line = job_queue.begin_line(job, step.name)
    try:
        failpoint("before-job-step", step.name)
        _do(job, step, line, following)
        failpoint("after-job-step", step.name)
    except LeaseLost:
        raise
    except NotYet as pause:
        _wait(job, line, pause)
    except (StepFailed, Refused) as refusal:
        _give_up(job, str(refusal), line)
    except FlowizeError as refusal:
        _give_up(job, refusal.message, line)
    except Exception as error:  # whatever a step or a driver raises, the job goes on or says why not
        log.error("job step failed", job=job.pk, step=step.name, exc_info=error)
        _try_later(job, line, error)


def _do(job: EnvironmentJob, step: Step, line: JobStep, following: str) -> None:
    context = StepContext(
        job,
        job.environment,
        provisioner_of(job.environment),
        renew=lambda: job_queue.renew(job),
        report=lambda text: job_queue.tell(line, text),
    )
    said = "" if step.atomic else step.run(context)
    with job_queue.fenced(job):
        if step.atomic:
            said = step.run(context)
        failpoint("before-job-checkpoint", step.name)
        context.environment.save()
        job_queue.end_line(line, said)
        if following:
            job_queue.advance(job, following)
        else:
            job_queue.finish(job, JobState.DONE)


def _wait(job: EnvironmentJob, line: JobStep, pause: NotYet) -> None:
    """Ask again later, but not for ever; what the driver has noted so far is kept."""
    since = job.step_since
    with job_queue.fenced(job):
        waited = (line.started_at - since).total_seconds() if since else 0
        if waited > PATIENCE_SECONDS:
            return _close(job, f"Not finished after {PATIENCE_SECONDS // 60} minutes: {pause.message}", line)
        Environment.objects.filter(pk=job.environment_id).update(driver_state=job.environment.driver_state)
        job_queue.end_line(line, pause.message)
        job_queue.put_back(job, pause.seconds, counted=False)
    return None


def _try_later(job: EnvironmentJob, line: JobStep, error: Exception) -> None:
    reason = DEFECT.format(kind=type(error).__name__)
    with job_queue.fenced(job):
        if job.attempts >= MOST_ATTEMPTS:
            return _close(job, reason, line)
        job_queue.end_line(line, reason, failed=True)
        job_queue.put_back(job, min(LONGEST_PAUSE, 2.0**job.attempts), reason)
    return None


def _give_up(job: EnvironmentJob, reason: str, line: JobStep | None = None) -> None:
    with job_queue.fenced(job):
        _close(job, reason, line)


def _close(job: EnvironmentJob, reason: str, line: JobStep | None) -> None:
    """The job has failed: its environment says so and takes another order, or the same one again."""
    if line:
        job_queue.end_line(line, reason, failed=True)
    job_queue.finish(job, JobState.FAILED, reason[:500])
    # Not the whole row: a step that failed may have changed fields that were not meant to be kept.
    Environment.objects.filter(pk=job.environment_id).update(status=Status.ERROR, status_reason=reason[:500])


def work_all(most: int = 100) -> int:
    """Take up jobs as long as some are due; returns how many were taken up."""
    done = 0
    while done < most and work():
        done += 1
    return done
