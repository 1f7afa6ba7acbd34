"""The page of a URL trigger."""

import json
import shlex
from collections.abc import Sequence
from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest
from unfold.widgets import UnfoldAdminSelectWidget

from apps.applications.admin.secret_addresses import SecretAddressAdmin
from apps.core.admin.display import DASH
from apps.core.admin.filters import TenantRelatedFilter
from apps.core.admin.forms import ProseWidget
from apps.core.admin.shown_once import Shown
from apps.triggers.admin.forms import TriggerForm, webhooks_of_workspaces
from apps.triggers.entrances import forget_entrances
from apps.triggers.models import UrlKind, UrlTrigger
from apps.triggers.url_triggers import save_with_new_secret
from apps.webhooks.example import base_of

_MEANINGS = {
    UrlKind.DIRECT: "Direct: answers once the record is stored",
    UrlKind.SYNC: "Sync: answers when the flow comes to rest",
    UrlKind.DYNAMIC: "Dynamic: a record the first time, then events for it",
}
_RECORDS: tuple[Any, ...] = (
    ("Records", {"fields": ("application", "flow", "batch")}),
    ("Kind", {"fields": ("kind", "seconds", "webhook")}),
    ("Access", {"fields": ("addresses", "rate_limit")}),
)


class UrlForm(TriggerForm):
    """A URL trigger."""

    kind = forms.ChoiceField(choices=list(_MEANINGS.items()), widget=UnfoldAdminSelectWidget())
    flow = forms.ChoiceField(required=False, widget=UnfoldAdminSelectWidget())
    webhook = forms.ChoiceField(
        required=False, widget=UnfoldAdminSelectWidget(), help_text=UrlTrigger._meta.get_field("webhook").help_text
    )
    named = {
        **TriggerForm.named,
        "webhook": (webhooks_of_workspaces, DASH, "no webhook of this name that has an identifier"),
    }

    class Meta:
        model = UrlTrigger
        fields = (
            "workspace",
            "name",
            "active",
            "application",
            "flow",
            "batch",
            "kind",
            "seconds",
            "webhook",
            "addresses",
            "rate_limit",
        )
        widgets = {"addresses": ProseWidget(rows=4)}

    def clean(self) -> dict[str, Any] | None:
        """Each kind has what it needs."""
        cleaned = super().clean()
        self.require_scope("record")
        kind = self.cleaned_data.get("kind")
        if kind == UrlKind.SYNC and self.cleaned_data.get("batch"):
            self.add_error("batch", ValidationError("A Sync URL answers for one record and takes no batches."))
        if kind == UrlKind.DYNAMIC and not self.cleaned_data.get("webhook") and "webhook" not in self.errors:
            self.add_error("webhook", ValidationError("A Dynamic URL needs a webhook that has an identifier."))
        return cleaned


@admin.register(UrlTrigger)
class UrlTriggerAdmin(SecretAddressAdmin):
    """Developers set up the addresses that make records."""

    form = UrlForm
    forget = staticmethod(forget_entrances)
    key_warning = "Calls of the present address are refused with 404 from then on."
    list_display = ("name", "project", "is_active", "kind_name", "flow_name", "application")
    list_filter = (("workspace", TenantRelatedFilter), "kind", "active")
    search_fields = ("name", "flow")
    readonly_fields = ("address_begins_with",)
    fieldsets = ((None, {"fields": ("workspace", "name", "active", "address_begins_with")}), *_RECORDS)
    add_fieldsets = ((None, {"fields": ("workspace", "name", "active")}), *_RECORDS)

    def get_queryset(self, request: HttpRequest) -> QuerySet[UrlTrigger]:
        """With the application."""
        return super().get_queryset(request).select_related("application")

    def new_key(self, row: UrlTrigger) -> Sequence[Shown]:
        """A fresh address, and a line that tries it."""
        return _address(row, save_with_new_secret(row))

    @admin.display(description="kind", ordering="kind")
    def kind_name(self, row: UrlTrigger) -> str:
        """What it answers."""
        return row.get_kind_display()

    @admin.display(description="address begins with")
    def address_begins_with(self, row: UrlTrigger) -> str:
        """What tells one address from another."""
        return f"/v1/url/{row.secret_prefix}…"


def _address(row: UrlTrigger, secret: str) -> Sequence[Shown]:
    """The address, and a line for the shell that tries it out."""
    url = f"{base_of(row.workspace)}/v1/url/{secret}"
    body = json.dumps({"hello": "flow"})
    line = f"curl -s {shlex.quote(url)} -H 'Content-Type: application/json' -d {shlex.quote(body)}"
    return Shown("Address", url), Shown("Try it", line)
