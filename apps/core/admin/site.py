"""The admin site: pages of ours only, and nothing that tells of rows a person may not see."""

from collections.abc import Iterable
from typing import Any

from django.contrib.admin.options import ModelAdmin
from django.db.models import Model
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import URLPattern
from unfold.sites import UnfoldAdminSite

from apps.core.admin.tenancy import SuperuserModelAdmin, TenantModelAdmin


class FlowizeAdminSite(UnfoldAdminSite):
    """The theme's site with the doors closed that know nothing of tenants."""

    index_title = "Overview"
    site_title = "Flowize"

    def register(
        self,
        model_or_iterable: type[Model] | Iterable[type[Model]],
        admin_class: type[ModelAdmin] | None = None,
        **options: Any,
    ) -> None:
        """Register admins that keep tenants apart; those of libraries list everybody's rows and are left out."""
        if admin_class is not None and issubclass(admin_class, TenantModelAdmin | SuperuserModelAdmin):
            super().register(model_or_iterable, admin_class, **options)

    def get_urls(self) -> list[URLPattern]:
        """Without the redirect to a row's public page: there are none, and its answers tell which rows exist."""
        return [url for url in super().get_urls() if getattr(url, "name", None) != "view_on_site"]

    def search(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """The pages that match, by name; a page number that is none is a missing page."""
        page = request.GET.get("page", "1")
        if not (page.isascii() and page.isdecimal() and len(page) < 6 and int(page) > 0):
            raise Http404
        return super().search(request, extra_context)
