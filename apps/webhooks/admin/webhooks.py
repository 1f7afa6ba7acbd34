"""The page of a webhook."""

from collections.abc import Sequence
from typing import Any

from django.contrib import admin
from django.db.models import OuterRef, QuerySet, Subquery
from django.http import HttpRequest

from apps.applications.admin.secret_addresses import SecretAddressAdmin
from apps.core.admin.display import moment
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
class WebhookAdmin(SecretAddressAdmin):
    """Developers set up the addresses that other systems deliver to."""

    form = WebhookForm
    forget = staticmethod(forget_receivers)
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
        """With the date of the newest event."""
        newest = WebhookEvent.objects.filter(webhook=OuterRef("pk")).order_by("-id").values("received_at")[:1]
        return super().get_queryset(request).annotate(newest=Subquery(newest))

    def new_key(self, row: Webhook) -> Sequence[Shown]:
        """A fresh address, and a line that tries it."""
        uri = services.save_with_new_uri(row)
        return Shown("Address", url_of(row, uri)), Shown("Try it", curl_line(row, uri))

    @admin.display(description="newest event")
    def newest_event(self, row: Any) -> str:
        """In the workspace's zone."""
        return moment(row.newest, row.workspace.zone)

    @admin.display(description="address begins with")
    def address_begins_with(self, row: Webhook) -> str:
        """What tells one address from another."""
        return f"/v1/webhook/{row.uri_prefix}…"
