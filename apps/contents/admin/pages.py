"""The pages of hosted pages."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from apps.contents.admin.forms import PageForm
from apps.contents.models import HostedPage
from apps.core.admin.display import DASH, moment
from apps.core.admin.filters import TenantRelatedFilter
from apps.core.admin.tenancy import TenantModelAdmin


@admin.register(HostedPage)
class HostedPageAdmin(TenantModelAdmin):
    """Developers write pages; people see them, and their forms become records."""

    form = PageForm
    organization_path = "workspace__project__organization"
    list_display = ("name", "project", "flow_name", "modified", "open_page")
    list_filter = (("workspace", TenantRelatedFilter),)
    search_fields = ("name", "flow")
    change_form_template = "contents/page_form.html"
    fieldsets = (
        (None, {"fields": ("workspace", "name", "html")}),
        ("Form", {"fields": ("flow", "answer", "trap")}),
        ("Access", {"fields": ("addresses", "rate_limit")}),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[HostedPage]:
        """With the names that stand beside each."""
        return super().get_queryset(request).select_related("workspace__project")

    def render_change_form(self, request: HttpRequest, context: Any, *args: Any, **kwargs: Any) -> HttpResponse:
        """With the way to the page itself."""
        page = context.get("original")
        if page is not None:
            context.update(preview=preview_link(page), page=page)
        return super().render_change_form(request, context, *args, **kwargs)

    @admin.display(description="project", ordering="workspace__project__name")
    def project(self, page: HostedPage) -> str:
        """Whose it is."""
        return page.workspace.label

    @admin.display(description="flow", ordering="flow")
    def flow_name(self, page: HostedPage) -> str:
        """Where its forms become records."""
        return page.flow or DASH

    @admin.display(description="changed", ordering="date_updated")
    def modified(self, page: HostedPage) -> str:
        """In the workspace's zone."""
        return moment(page.date_updated, page.workspace.zone)

    @admin.display(description="open")
    def open_page(self, page: HostedPage) -> SafeString | str:
        """The way to it."""
        link = preview_link(page)
        return format_html('<a href="{}" target="_blank" rel="noopener">Open</a>', link) if link else DASH


def preview_link(page: HostedPage) -> str:
    """Where the Designer shows it; nothing for the copies of environments, which show it themselves."""
    return "" if page.workspace.api_host else f"/page/{page.key}"
