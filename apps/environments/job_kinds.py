"""The steps of every kind of job."""

from apps.environments import certificate_steps, deploying, life_steps, optimizing, upgrade_steps
from apps.environments.job_steps import Step
from apps.environments.models import EnvironmentJob, JobKind

PLANS: dict[str, tuple[Step, ...]] = {
    JobKind.CREATE: (),
    JobKind.UPDATE: certificate_steps.STEPS,
    JobKind.UPGRADE: upgrade_steps.SIZE_STEPS,
    JobKind.UPDATE_VERSION: upgrade_steps.VERSION_STEPS,
    JobKind.OPTIMIZE: optimizing.STEPS,
    JobKind.DEPLOY: deploying.DEPLOY_STEPS,
    JobKind.REMOVE_PROJECT: deploying.REMOVE_STEPS,
}
UPGRADES = (JobKind.UPGRADE, JobKind.UPDATE_VERSION, JobKind.OPTIMIZE)


def plan_of(job: EnvironmentJob) -> tuple[Step, ...]:
    """All steps of a job, in order.

    On an environment whose creation failed every job first does what is left of that; deleting takes away whatever
    there is.
    """
    if job.kind == JobKind.DELETE:
        return life_steps.DELETE_STEPS
    before = life_steps.CREATE_STEPS if job.parameters.get("provision") else ()
    announced = (life_steps.UPGRADED,) if job.kind in UPGRADES else ()
    return (*before, *PLANS[job.kind], *announced, life_steps.READY)
