"""The page of a workspace's data schema."""

from typing import Any

from django.contrib import admin
from django.db.models import F, QuerySet
from django.http import HttpRequest

from apps.core.admin.display import moment
from apps.core.admin.forms import CodeField, TenantForm, as_validation_error
from apps.core.admin.tenancy import TenantModelAdmin
from apps.core.errors import BadRequest, Detail
from apps.schemas.models import Schema
from apps.schemas.services import check_texts


class SchemaForm(TenantForm):
    """Schema and sample record as texts; each is told what is wrong with it."""

    source = CodeField(rows=22, label="JSON Schema", help_text="Draft 4. Records that do not fit are refused.")
    sample = CodeField(rows=12, label="Sample record", help_text="A record that fits the schema.")

    class Meta:
        model = Schema
        fields = ("workspace", "url", "source", "sample")

    def clean(self) -> dict[str, Any] | None:
        """Both texts are JSON, the schema is valid and the sample fits it."""
        cleaned = super().clean()
        source, sample = self.cleaned_data.get("source"), self.cleaned_data.get("sample")
        if source and sample:
            try:
                check_texts(source, sample)
            except BadRequest as error:
                self._blame(error)
        return cleaned

    def _blame(self, error: BadRequest) -> None:
        """Put an error at the field it is about; those about the sample say so in their paths."""
        field, prefix = "source", "/schema"
        if any(detail.path.startswith("/data_record") for detail in error.details):
            field, prefix = "sample", "/data_record"
        details = tuple(Detail(detail.path.removeprefix(prefix), detail.message) for detail in error.details)
        self.add_error(field, as_validation_error(details, error.message))


@admin.register(Schema)
class SchemaAdmin(TenantModelAdmin):
    """Developers write the schema that records of a workspace must fit."""

    form = SchemaForm
    organization_path = "workspace__project__organization"
    list_display = ("workspace", "version", "url", "changed")
    readonly_fields = ("version", "changed")
    fieldsets = ((None, {"fields": ("workspace", "url", "source", "sample", "version", "changed")}),)
    add_fieldsets = ((None, {"fields": ("workspace", "url", "source", "sample")}),)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Schema]:
        """With the names of workspace and project."""
        return super().get_queryset(request).select_related("workspace__project")

    def save_model(self, request: HttpRequest, obj: Schema, form: Any, change: bool) -> None:
        """Every change is a version of its own: compiled schemas are remembered by it."""
        if change:
            obj.version = F("version") + 1
        super().save_model(request, obj, form, change)
        obj.refresh_from_db(fields=["version"])

    @admin.display(description="changed", ordering="date_modified")
    def changed(self, schema: Schema) -> str:
        """In the workspace's zone."""
        return moment(schema.date_modified, schema.workspace.zone)
