"""The page of a registered application."""

from collections.abc import Sequence
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from unfold.decorators import action, display

from apps.applications import services
from apps.applications.admin.forms import ApplicationForm
from apps.applications.admin.keys import KeyAdmin
from apps.applications.admin.soap import SoapAccess
from apps.applications.authentication import forget_credentials
from apps.applications.models import Application
from apps.core.admin.display import utc
from apps.core.admin.filters import TenantRelatedFilter
from apps.core.admin.shown_once import Shown

_RIGHTS: tuple[Any, ...] = (
    ("Access", {"fields": ("active", "oauth2", "url_keys", "addresses", "rate_limit")}),
    ("Rights", {"fields": ("scopes",)}),
)


@admin.register(Application)
class ApplicationAdmin(KeyAdmin):
    """Developers register the consumers of the API and say what each may do."""

    form = ApplicationForm
    change_form_template = "applications/application_form.html"
    organization_path = "project__organization"
    least_role = {
        "view": "viewer",
        "add": "developer",
        "change": "developer",
        "delete": "developer",
        "rotate": "developer",
    }
    actions_detail = ("rotate_secret",)
    key_name = "client secret"
    key_warning = "Every token bought with the present secret ends, and so does the secret itself."
    list_display = ("name", "project", "style", "is_active", "requests_an_hour", "last_used")
    list_filter = (("project", TenantRelatedFilter), "active", "oauth2")
    list_select_related = ("project",)
    search_fields = ("name", "description")
    readonly_fields = ("app_key", "client_id", "secret_begins_with", "last_used")
    fieldsets = (
        (None, {"fields": ("project", "name", "description", "default_flow")}),
        ("Credentials", {"fields": ("app_key", "client_id", "secret_begins_with", "last_used")}),
        *_RIGHTS,
    )
    add_fieldsets = ((None, {"fields": ("project", "name", "description", "default_flow")}), *_RIGHTS)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Application]:
        """With the project."""
        return super().get_queryset(request).select_related("project")

    def render_change_form(self, request: HttpRequest, context: Any, *args: Any, **kwargs: Any) -> HttpResponse:
        """With what it takes to call by SOAP, once there is an application."""
        application = context.get("original")
        more = {"soap": SoapAccess.of(application)} if application else {}
        return super().render_change_form(request, {**context, **more}, *args, **kwargs)

    def save_model(self, request: HttpRequest, obj: Application, form: Any, change: bool) -> None:
        """A new application gets its secret in the same act; changes hold within a second."""
        if change or not self.may("add", request, obj):
            super().save_model(request, obj, form, change)
            forget_credentials()
            return
        secret = services.save_with_new_secret(obj)
        self.keep(request, self._credentials(obj, secret))

    def delete_model(self, request: HttpRequest, obj: Application) -> None:
        """Gone within a second too."""
        super().delete_model(request, obj)
        forget_credentials()

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Application]) -> None:
        """Gone within a second too."""
        super().delete_queryset(request, queryset)
        forget_credentials()

    @action(description="Replace client secret", url_path="replace-secret", icon="key")
    def rotate_secret(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """As every key is replaced."""
        return self.rotation(request, object_id)

    def new_key(self, row: Application) -> Sequence[Shown]:
        """A fresh client secret."""
        return self._credentials(row, services.rotate_client_secret(row))

    def _credentials(self, row: Application, secret: str) -> Sequence[Shown]:
        return (
            Shown("Client id", row.client_id, secret=False),
            Shown("Client secret", secret),
            Shown("Application key", row.app_key, secret=False),
        )

    @display(description="calls carry", label={"tokens": "info", "keys": "default"})
    def style(self, row: Application) -> str:
        """How the application proves who it is."""
        return "tokens" if row.oauth2 else "keys"

    @display(description="active", label={"active": "success", "off": "default"}, ordering="active")
    def is_active(self, row: Application) -> str:
        """Whether its calls are served."""
        return "active" if row.active else "off"

    @admin.display(description="requests an hour", ordering="rate_limit")
    def requests_an_hour(self, row: Application) -> str:
        """Its rate limit."""
        return f"{row.rate_limit:,}" if row.rate_limit else "unlimited"

    @admin.display(description="secret begins with")
    def secret_begins_with(self, row: Application) -> str:
        """What tells one secret from another."""
        return f"{row.secret_prefix}…"

    @admin.display(description="last used", ordering="last_used_at")
    def last_used(self, row: Application) -> str:
        """When a call last named it."""
        return utc(row.last_used_at)
