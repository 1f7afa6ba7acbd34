"""Growing an environment, and bringing it to the newest release of the platform."""

from apps.accounts.models import Workspace
from apps.environments import quota, releases
from apps.environments.job_steps import Step, StepContext


def resize(context: StepContext) -> str:
    """Have the driver give the place the size that was ordered; noted only when it has."""
    ordered, environment = context.job.parameters, context.environment
    environment.package_code = ordered["package"]
    environment.storage_addons = ordered["addons"]
    context.provisioner.resize(environment)
    return f"{environment.package.name}, {quota.total_gigabytes(environment)} GB."


def widen_queue(context: StepContext) -> str:
    """Let as many records run at once as the package says, and look at the quota again."""
    environment = context.environment
    concurrency = environment.package.concurrency
    Workspace.objects.filter(api_host=environment.api_host).update(concurrency=concurrency)
    quota.judge(environment)
    return f"{concurrency} records at once."


def run_upgrades(context: StepContext) -> str:
    """Change the environment's data as each newer release asks for, oldest first, noting each as it is done."""
    done = 0
    for release, row in releases.after(context.environment.version):
        releases.upgrade(context.environment, release)
        context.environment.version = row
        done += 1
    return f"{done} releases further: {context.environment.version}."


SIZE_STEPS = (Step("resize", resize, atomic=False), Step("queue", widen_queue))
VERSION_STEPS = (Step("upgrades", run_upgrades),)
