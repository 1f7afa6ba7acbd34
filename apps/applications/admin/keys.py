"""Pages that replace a key or secret and show the new one once."""

from collections.abc import Sequence
from typing import Any, ClassVar

from django.contrib.admin.utils import unquote
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse
from unfold.decorators import action

from apps.core.admin.shown_once import Shown, keep_for_response, kept_for_response, page
from apps.core.admin.tenancy import TenantModelAdmin


class KeyAdmin(TenantModelAdmin):
    """An admin whose rows own a secret; ``key_name`` is what people call it."""

    key_name: ClassVar[str]
    key_warning: ClassVar[str]
    actions_detail = ("rotate_key",)

    def new_key(self, row: Any) -> Sequence[Shown]:
        """Replace the secret; returns the lines to show once."""
        raise NotImplementedError

    def get_actions_detail(self, request: HttpRequest, object_id: Any) -> list[Any]:
        """The button, for those who may use it on this row."""
        row = self.get_object(request, unquote(str(object_id)))
        allowed = row is not None and self.may("rotate", request, row)
        return super().get_actions_detail(request, object_id) if allowed else []

    @action(description="Replace key", url_path="replace-key", icon="key")
    def rotate_key(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """As ``rotation``."""
        return self.rotation(request, object_id)

    def rotation(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Ask on GET, replace on POST and show the new secret in that response."""
        row = self.row_or_404(request, object_id, "rotate")
        if request.method == "POST":
            shown = self.new_key(row)
            self.log_change(request, row, f"Replaced the {self.key_name}.")
            return self.show_once(request, row, shown)
        context = {"key_name": self.key_name, "warning": self.key_warning, "back": self.location_of(row)}
        context |= self.page_context(request, row, f"Replace the {self.key_name}")
        return TemplateResponse(request, "core/confirm_rotation.html", context)

    def show_once(self, request: HttpRequest, row: Any, shown: Sequence[Shown]) -> HttpResponse:
        """The page with the new secret."""
        context = {**self.page_context(request, row, f"Copy the {self.key_name} now"), "back": self.location_of(row)}
        return page(request, context, shown)

    def location_of(self, row: Any) -> str:
        """Where the row's own page is."""
        return reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_change", args=[row.pk])

    def keep(self, request: HttpRequest, shown: Sequence[Shown]) -> None:
        """Leave the secrets of a new row for the response of its form."""
        keep_for_response(request, shown)

    def render_change_form(self, request: HttpRequest, context: Any, *args: Any, **kwargs: Any) -> HttpResponse:
        """Adding has one button: what follows is the page with the secrets."""
        if kwargs.get("add"):
            context |= {"show_save_and_add_another": False, "show_save_and_continue": False}
        return super().render_change_form(request, context, *args, **kwargs)

    def response_add(self, request: HttpRequest, obj: Any, post_url_continue: str | None = None) -> HttpResponse:
        """The new row's secrets, in the answer to the form itself."""
        shown = kept_for_response(request)
        return self.show_once(request, obj, shown) if shown else super().response_add(request, obj, post_url_continue)
