"""What the forms of triggers share: flow, application and webhook are those of the trigger's own workspace."""

from collections.abc import Callable, Sequence
from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from apps.accounts.models import Workspace
from apps.core.admin.forms import TenantForm
from apps.flows.models import Flow
from apps.webhooks.models import Webhook

Names = Callable[[Workspace], Sequence[str]]


def flow_names(workspace: Workspace) -> list[str]:
    """The names of the flows in a workspace."""
    return list(Flow.objects.in_workspace(workspace.pk).order_by("name").values_list("name", flat=True))


def webhook_names(workspace: Workspace) -> list[str]:
    """The names of the webhooks that find an identifier in a workspace."""
    rows = Webhook.objects.in_workspace(workspace.pk).exclude(identifier_path="")
    return list(rows.order_by("name").values_list("name", flat=True))


class TriggerForm(TenantForm):
    """A form whose row names things of its workspace; ``named`` says which fields do, and what there is to choose."""

    named: dict[str, tuple[Names, str, str]] = {
        "flow": (flow_names, "None: the application's default flow", "no flow of this name"),
    }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, (names, empty, _) in self.named.items():
            field = self.fields.get(name)
            if isinstance(field, forms.ChoiceField):
                field.choices = [("", empty), *(self._of_one(name, names) if self.instance.pk else self._of_all(names))]

    def _of_one(self, field: str, names: Names) -> list[Any]:
        """What the workspace has, and the present choice even when it has gone."""
        found = names(self.instance.workspace)
        present = getattr(self.instance, field)
        gone = [(present, f"{present} (there is none of this name)")] if present and present not in found else []
        return [*((name, name) for name in found), *gone]

    def _of_all(self, names: Names) -> list[Any]:
        """What every workspace has that can be chosen, under its name."""
        workspaces = self.fields["workspace"].queryset if "workspace" in self.fields else ()  # type: ignore[attr-defined]
        groups = ((str(space), [(name, name) for name in names(space)]) for space in workspaces)
        return [group for group in groups if group[1]]

    @property
    def chosen_workspace(self) -> Workspace | None:
        """The workspace of the row, chosen now or before."""
        return self.cleaned_data.get("workspace") or (self.instance.workspace if self.instance.pk else None)

    def clean(self) -> dict[str, Any] | None:
        """What is named is of the workspace, the application of its project, and a flow is there."""
        cleaned = super().clean()
        workspace = self.chosen_workspace
        if workspace is not None:
            for field, (names, _, lacking) in self.named.items():
                value = self.cleaned_data.get(field)
                if value and value != getattr(self.instance, field) and value not in names(workspace):
                    self.add_error(field, ValidationError(f"{workspace} has {lacking}."))
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
