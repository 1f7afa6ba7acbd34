"""What the forms of triggers share: flow, application and webhook are those of the trigger's own workspace."""

from collections.abc import Collection, Iterable
from typing import Any, ClassVar

from django.core.exceptions import ValidationError

from apps.accounts.models import Workspace
from apps.applications.admin.naming import Naming, NamingForm, flows_of_workspaces
from apps.webhooks.models import Webhook


def webhooks_of_workspaces(ids: Collection[int]) -> Iterable[tuple[int, str]]:
    """The names of the webhooks in workspaces that find an identifier."""
    rows = Webhook.objects.filter(workspace__in=ids).exclude(identifier_path="")
    return rows.order_by("name").values_list("workspace", "name")


class TriggerForm(NamingForm):
    """A form of what makes records of a flow, in the name of an application or of nobody."""

    named: ClassVar[Naming] = {
        "flow": (flows_of_workspaces, "None: the application's default flow", "no flow of this name"),
    }

    def clean(self) -> dict[str, Any] | None:
        """The application is one of the workspace's project, and a flow is there."""
        cleaned = super().clean()
        if workspace := self.chosen_tenant:
            self._clean_application(workspace)
        return cleaned

    def _clean_application(self, workspace: Workspace) -> None:
        application = self.cleaned_data.get("application")
        if application and application.project_id != workspace.project_id:
            self.add_error("application", ValidationError("The application belongs to another project."))
        default = application.default_flow if application else ""
        if not self.cleaned_data.get("flow") and not default and "flow" not in self.errors:
            self.add_error("flow", ValidationError("Choose a flow, or an application that has a default flow."))

    def require_scope(self, scope: str) -> None:
        """Refuse an application that lacks a scope."""
        application = self.cleaned_data.get("application")
        if application and scope not in application.scopes:
            self.add_error("application", ValidationError(f"The application lacks the scope {scope}."))
