"""``/v1/environment``."""

import re
from typing import Any

from rest_framework.request import Request
from rest_framework.response import Response

from apps.core.errors import BadRequest
from apps.core.http.openapi.operation import operation
from apps.environments import projects, selectors, services, updating, url_mapping
from apps.environments.api import openapi, openapi_projects
from apps.environments.api.base import OrganizationViewSet
from apps.environments.api.shapes import project_shown, shown, shown_all, url_shown

_CHAIN = re.compile(r"chain_files(\[[0-9]{0,4}\])?")  # several files of one name, as the libraries of clients write it


class EnvironmentViewSet(OrganizationViewSet):
    """The environments of an organization."""

    takes_files = ("update_details",)

    @operation(openapi.LIST)
    def list(self, request: Request) -> Response:
        """List the environments of the organization."""
        return self.given(shown_all(selectors.list_environments(self.caller.organization_id)))

    @operation(openapi.CREATE)
    def create(self, request: Request) -> Response:
        """Order an environment; its status says when it is ready."""
        body = self.values(request)
        environment = services.create_environment(
            self.caller,
            name=body.get("name"),
            description=body.get("description"),
            package=body.get("package"),
            region=body.get("region"),
            time_zone=body.get("timezone"),
        )
        return self.given(shown(environment), 201)

    @operation(openapi.RETRIEVE)
    def retrieve(self, request: Request, environment_id: str) -> Response:
        """Get an environment."""
        environment = selectors.get_environment(self.caller.organization_id, environment_id)
        return self.given(shown(environment, certificate=True))

    @operation(openapi.STATUS)
    def show_status(self, request: Request, environment_id: str) -> Response:
        """Get the status of an environment, also of a deleted one."""
        environment = selectors.get_environment(self.caller.organization_id, environment_id, deleted=True)
        return self.given({"id": str(environment.pk), "status": environment.status})

    @operation(openapi.UPDATE)
    def update_details(self, request: Request, environment_id: str) -> Response:
        """Change the name, the description or the certificate of an environment."""
        body = self.values(request)
        environment = updating.update_environment(
            self.caller,
            environment_id,
            name=body.get("name"),
            description=body.get("description"),
            delete_certificate=body.get("delete_certificate"),
            files=_files(body),
        )
        return self.given(shown(environment, certificate=True))

    @operation(openapi.UPGRADE)
    def upgrade(self, request: Request, environment_id: str) -> Response:
        """Order a larger package or more storage."""
        body = self.values(request)
        environment = services.upgrade_environment(
            self.caller, environment_id, package=body.get("package"), storage=body.get("storage")
        )
        return self.given(shown(environment, stats=False))

    @operation(openapi.UPDATE_VERSION)
    def update_version(self, request: Request, environment_id: str) -> Response:
        """Bring an environment to the newest release."""
        return self.given(shown(services.update_version(self.caller, environment_id), stats=False))

    @operation(openapi.OPTIMIZE)
    def optimize(self, request: Request, environment_id: str) -> Response:
        """Give back storage that is not needed any more."""
        return self.given(shown(services.optimize_environment(self.caller, environment_id), stats=False))

    @operation(openapi.DESTROY)
    def destroy(self, request: Request, environment_id: str) -> Response:
        """Delete an environment with everything in it."""
        return self.given(shown(services.delete_environment(self.caller, environment_id)))


class ProjectViewSet(OrganizationViewSet):
    """The projects that an environment hosts."""

    @operation(openapi_projects.LIST_PROJECTS)
    def list(self, request: Request, environment_id: str) -> Response:
        """List the projects of an environment."""
        environment, found = projects.list_projects(self.caller, environment_id)
        return self.given([project_shown(deployment, environment) for deployment in found])

    @operation(openapi_projects.DEPLOY)
    def deploy(self, request: Request, environment_id: str, project_id: str) -> Response:
        """Put a project into an environment, or a newer version of it."""
        body = self.values(request) if int(request.META.get("CONTENT_LENGTH") or 0) else {}
        environment = projects.deploy_project(self.caller, environment_id, project_id, body)
        return self.given(shown(environment, certificate=True))

    @operation(openapi_projects.REMOVE_PROJECT)
    def remove(self, request: Request, environment_id: str, project_id: str) -> Response:
        """Take a project with all its data out of an environment."""
        return self.given(shown(projects.remove_project(self.caller, environment_id, project_id)))


class MappingViewSet(OrganizationViewSet):
    """The addresses of an environment's html host."""

    @operation(openapi_projects.LIST_URLS)
    def list(self, request: Request, environment_id: str) -> Response:
        """List the mapped addresses."""
        return self._mapped(*url_mapping.list_urls(self.caller, environment_id))

    @operation(openapi_projects.MAP_URLS)
    def map(self, request: Request, environment_id: str) -> Response:
        """Map addresses to websites and hosted pages."""
        return self._mapped(*url_mapping.map_urls(self.caller, environment_id, self.document(request)))

    @operation(openapi_projects.UNMAP_URLS)
    def unmap(self, request: Request, environment_id: str) -> Response:
        """Remove mapped addresses."""
        return self._mapped(*url_mapping.unmap_urls(self.caller, environment_id, self.document(request)))

    def _mapped(self, environment: Any, mappings: Any) -> Response:
        return self.given({"urls_mapped": [url_shown(mapping, environment) for mapping in mappings]})


def _files(body: dict[str, Any]) -> updating.CertificateFiles:
    """The files of a form; the private names of the parts are those of the documentation."""
    return updating.CertificateFiles(
        pem=_file(body, "pem_file"),
        private_key=_file(body, "private_key_file"),
        certificate=_file(body, "certificate_file"),
        chain=[content for name in body if _CHAIN.fullmatch(name) for content in _contents(body, name)],
    )


def _file(body: dict[str, Any], name: str) -> bytes | None:
    contents = _contents(body, name)
    if len(contents) > 1:
        raise BadRequest(f"{name} is given more than once.")
    return contents[0] if contents else None


def _contents(body: dict[str, Any], name: str) -> Any:
    contents = body.get(name) or []
    if not isinstance(contents, list) or not all(isinstance(content, bytes) for content in contents):
        raise BadRequest(f"{name} must be a file of a form (multipart/form-data).")
    return contents
