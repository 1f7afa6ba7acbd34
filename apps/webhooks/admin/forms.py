"""The form of a webhook."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from unfold.widgets import UnfoldAdminSelectWidget

from apps.accounts.models import Workspace
from apps.core.admin.forms import ProseWidget, TenantForm
from apps.webhooks.models import Webhook

_NONE = ("", "None: events are only stored")


class WebhookForm(TenantForm):
    """A webhook; its flow is one of its workspace's."""

    flow = forms.ChoiceField(
        required=False, widget=UnfoldAdminSelectWidget(), help_text="Each event also becomes a record of this flow."
    )

    class Meta:
        model = Webhook
        fields = (
            "workspace",
            "name",
            "active",
            "identifier_path",
            "status_path",
            "batch",
            "flow",
            "addresses",
            "rate_limit",
        )
        widgets = {"addresses": ProseWidget(rows=4)}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields.get("flow")
        if isinstance(field, forms.ChoiceField):
            field.choices = self._choices_of_one() if self.instance.pk else self._choices_of_many()

    def _choices_of_one(self) -> list[Any]:
        """The flows of the workspace, and the present one even when it has gone."""
        names = flow_names(self.instance.workspace)
        present = self.instance.flow
        gone = [(present, f"{present} (there is no such flow)")] if present and present not in names else []
        return [_NONE, *((name, name) for name in names), *gone]

    def _choices_of_many(self) -> list[Any]:
        """The flows of every workspace that can be chosen, under its name."""
        workspaces = self.fields["workspace"].queryset if "workspace" in self.fields else ()  # type: ignore[attr-defined]
        groups = ((str(space), [(name, name) for name in flow_names(space)]) for space in workspaces)
        return [_NONE, *(group for group in groups if group[1])]

    def clean(self) -> dict[str, Any] | None:
        """The flow belongs to the workspace."""
        cleaned = super().clean()
        name = self.cleaned_data.get("flow")
        workspace = self.cleaned_data.get("workspace") or (self.instance.workspace if self.instance.pk else None)
        if name and workspace and name != self.instance.flow and name not in flow_names(workspace):
            self.add_error("flow", ValidationError(f"{workspace} has no flow of this name."))
        return cleaned


def flow_names(workspace: Workspace) -> list[str]:
    """The names of the flows in a workspace."""
    names = Workspace.objects.filter(pk=workspace.pk, flows__isnull=False).values_list("flows__name", flat=True)
    return sorted(names)
