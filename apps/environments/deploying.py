"""Putting a project into an environment and taking it out again, step by step.

What is copied, and how, is ``deployment``'s; these steps see to what surrounds it: the workspace that the copy goes to,
the number of its version, and that a job that dies leaves either the old content or the new.
"""

from apps.accounts.models import Project, Workspace
from apps.environments import removal
from apps.environments.definitions.document import Definition
from apps.environments.deploy_options import DeployOptions
from apps.environments.deployment import deploy_project as copy_project
from apps.environments.job_steps import Step, StepContext, StepFailed
from apps.environments.models import Deployment
from apps.environments.project_versions import note_version


def note(context: StepContext) -> str:
    """Note the version that the Designer's copy is now, so that others who do need not wait for the copying."""
    project = _project(context)
    if context.job.parameters.get("source_environment") is not None:
        return "That of the source environment."
    return f"Version {note_version(project).number} of {project.name}."[:500]


def copy(context: StepContext) -> str:
    """The whole deployment in one transaction: the workspace, its content, the number of its version."""
    project = _project(context)
    source, version, definition = _source(context, project)
    target, _ = Workspace.objects.get_or_create(
        project=project,
        api_host=context.environment.api_host,
        defaults={
            "time_zone": context.environment.time_zone,
            "concurrency": context.environment.package.concurrency,
        },
    )
    options = DeployOptions.read(context.job.parameters["options"])
    said = copy_project(source, target, options, context.report, definition)
    Deployment.objects.update_or_create(
        environment=context.environment, project=project, defaults={"workspace": target, "version": version}
    )
    return f"Version {version} of {project.name}: {said}"[:500]


def _project(context: StepContext) -> Project:
    found = Project.objects.filter(pk=context.job.parameters["project"]).first()
    if found is None:
        raise StepFailed("The project is gone.")
    return found


def _source(context: StepContext, project: Project) -> tuple[Workspace, int, Definition | None]:
    """Where the content comes from, the number it gets, and what it is made of where that is known."""
    source_id = context.job.parameters.get("source_environment")
    if source_id is None:
        version = note_version(project)
        return Workspace.objects.get(project=project, api_host=""), version.number, version.definition
    # Locked, so that the source is neither deployed to nor cleared before all of it is copied.
    rows = Deployment.objects.select_for_update(of=("self",), no_key=True).select_related("workspace")
    found = rows.filter(environment=source_id, project=project).first()
    if found is None:
        raise StepFailed("The project is no longer in the source environment.")
    return found.workspace, found.version, None


def close_project(context: StepContext) -> str:
    """The project answers no more: its deployment and the addresses that show it are gone."""
    project_id = context.job.parameters["project"]
    environment = context.environment
    mapped, _ = environment.url_mappings.filter(project=project_id).delete()
    environment.deployments.filter(project=project_id).delete()
    return f"Not served any more; {mapped} addresses unmapped."


def clear_project(context: StepContext) -> str:
    """Remove the content of the project's workspace, in pieces, and then the workspace."""
    workspaces = Workspace.objects.filter(
        project=context.job.parameters["project"], api_host=context.environment.api_host
    )
    removed = sum(removal.remove_workspace(workspace, context.renew) for workspace in workspaces)
    return f"{removed} rows removed."


DEPLOY_STEPS = (Step("version", note), Step("copy", copy))
REMOVE_STEPS = (Step("close", close_project), Step("clear", clear_project, atomic=False))
