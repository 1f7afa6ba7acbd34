"""The form of an application."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from unfold.widgets import UnfoldAdminSelectWidget

from apps.accounts.models import Project
from apps.applications.models import Application
from apps.applications.scopes import SCOPES
from apps.core.admin.forms import MeaningsWidget, ProseWidget, TenantForm

_NONE = ("", "None: calls must name a flow")


class ApplicationForm(TenantForm):
    """An application; its default flow is one of its project's."""

    default_flow = forms.ChoiceField(
        required=False,
        widget=UnfoldAdminSelectWidget(),
        help_text="Runs records that arrive without a flow name.",
    )
    scopes = forms.MultipleChoiceField(
        required=False,
        choices=[(name, name) for name in SCOPES],
        widget=MeaningsWidget(SCOPES),
        help_text="A scope without “.read” includes the one with it; record includes record.delete.",
    )

    class Meta:
        model = Application
        fields = (
            "project",
            "name",
            "description",
            "active",
            "oauth2",
            "url_keys",
            "default_flow",
            "addresses",
            "scopes",
            "rate_limit",
        )
        widgets = {"description": ProseWidget(), "addresses": ProseWidget(rows=5)}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields.get("default_flow")
        if isinstance(field, forms.ChoiceField):
            field.choices = self._choices_of_one() if self.instance.pk else self._choices_of_many()

    def _choices_of_one(self) -> list[Any]:
        """The flows of the project, and the present one even when it has gone."""
        names = flow_names(self.instance.project)
        present = self.instance.default_flow
        gone = [(present, f"{present} (there is no such flow)")] if present and present not in names else []
        return [_NONE, *((name, name) for name in names), *gone]

    def _choices_of_many(self) -> list[Any]:
        """The flows of every project that can be chosen, under its name."""
        projects = self.fields["project"].queryset if "project" in self.fields else ()  # type: ignore[attr-defined]
        groups = ((str(project), [(name, name) for name in flow_names(project)]) for project in projects)
        return [_NONE, *(group for group in groups if group[1])]

    def clean(self) -> dict[str, Any] | None:
        """The default flow belongs to the project."""
        cleaned = super().clean()
        name = self.cleaned_data.get("default_flow")
        project = self.cleaned_data.get("project") or (self.instance.project if self.instance.pk else None)
        changed = name != self.instance.default_flow
        if name and project and changed and name not in flow_names(project):
            self.add_error("default_flow", ValidationError(f"{project} has no flow of this name."))
        return cleaned


def flow_names(project: Project) -> list[str]:
    """The names of the flows in the project's Designer workspace."""
    names = project.workspaces.filter(api_host="").values_list("flows__name", flat=True)
    return sorted(name for name in names if name)
