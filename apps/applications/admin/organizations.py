"""The page of an organization: its name, its members, the key that manages its environments."""

from collections.abc import Sequence

from django.contrib import admin
from django.db.models import Count, QuerySet
from django.http import HttpRequest

from apps.accounts.admin import MembershipInline
from apps.accounts.models import Organization
from apps.applications import services
from apps.applications.admin.keys import KeyAdmin
from apps.core.admin.display import utc
from apps.core.admin.shown_once import Shown


@admin.register(Organization)
class OrganizationAdmin(KeyAdmin):
    """Owners rename it, choose its members and replace its key; superusers add and remove organizations."""

    organization_path = "id"
    least_role = {"view": "viewer", "add": "superuser", "change": "owner", "delete": "superuser", "rotate": "owner"}
    key_name = "organization API key"
    key_warning = "Calls that manage environments with the present key stop working at once."
    list_display = ("name", "number_of_projects", "number_of_members", "api_key_enabled")
    search_fields = ("name",)
    ordering = ("name",)
    inlines = (MembershipInline,)
    readonly_fields = ("key_begins_with", "created")
    fieldsets = (
        (None, {"fields": ("name", "created")}),
        ("Organization API key", {"fields": ("api_key_enabled", "key_begins_with")}),
    )
    add_fieldsets = ((None, {"fields": ("name", "api_key_enabled")}),)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Organization]:
        """With the numbers of the list."""
        counts = {
            "project_count": Count("projects", distinct=True),
            "member_count": Count("memberships", distinct=True),
        }
        return super().get_queryset(request).annotate(**counts)

    def new_key(self, row: Organization) -> Sequence[Shown]:
        """A fresh organization API key."""
        return (Shown("Organization API key", services.rotate_organization_key(row)),)

    def reasons_to_keep(self, row: Organization) -> list[str]:
        """An organization goes after its projects."""
        return ["projects"] if row.projects.exists() else []

    @admin.display(description="projects", ordering="project_count")
    def number_of_projects(self, row: Organization) -> int:
        """How many projects it owns."""
        return row.project_count  # type: ignore[attr-defined]

    @admin.display(description="members", ordering="member_count")
    def number_of_members(self, row: Organization) -> int:
        """How many people belong to it."""
        return row.member_count  # type: ignore[attr-defined]

    @admin.display(description="created")
    def created(self, row: Organization) -> str:
        """When it was added."""
        return utc(row.date_created)

    @admin.display(description="key begins with")
    def key_begins_with(self, row: Organization) -> str:
        """What tells one key from another."""
        return f"{row.api_key_prefix}…" if row.api_key_prefix else "No key has been made yet."
