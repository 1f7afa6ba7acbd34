"""The pages of data fields: what records are searched by."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from unfold.decorators import display

from apps.accounts.models import Role
from apps.applications.members import member_caller
from apps.core.admin.access import access_of
from apps.core.admin.display import BUSY, GOOD, moment
from apps.core.admin.filters import TenantRelatedFilter
from apps.core.admin.forms import TenantForm
from apps.core.admin.tenancy import TenantModelAdmin
from apps.core.errors import BadRequest
from apps.core.http.client import address_of
from apps.schemas.fields import change_field, check_names, create_field
from apps.schemas.models import DataField


class DataFieldForm(TenantForm):
    """Name and path of a field."""

    class Meta:
        model = DataField
        fields = ("workspace", "name", "path", "list_column")

    def clean(self) -> dict[str, Any] | None:
        """Both can be used."""
        cleaned = super().clean()
        name, path = self.cleaned_data.get("name"), self.cleaned_data.get("path")
        if name and path:
            try:
                check_names(name, path)
            except BadRequest as error:
                self.add_error("name" if "name" in error.message else "path", error.message)
        return cleaned

    def _get_validation_exclusions(self) -> set[str]:
        """The service takes the mark off the field that was the list column before."""
        return super()._get_validation_exclusions() | {"list_column"}


@admin.register(DataField)
class DataFieldAdmin(TenantModelAdmin):
    """Developers say which places of records can be searched by."""

    form = DataFieldForm
    organization_path = "workspace__project__organization"
    list_display = ("name", "path", "workspace", "list_column", "progress")
    list_filter = (("workspace", TenantRelatedFilter),)
    search_fields = ("name", "path")
    readonly_fields = ("progress", "defined")
    fieldsets = ((None, {"fields": ("workspace", "name", "path", "list_column", "progress", "defined")}),)
    add_fieldsets = ((None, {"fields": ("workspace", "name", "path", "list_column")}),)

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """What the job has done is shown once there is a field."""
        return self.fieldsets if obj else self.add_fieldsets

    def get_queryset(self, request: HttpRequest) -> QuerySet[DataField]:
        """With the names of workspace and project."""
        return super().get_queryset(request).select_related("workspace__project")

    def save_model(self, request: HttpRequest, obj: DataField, form: Any, change: bool) -> None:
        """By the service; another path makes another field, and the page goes on with that."""
        role = Role(access_of(request).role(obj.workspace.project.organization_id))
        caller = member_caller(obj.workspace, role, address_of(request))
        given: dict[str, Any] = {"name": obj.name, "path": obj.path, "list_column": obj.list_column}
        saved = change_field(caller, obj.pk, **given) if change else create_field(caller, **given)
        obj.pk, obj._state.adding = saved.pk, False

    @display(description="older records", label={"read": GOOD, "being read": BUSY})
    def progress(self, field: DataField) -> str:
        """Whether the job has read what was there before the field."""
        return "read" if field.is_filled else "being read"

    @admin.display(description="defined")
    def defined(self, field: DataField) -> str:
        """In the workspace's zone."""
        return moment(field.date_created, field.workspace.zone)
