"""The rules that every admin page and inline of a tenant's rows follows."""

from typing import Any, ClassVar

from django.contrib.admin.options import BaseModelAdmin
from django.core.exceptions import ImproperlyConfigured
from django.db.models import Model, QuerySet
from django.http import HttpRequest

from apps.core.admin.access import Access, access_of


class TenantScope(BaseModelAdmin):
    """Rows, choices and rights of the organizations a person belongs to.

    ``organization_path`` leads from the model to the organization's id, ``least_role`` names the role each act needs;
    an act that is not named is nobody's.
    """

    organization_path: ClassVar[str]
    least_role: ClassVar[dict[str, str]] = {
        "view": "viewer",
        "add": "developer",
        "change": "developer",
        "delete": "developer",
    }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.raw_id_fields:
            # Such a field shows the name of whatever row is posted, also of somebody else's.
            raise ImproperlyConfigured(f"{type(self).__name__} must use autocomplete_fields, not raw_id_fields.")

    @property
    def tenant_field(self) -> str:
        """The field that ties a row to its tenant: it is chosen when the row is added and never changes."""
        return self.organization_path.partition("__")[0]

    def organization_of(self, row: Model) -> int | None:
        """The id of the organization a row belongs to; nothing while that is not chosen yet."""
        *parents, last = self.organization_path.split("__")
        owner: Any = row
        for name in parents:
            owner = getattr(owner, name, None)
        return getattr(owner, f"{last}_id" if last != "id" else last, None)

    def scoped(self, rows: QuerySet[Any], access: Access, act: str, path: str | None = None) -> QuerySet[Any]:
        """Those of ``rows`` that the person may do ``act`` with; ``path`` as ``organization_path``."""
        least = self.least_role.get(act)
        if least is None:
            return rows.none()
        path = path or self.organization_path
        return rows if access.everything else rows.filter(**{f"{path}__in": access.organizations(least)})

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """The rows of the person's organizations."""
        return self.scoped(super().get_queryset(request), access_of(request), "view")

    def choices_for(self, field: Any, request: HttpRequest, act: str) -> QuerySet[Any]:
        """The rows a relation may point to; none when nobody has said whose they are."""
        target, access = field.remote_field.model, access_of(request)
        rows = target._default_manager.all()
        head, _, rest = self.organization_path.partition("__")
        if field.name == head:
            # The names of choices may say whose they are.
            named = rows.select_related(rest) if rest else rows
            return self.scoped(named, access, act, rest or "id")
        registered = self.admin_site._registry.get(target)
        if isinstance(registered, TenantScope):
            return registered.scoped(rows, access, "view")
        return rows if access.everything else rows.none()

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        """The choices of a relation; validation takes no others."""
        kwargs.setdefault("queryset", self.choices_for(db_field, request, "add"))
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    def formfield_for_manytomany(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        """The choices of a relation to many; validation takes no others."""
        kwargs.setdefault("queryset", self.choices_for(db_field, request, "add"))
        return super().formfield_for_manytomany(db_field, request, **kwargs)

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        """Without the little buttons beside a relation: they lead away from a half-filled form."""
        field: Any = super().formfield_for_dbfield(db_field, request, **kwargs)
        for name in ("can_add_related", "can_change_related", "can_delete_related", "can_view_related"):
            if hasattr(getattr(field, "widget", None), name):
                setattr(field.widget, name, False)
        return field

    def may(self, act: str, request: HttpRequest, row: Any = None) -> bool:
        """Whether the person may do ``act`` with that row, or with any when none is named."""
        access = access_of(request)
        least = self.least_role.get(act)
        if least is None:
            return False
        organization = self.organization_of(row) if isinstance(row, Model) else None
        if isinstance(row, Model) and organization is None:
            return access.everything
        return access.allows(least, organization)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Whoever may change a row may see it."""
        return self.may("view", request, obj)

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """``obj`` is the parent's row when the page is an inline."""
        return self.may("add", request, obj)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """As the role says."""
        return self.may("change", request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """As the role says."""
        return self.may("delete", request, obj)

    def has_module_permission(self, request: HttpRequest) -> bool:
        """Whether the model is on the index."""
        return self.may("view", request)
