"""The page of a project: its flow options, its time zone and its API key."""

import zoneinfo
from collections.abc import Sequence
from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from unfold.widgets import UnfoldAdminSelectWidget

from apps.accounts.admin import WorkspaceInline
from apps.accounts.models import Project, default_time_zone
from apps.accounts.services import set_time_zone
from apps.applications import services
from apps.applications.admin.keys import KeyAdmin
from apps.core.admin.display import utc
from apps.core.admin.forms import TenantForm
from apps.core.admin.shown_once import Shown


def _zones() -> list[tuple[str, str]]:
    return [(name, name) for name in sorted(zoneinfo.available_timezones())]


class ProjectForm(TenantForm):
    """A project together with the time zone of its Designer workspace."""

    time_zone = forms.ChoiceField(
        choices=_zones,
        widget=UnfoldAdminSelectWidget(),
        help_text="Dates of the API are rendered in this zone, and flows read times of day in it.",
    )

    class Meta:
        model = Project
        fields = ("organization", "name", "retries", "retry_minutes", "max_executions")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        designer = self.instance.workspaces.filter(api_host="").first() if self.instance.pk else None
        if "time_zone" in self.fields:
            self.fields["time_zone"].initial = designer.time_zone if designer else default_time_zone()


@admin.register(Project)
class ProjectAdmin(KeyAdmin):
    """Owners add projects and replace their keys; developers set their options."""

    form = ProjectForm
    organization_path = "organization"
    least_role = {"view": "viewer", "add": "owner", "change": "developer", "delete": "owner", "rotate": "owner"}
    key_name = "API key"
    key_warning = "Calls that carry the present key stop working within a second, those of every application included."
    list_display = ("name", "organization", "key_begins_with", "key_last_used")
    list_select_related = ("organization",)
    search_fields = ("name", "organization__name")
    inlines = (WorkspaceInline,)
    readonly_fields = ("key_begins_with", "key_last_used", "created")
    fieldsets = (
        (None, {"fields": ("organization", "name", "time_zone", "created")}),
        (
            "Flow options",
            {
                "fields": ("retries", "retry_minutes", "max_executions"),
                "description": "What holds for objects of a flow that say nothing else themselves.",
            },
        ),
        ("API key", {"fields": ("key_begins_with", "key_last_used")}),
    )
    add_fieldsets = (
        (None, {"fields": ("organization", "name", "time_zone")}),
        ("Flow options", {"fields": ("retries", "retry_minutes", "max_executions")}),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Project]:
        """With the owner."""
        return super().get_queryset(request).select_related("organization")

    def get_inlines(self, request: HttpRequest, obj: Any) -> Any:
        """The workspaces, once there are some."""
        return self.inlines if obj else ()

    def save_model(self, request: HttpRequest, obj: Project, form: Any, change: bool) -> None:
        """With its Designer workspace; a new project gets its first key too."""
        super().save_model(request, obj, form, change)
        set_time_zone(obj, form.cleaned_data["time_zone"])
        if not change:
            self.keep(request, self.new_key(obj))

    def new_key(self, row: Project) -> Sequence[Shown]:
        """A fresh API key."""
        return (Shown("API key", services.rotate_project_key(row)),)

    def reasons_to_keep(self, row: Project) -> list[str]:
        """A project goes after its flows."""
        return ["flows"] if row.workspaces.filter(flows__isnull=False).exists() else []

    @admin.display(description="created")
    def created(self, row: Project) -> str:
        """When it was added."""
        return utc(row.date_created)

    @admin.display(description="key begins with")
    def key_begins_with(self, row: Project) -> str:
        """What tells one key from another."""
        return f"{row.api_key_prefix}…" if row.api_key_prefix else "No key has been made yet."

    @admin.display(description="key last used")
    def key_last_used(self, row: Project) -> str:
        """When a call last carried it."""
        return utc(row.api_key_last_used_at)
