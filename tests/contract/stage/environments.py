"""Environments in every state."""

from functools import cached_property

from apps.accounts.models import Project, Workspace
from apps.applications import services as applications
from apps.contents.models import Website
from apps.environments import projects, services, url_mapping
from apps.environments.callers import OrganizationCaller
from apps.environments.execution import work_all
from apps.environments.models import Environment, Status
from tests.conftest import STRAIGHT_FLOW, publish
from tests.contract.stage.side import HERE, TenantSide


class Environments(TenantSide):
    """The key of the organization, environments, what is in them."""

    @cached_property
    def environment_key(self) -> str:
        """The organization's key, switched on."""
        self.tenant.organization.api_key_enabled = True
        self.tenant.organization.save()
        return applications.rotate_organization_key(self.tenant.organization)

    @property
    def _manager(self) -> OrganizationCaller:
        return OrganizationCaller(self.tenant.organization.pk, HERE, name="test")

    @cached_property
    def environment(self) -> str:
        """One that is ready."""
        return self._environment("Environment 1")

    @cached_property
    def other_environment(self) -> str:
        """Another one, with the project in a newer version than anywhere else."""
        number = self._environment("Environment 2")
        publish(self.tenant, STRAIGHT_FLOW, "newer")
        self._deploy(number)
        return number

    @cached_property
    def busy_environment(self) -> str:
        number = self._environment("Environment 3")
        Environment.objects.filter(pk=number).update(status=Status.UPGRADING)
        return number

    @cached_property
    def deleted_environment(self) -> str:
        number = self._environment("Environment 4")
        services.delete_environment(self._manager, number)
        work_all()
        return number

    @cached_property
    def deployed(self) -> str:
        """The project, as it is in the environment, with two websites there."""
        self._deploy(self.environment)
        workspace = Workspace.objects.exclude(api_host="").get(deployment__environment=int(self.environment))
        for slug in ("my_website1", "my_website2"):
            Website.objects.create(workspace=workspace, slug=slug, name=slug)
        return self.project

    @cached_property
    def mapped(self) -> str:
        """An address of the environment that shows a website of the project."""
        entry = {"project_id": self.deployed, "url": "/my_website2", "name": "my_website2", "type": "website"}
        url_mapping.map_urls(self._manager, self.environment, [entry])
        return "/my_website2/"

    @cached_property
    def second_project(self) -> str:
        """A project that is in no environment."""
        project = Project.objects.create(organization=self.tenant.organization, name=f"{self.name} second")
        Workspace.objects.create(project=project)
        return str(project.pk)

    def _environment(self, name: str) -> str:
        made = services.create_environment(
            self._manager, name=name, package="SS-A", region="london", time_zone="Europe/Amsterdam"
        )
        work_all()
        return str(made.pk)

    def _deploy(self, environment: str) -> None:
        projects.deploy_project(self._manager, environment, self.project, {})
        work_all()
