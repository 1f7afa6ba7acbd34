"""Forms whose row names things of its own workspace, such as a flow."""

from collections.abc import Callable, Sequence
from typing import Any, ClassVar

from django import forms
from django.core.exceptions import ValidationError

from apps.accounts.models import Workspace
from apps.core.admin.forms import TenantForm

Names = Callable[[Workspace], Sequence[str]]
Naming = dict[str, tuple[Names, str, str]]


def flow_names(workspace: Workspace) -> list[str]:
    """The names of the flows in a workspace."""
    names = Workspace.objects.filter(pk=workspace.pk, flows__isnull=False).values_list("flows__name", flat=True)
    return sorted(names)


class NamingForm(TenantForm):
    """``named`` says for each such field what there is to choose, what none means, and what a name that is none is."""

    named: ClassVar[Naming]

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
        """What is newly named is there."""
        cleaned = super().clean()
        if workspace := self.chosen_workspace:
            for field, (names, _, lacking) in self.named.items():
                value = self.cleaned_data.get(field)
                if value and value != getattr(self.instance, field) and value not in names(workspace):
                    self.add_error(field, ValidationError(f"{workspace} has {lacking}."))
        return cleaned
