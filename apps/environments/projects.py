"""Which projects an environment hosts, and ordering that one is put into it or taken out."""

from typing import Any

from apps.accounts.models import Project, Workspace
from apps.core.errors import BadRequest, Conflict, NotFound, StorageFull
from apps.environments import orders
from apps.environments.callers import OrganizationCaller
from apps.environments.deploy_options import DeployOptions
from apps.environments.deployment import check_options
from apps.environments.models import QUIET, Deployment, Environment, JobKind, Measure
from apps.environments.selectors import get_environment, row_number


def list_projects(caller: OrganizationCaller, environment_id: str | int) -> tuple[Environment, list[Deployment]]:
    """The environment with its deployments, in the order of the projects' ids."""
    environment = get_environment(caller.organization_id, environment_id)
    return environment, list(environment.deployments.select_related("project"))


def deploy_project(
    caller: OrganizationCaller, environment_id: str | int, project_id: str | int, body: Any
) -> Environment:
    """Order that a project is copied into an environment, from the Designer or from ``source_environment``.

    Raises ``NotFound`` for a project or environment that is not the caller's, ``BadRequest`` for options that cannot be
    read or name what the source does not have, ``Conflict`` when the source is busy or holds no newer version, and
    ``StorageFull`` when data is to be copied to where no more is taken.
    """
    if not isinstance(body, dict):
        raise BadRequest("The body must be an object.")
    options = DeployOptions.read(body)
    with orders.changing(caller, environment_id) as environment:
        project = _project(caller, project_id)
        source = _source(caller, environment, project, body.get("source_environment"))
        workspace = source.workspace if source else Workspace.objects.get(project=project, api_host="")
        check_options(workspace, options)
        if options.copies_data and Measure.objects.filter(environment=environment, full=True).exists():
            raise StorageFull
        ordered = {
            "project": project.pk,
            "source_environment": source.environment_id if source else None,
            "options": options.as_json(),
        }
        orders.begin(caller, environment, JobKind.DEPLOY, ordered)
    return environment


def remove_project(caller: OrganizationCaller, environment_id: str | int, project_id: str | int) -> Environment:
    """Order that a project and all its data are taken out of an environment."""
    with orders.changing(caller, environment_id) as environment:
        # Not its deployment, which is gone already when a removal has failed half-way.
        rows = Workspace.objects.filter(api_host=environment.api_host or None, project=row_number(project_id))
        found = rows.values_list("project_id", flat=True).first()
        if found is None:
            raise NotFound("The project is not in this environment.")
        orders.begin(caller, environment, JobKind.REMOVE_PROJECT, {"project": found})
    return environment


def _project(caller: OrganizationCaller, project_id: str | int) -> Project:
    found = Project.objects.filter(organization=caller.organization_id, pk=row_number(project_id)).first()
    if found is None:
        raise NotFound("There is no such project.")
    return found


def _source(caller: OrganizationCaller, target: Environment, project: Project, source_id: Any) -> Deployment | None:
    if source_id in (None, ""):
        return None
    if isinstance(source_id, bool) or not isinstance(source_id, int | str):
        raise BadRequest("source_environment must be the id of an environment.")
    source = get_environment(caller.organization_id, source_id)
    if source.pk == target.pk:
        raise BadRequest("source_environment must be another environment than the one that is deployed to.")
    if source.status not in QUIET:
        raise Conflict(f"The source environment is {source.status}: wait until it is ready.")
    found = source.deployments.select_related("workspace").filter(project=project).first()
    if found is None:
        raise NotFound("The project is not in the source environment.")
    present = target.deployments.filter(project=project).first()
    if present and present.version >= found.version:
        raise Conflict(
            f"The environment has version {present.version} of the project; "
            f"the source has no newer one, but version {found.version}."
        )
    return found
