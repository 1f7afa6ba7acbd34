"""The page of a webhook."""

from collections.abc import Sequence
from typing import Any

from django.contrib import admin
from django.db.models import OuterRef, QuerySet, Subquery
from django.http import HttpRequest, HttpResponse
from unfold.decorators import action, display

from apps.applications.admin.keys import KeyAdmin
from apps.core.admin.display import DASH, moment
from apps.core.admin.filters import TenantRelatedFilter
from apps.core.admin.shown_once import Shown
from apps.webhooks import services
from apps.webhooks.admin.forms import WebhookForm
from apps.webhooks.example import curl_line, url_of
from apps.webhooks.models import Webhook, WebhookEvent
from apps.webhooks.receivers import forget_receivers

_DELIVERIES: tuple[Any, ...] = (
    ("Payload", {"fields": ("identifier_path", "status_path", "batch", "flow")}),
    ("Access", {"fields": ("addresses", "rate_limit")}),
)


@admin.register(Webhook)
class WebhookAdmin(KeyAdmin):
    """Developers set up the addresses that other systems deliver to."""

    form = WebhookForm
    organization_path = "workspace__project__organization"
    least_role = {
        "view": "viewer",
        "add": "developer",
        "change": "developer",
        "delete": "developer",
        "rotate": "developer",
    }
    actions_detail = ("rotate_address",)
    key_name = "address"
    key_warning = "Deliveries to the present address are refused with 404 from then on."
    list_display = ("name", "project", "is_active", "flow_name", "identifier_path", "newest_event")
    list_filter = (("workspace", TenantRelatedFilter), "active")
    search_fields = ("name", "flow")
    readonly_fields = ("address_begins_with", "newest_event")
    fieldsets = (
        (None, {"fields": ("workspace", "name", "active", "address_begins_with", "newest_event")}),
        *_DELIVERIES,
    )
    add_fieldsets = ((None, {"fields": ("workspace", "name", "active")}), *_DELIVERIES)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Webhook]:
        """With workspace, project and the date of the newest event."""
        newest = WebhookEvent.objects.filter(webhook=OuterRef("pk")).order_by("-id").values("received_at")[:1]
        rows = super().get_queryset(request).select_related("workspace__project")
        return rows.annotate(newest=Subquery(newest))

    def save_model(self, request: HttpRequest, obj: Webhook, form: Any, change: bool) -> None:
        """A new webhook gets its address in the same act; changes hold within a second."""
        if change or not self.may("add", request, obj):
            super().save_model(request, obj, form, change)
            forget_receivers()
            return
        self.keep(request, self._address(obj, services.save_with_new_uri(obj)))

    def delete_model(self, request: HttpRequest, obj: Webhook) -> None:
        """Gone within a second too."""
        super().delete_model(request, obj)
        forget_receivers()

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Webhook]) -> None:
        """Gone within a second too."""
        super().delete_queryset(request, queryset)
        forget_receivers()

    @action(description="Replace address", url_path="replace-address", icon="key")
    def rotate_address(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """As every key is replaced."""
        return self.rotation(request, object_id)

    def new_key(self, row: Webhook) -> Sequence[Shown]:
        """A fresh address."""
        return self._address(row, services.save_with_new_uri(row))

    def _address(self, row: Webhook, uri: str) -> Sequence[Shown]:
        return Shown("Address", url_of(row, uri)), Shown("Try it", curl_line(row, uri))

    @admin.display(description="project", ordering="workspace__project__name")
    def project(self, row: Webhook) -> str:
        """Whose it is, and which copy when there are several."""
        return str(row.workspace) if row.workspace.api_host else str(row.workspace.project)

    @display(description="active", label={"active": "success", "off": "default"}, ordering="active")
    def is_active(self, row: Webhook) -> str:
        """Whether it takes deliveries."""
        return "active" if row.active else "off"

    @admin.display(description="flow", ordering="flow")
    def flow_name(self, row: Webhook) -> str:
        """Where its events become records."""
        return row.flow or DASH

    @admin.display(description="newest event")
    def newest_event(self, row: Any) -> str:
        """In the workspace's zone."""
        return moment(row.newest, row.workspace.zone)

    @admin.display(description="address begins with")
    def address_begins_with(self, row: Webhook) -> str:
        """What tells one address from another."""
        return f"/v1/webhook/{row.uri_prefix}…"
