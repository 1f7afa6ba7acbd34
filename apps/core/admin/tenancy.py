"""The base of every admin: rows of a tenant, or rows of the installation that only superusers see."""

from typing import Any

from django.contrib import messages
from django.contrib.admin.filters import SimpleListFilter
from django.contrib.admin.options import ShowFacets
from django.contrib.admin.utils import NestedObjects, unquote
from django.core.exceptions import PermissionDenied
from django.db import router
from django.db.models import Model
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from unfold.admin import ModelAdmin, TabularInline

from apps.core.admin.access import access_of
from apps.core.admin.forms import TenantForm
from apps.core.admin.scope import TenantScope
from apps.core.errors import FlowizeError

_ERROR_FLAG = "e"
_FILTER_LOOKUPS = {"", "exact", "id__exact", "pk__exact", "in", "isnull", "gte", "gt", "lte", "lt"}


class TenantModelAdmin(TenantScope, ModelAdmin):
    """Pages of a model whose rows belong to organizations; nothing of other organizations is shown or taken."""

    form = TenantForm
    list_filter_sheet = False
    view_on_site = False
    show_facets = ShowFacets.NEVER  # a count for each choice of each filter reads the whole table

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        """The form, told which field is the tenant's."""
        form = super().get_form(request, obj, change=change, **kwargs)
        form.tenant_field = self.tenant_field
        return form

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        """The tenant too, once the row is there."""
        fields = tuple(super().get_readonly_fields(request, obj))
        return (*fields, self.tenant_field) if obj is not None and self.tenant_field != "id" else fields

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        """The tenant, when there is only one to choose."""
        initial: dict[str, Any] = super().get_changeform_initial_data(request)
        if self.tenant_field != "id":
            choices = self.choices_for(self.model._meta.get_field(self.tenant_field), request, "add")
            first = list(choices.values_list("pk", flat=True)[:2])
            if len(first) == 1:
                initial.setdefault(self.tenant_field, first[0])
        return initial

    def lookup_allowed(self, lookup: str, value: Any, request: HttpRequest | None = None) -> bool:
        """Only what the list's own filters ask: any other lookup reads rows the list does not show."""
        filters = self.get_list_filter(request) if request else self.list_filter
        own = [item for item in filters if isinstance(item, type) and issubclass(item, SimpleListFilter)]
        if lookup in {item.parameter_name for item in own}:
            return True
        names = (item[0] if isinstance(item, tuple | list) else item for item in filters)
        allowed = {name for name in (*names, self.date_hierarchy) if isinstance(name, str)}
        return any(
            lookup == name or lookup.removeprefix(f"{name}__") in _FILTER_LOOKUPS
            for name in allowed
            if lookup == name or lookup.startswith(f"{name}__")
        )

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        """The list; parameters no text of ours can hold are answered like any other that cannot be read."""
        if any("\0" in text for item in request.GET.lists() for text in (item[0], *item[1])):
            return HttpResponseRedirect(f"{request.path}?{_ERROR_FLAG}=1")
        return super().changelist_view(request, extra_context)

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> Any:
        """The form; what a service refuses at the last moment becomes a message."""
        try:
            return super().changeform_view(request, object_id, form_url, extra_context)
        except FlowizeError as error:
            return self.refuse(request, error, request.path)

    def refuse(self, request: HttpRequest, error: FlowizeError, location: str) -> HttpResponse:
        """Say what a service refused, on the page at ``location``."""
        lines = [f"{detail.path}: {detail.message}" for detail in error.details[:5]]
        messages.error(request, " ".join([error.message, *lines]))
        return HttpResponseRedirect(location)

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """Save a row of a tenant the person may write to, whatever the form let through."""
        if not self.may("change" if change else "add", request, obj):
            raise PermissionDenied
        super().save_model(request, obj, form, change)

    def get_deleted_objects(
        self, objs: Any, request: HttpRequest
    ) -> tuple[list[Any], dict[str, int], set[str], list[Any]]:
        """The rows by name; what goes with them is counted, not named."""
        kept = {reason for row in objs for reason in self.reasons_to_keep(row)}
        if kept:
            return [str(obj) for obj in objs], {}, set(), sorted(kept)
        collector: Any = NestedObjects(using=router.db_for_write(self.model), origin=objs)
        collector.collect(objs)
        counts = {str(model._meta.verbose_name_plural): len(rows) for model, rows in collector.model_objs.items()}
        denied = not all(self.has_delete_permission(request, obj) for obj in objs)
        kept = {f"{type(row)._meta.verbose_name_plural} that need it" for row in collector.protected}
        return [str(obj) for obj in objs], counts, {str(self.opts.verbose_name)} if denied else set(), sorted(kept)

    def reasons_to_keep(self, row: Any) -> list[str]:
        """What must go before the row can, such as "records"; asked first, since collecting those might take long."""
        return []

    def row_or_404(self, request: HttpRequest, object_id: str, act: str) -> Any:
        """The row a page of our own is about; a foreign one is as absent as an unknown one.

        Raises ``PermissionDenied`` when the person may see it but not do ``act``.
        """
        row = self.get_object(request, unquote(object_id))
        if row is None:
            raise Http404
        if not self.may(act, request, row):
            raise PermissionDenied
        return row

    def page_context(self, request: HttpRequest, row: Model, title: str) -> dict[str, Any]:
        """What the templates of our own pages need."""
        request.current_app = self.admin_site.name
        return {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "original": row,
            "title": title,
            "subtitle": str(row),
        }


class TenantTabularInline(TenantScope, TabularInline):
    """Rows of a tenant on the page of the row they belong to: ``organization_path`` leads from that parent."""

    extra = 0

    def organization_of(self, row: Model) -> int | None:
        """The organization of the parent, which is what an inline is asked about."""
        if isinstance(row, self.model):
            return super().organization_of(row)
        parent = self.admin_site._registry.get(type(row))
        return parent.organization_of(row) if isinstance(parent, TenantScope) else None


class SuperuserModelAdmin(ModelAdmin):
    """Pages of the installation's own rows; only superusers see them."""

    list_filter_sheet = False

    def _is_superuser(self, request: HttpRequest) -> bool:
        return access_of(request).everything

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Superusers."""
        return self._is_superuser(request)

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Superusers."""
        return self._is_superuser(request)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Superusers."""
        return self._is_superuser(request)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Superusers."""
        return self._is_superuser(request)

    def has_module_permission(self, request: HttpRequest) -> bool:
        """Superusers."""
        return self._is_superuser(request)
