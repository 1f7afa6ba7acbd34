"""The steps that begin and end the life of an environment."""

from django.utils import timezone

from apps.accounts.models import Workspace
from apps.environments import removal
from apps.environments.job_steps import Step, StepContext
from apps.environments.models import Measure, Status


def allocate(context: StepContext) -> str:
    """Have the driver make the place, and note its hosts."""
    hosts = context.provisioner.allocate(context.environment)
    environment = context.environment
    environment.www_host, environment.api_host, environment.web_host = hosts.www, hosts.api, hosts.web
    environment.address = hosts.address
    return f"{hosts.api} leads to {hosts.address}."


def open_storage(context: StepContext) -> str:
    """Begin to measure what the environment holds, against its quota."""
    Measure.objects.get_or_create(
        environment=context.environment, defaults={"due_at": timezone.now(), "counted_until": timezone.now()}
    )
    return f"{context.environment.package.storage} GB."


def open_doors(context: StepContext) -> str:
    """From now on its hosts answer."""
    context.environment.provisioned_at = timezone.now()
    return "The hosts answer."


def announce_upgrade(context: StepContext) -> str:
    """The upgrade is done; said before the environment is ready again."""
    context.environment.status = Status.UPGRADED
    return "Upgraded."


def announce_ready(context: StepContext) -> str:
    """The environment takes the next order."""
    context.environment.status, context.environment.status_reason = Status.READY, ""
    return "Ready."


def close(context: StepContext) -> str:
    """Nothing of it is served any more: no mapped address, no deployed project."""
    environment = context.environment
    environment.provisioned_at = None
    mapped, _ = environment.url_mappings.all().delete()
    deployed, _ = environment.deployments.all().delete()
    return f"{mapped} addresses unmapped, {deployed} projects not served any more."


def clear(context: StepContext) -> str:
    """Remove the content of all its workspaces."""
    if not context.environment.api_host:
        return "There was none."
    removed = 0
    for workspace in Workspace.objects.filter(api_host=context.environment.api_host):
        removed += removal.remove_workspace(workspace, context.renew)
    return f"{removed} rows removed."


def release(context: StepContext) -> str:
    """Have the driver remove the place."""
    context.provisioner.release(context.environment)
    return "The place is gone."


def forget(context: StepContext) -> str:
    """Keep nothing but the row that says it was deleted, and the log of its jobs."""
    environment = context.environment
    environment.certificates.all().delete()
    environment.activity.all().delete()
    Measure.objects.filter(environment=environment).delete()
    environment.www_host = environment.api_host = environment.web_host = environment.address = None
    environment.driver_state = {}
    environment.status, environment.status_reason = Status.DELETED, ""
    environment.date_deleted = timezone.now()
    return "Deleted."


CREATE_STEPS = (
    Step("allocate", allocate, atomic=False),
    Step("storage", open_storage),
    Step("open", open_doors),
)
UPGRADED = Step("upgraded", announce_upgrade)
READY = Step("ready", announce_ready)
DELETE_STEPS = (
    Step("close", close),
    Step("clear", clear, atomic=False),
    Step("release", release, atomic=False),
    Step("forget", forget),
)
