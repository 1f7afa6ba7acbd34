"""Pages of rows that each have a secret address, shown once."""

from collections.abc import Sequence
from typing import Any, ClassVar

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from unfold.decorators import action, display

from apps.applications.admin.keys import KeyAdmin
from apps.core.admin.display import DASH
from apps.core.admin.shown_once import Shown


class SecretAddressAdmin(KeyAdmin):
    """Developers set up the addresses; ``forget`` lets go of what this process remembers of them."""

    organization_path = "workspace__project__organization"
    least_role: ClassVar[dict[str, str]] = {
        "view": "viewer",
        "add": "developer",
        "change": "developer",
        "delete": "developer",
        "rotate": "developer",
    }
    actions_detail = ("rotate_address",)
    key_name = "address"
    forget: "staticmethod[[], None]"

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """With workspace and project."""
        return super().get_queryset(request).select_related("workspace__project")

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """A new row gets its address in the same act; changes hold within a second."""
        if change or not self.may("add", request, obj):
            super().save_model(request, obj, form, change)
            self.forget()
            return
        self.keep(request, self.new_key(obj))

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        """Gone within a second too."""
        super().delete_model(request, obj)
        self.forget()

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        """Gone within a second too."""
        super().delete_queryset(request, queryset)
        self.forget()

    @action(description="Replace address", url_path="replace-address", icon="key")
    def rotate_address(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """As every key is replaced."""
        return self.rotation(request, object_id)

    def new_key(self, row: Any) -> Sequence[Shown]:
        """Save the row with a fresh address; returns the lines to show once."""
        raise NotImplementedError

    @admin.display(description="project", ordering="workspace__project__name")
    def project(self, row: Any) -> str:
        """Whose it is."""
        label: str = row.workspace.label
        return label

    @display(description="active", label={"active": "success", "off": "default"}, ordering="active")
    def is_active(self, row: Any) -> str:
        """Whether anything is taken there."""
        return "active" if row.active else "off"

    @admin.display(description="flow", ordering="flow")
    def flow_name(self, row: Any) -> str:
        """Where what comes in becomes records."""
        return row.flow or DASH
