"""The page of a workspace's static data."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString

from apps.contents.admin.forms import StaticDataForm
from apps.contents.models import StaticData
from apps.core.admin.display import moment, pretty
from apps.core.admin.tenancy import TenantModelAdmin

MOST_SHOWN = 200_000


@admin.register(StaticData)
class StaticDataAdmin(TenantModelAdmin):
    """Developers keep the constants of their flows here, one document for each workspace."""

    form = StaticDataForm
    organization_path = "workspace__project__organization"
    list_display = ("project", "keys", "modified")
    actions = None

    def get_queryset(self, request: HttpRequest) -> QuerySet[StaticData]:
        """With the names that stand beside each."""
        return super().get_queryset(request).select_related("workspace__project")

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """With the text to read for those who may not change it."""
        may_change = obj is None or self.may("change", request, obj)
        return ((None, {"fields": ("workspace", *(("content", "basis") if may_change else ("text",)))}),)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        """The text, where it is one."""
        return (*super().get_readonly_fields(request, obj), "text")

    @admin.display(description="project", ordering="workspace__project__name")
    def project(self, row: StaticData) -> str:
        """Whose it is."""
        return row.workspace.label

    @admin.display(description="keys")
    def keys(self, row: StaticData) -> str:
        """What can be read from it."""
        return ", ".join(row.data)[:200]

    @admin.display(description="data")
    def text(self, row: StaticData) -> SafeString:
        """As people read it; of what is very long, the beginning."""
        return format_html('<pre class="flowize-code">{}</pre>', pretty(row.data)[:MOST_SHOWN])

    @admin.display(description="changed", ordering="date_updated")
    def modified(self, row: StaticData) -> str:
        """In the workspace's zone."""
        return moment(row.date_updated, row.workspace.zone)
