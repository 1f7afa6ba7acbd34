"""Forms whose row names things of its own tenant, such as a flow of its workspace."""

from collections.abc import Callable, Collection, Iterable
from typing import Any, ClassVar

from django import forms
from django.core.exceptions import ValidationError

from apps.accounts.models import Workspace
from apps.core.admin.forms import TenantForm

Names = Callable[[Collection[int]], Iterable[tuple[int, str]]]
"""From the ids of tenants to what each of them has: its id and a name, in the order of the names."""
Naming = dict[str, tuple[Names, str, str]]


def flows_of_workspaces(ids: Collection[int]) -> Iterable[tuple[int, str]]:
    """The names of the flows in workspaces."""
    rows = Workspace.objects.filter(pk__in=ids, flows__isnull=False)
    return rows.order_by("flows__name").values_list("pk", "flows__name")


def flows_of_projects(ids: Collection[int]) -> Iterable[tuple[int, str]]:
    """The names of the flows that projects have in the Designer."""
    rows = Workspace.objects.filter(project__in=ids, api_host="", flows__isnull=False)
    return rows.order_by("flows__name").values_list("project", "flows__name")


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
        """What the tenant has, and the present choice even when it has gone."""
        found = names_of(names, getattr(self.instance, f"{self.tenant_field}_id"))
        present = getattr(self.instance, field)
        gone = [(present, f"{present} (there is none of this name)")] if present and present not in found else []
        return [*((name, name) for name in found), *gone]

    def _of_all(self, names: Names) -> list[Any]:
        """What every tenant has that can be chosen, under its name."""
        choice = self.fields.get(self.tenant_field)
        rows = choice.queryset if isinstance(choice, forms.ModelChoiceField) else None
        tenants = {row.pk: str(row) for row in rows or ()}
        groups: dict[int, list[tuple[str, str]]] = {pk: [] for pk in tenants}
        for pk, name in names(tenants):
            groups[pk].append((name, name))
        return [(tenants[pk], found) for pk, found in groups.items() if found]

    @property
    def chosen_tenant(self) -> Any:
        """The tenant of the row, chosen now or before."""
        name = self.tenant_field
        return self.cleaned_data.get(name) or (getattr(self.instance, name) if self.instance.pk else None)

    def clean(self) -> dict[str, Any] | None:
        """What is newly named is there."""
        cleaned = super().clean()
        if tenant := self.chosen_tenant:
            for field, (names, _, lacking) in self.named.items():
                value = self.cleaned_data.get(field)
                if value and value != getattr(self.instance, field) and value not in names_of(names, tenant.pk):
                    self.add_error(field, ValidationError(f"{tenant} has {lacking}."))
        return cleaned


def names_of(names: Names, tenant_id: int) -> list[str]:
    """The names that one tenant has."""
    return [name for _, name in names([tenant_id])]
