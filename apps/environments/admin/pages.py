"""What all pages of one environment have in common."""

from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.urls import reverse

from apps.accounts.models import Role
from apps.core.admin.access import access_of
from apps.core.admin.display import ATTENTION, BAD, BUSY, GOOD, NEUTRAL
from apps.core.admin.tenancy import TenantModelAdmin
from apps.core.http.client import address_of
from apps.environments.callers import OrganizationCaller, member_of
from apps.environments.models import Environment, Status

PILLS = {
    Status.CREATING: BUSY,
    Status.UPDATING: BUSY,
    Status.UPGRADING: BUSY,
    Status.UPGRADED: BUSY,
    Status.READY: GOOD,
    Status.ERROR: BAD,
    Status.DELETING: ATTENTION,
    Status.DELETED: NEUTRAL,
}


class EnvironmentPages(TenantModelAdmin):
    """The ground of the pages of an environment: who asks, which environment, where its other pages are."""

    def caller(self, request: HttpRequest, environment: Environment) -> OrganizationCaller:
        """The person as services know callers."""
        role = Role(access_of(request).role(environment.organization_id))
        return member_of(environment.organization, role, address=address_of(request), name=request.user.get_username())

    def environment_page(self, request: HttpRequest, environment: Environment, title: str) -> dict[str, Any]:
        """What the templates of these pages need."""
        return {
            **self.page_context(request, environment, title),
            "place": environment,  # "environment" is the theme's, for a mark in the header
            "back": self.link("change", environment),
        }

    @staticmethod
    def link(name: str, environment: Environment, *parts: Any) -> str:
        """The address of a page of the environment."""
        return reverse(f"admin:environments_environment_{name}", args=[environment.pk, *parts])

    @staticmethod
    def only_post(request: HttpRequest) -> HttpResponse | None:
        """The refusal of anything but a form that was sent."""
        return None if request.method == "POST" else HttpResponseNotAllowed(["POST"])
