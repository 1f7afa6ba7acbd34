"""The files of websites."""

from collections import defaultdict
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.encoding import escape_uri_path
from django.utils.html import format_html
from django.utils.safestring import SafeString

from apps.accounts.models import Workspace
from apps.contents import services
from apps.contents.admin.files import FileAdmin
from apps.contents.models import Website, WebsiteFile
from apps.core.admin.filters import TenantRelatedFilter


@admin.register(WebsiteFile)
class WebsiteFileAdmin(FileAdmin):
    """Files of one website after the other; new ones come by the website's page of uploads."""

    organization_path = "website__workspace__project__organization"
    list_display = ("place", "website_name", "kind", "bytes", "modified", "get_it")
    list_filter = (("website", TenantRelatedFilter),)

    def get_queryset(self, request: HttpRequest) -> QuerySet[WebsiteFile]:
        """With the names that stand beside each."""
        return super().get_queryset(request).select_related("website__workspace__project")

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        """A file of a website keeps its path: pages refer to it."""
        return (*super().get_readonly_fields(request, obj), "path")

    def save_model(self, request: HttpRequest, obj: WebsiteFile, form: Any, change: bool) -> None:
        """What is in it, when that has changed."""
        if (content := form.new_content) is not None and self.may("change", request, obj):
            services.upload_files(obj.website, [(obj.path, content)])

    def delete_model(self, request: HttpRequest, obj: WebsiteFile) -> None:
        """By the service, which notes the change of the website."""
        services.remove_website_files(obj.website, [obj.path])

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[WebsiteFile]) -> None:
        """The same for several."""
        paths: dict[Website, list[str]] = defaultdict(list)
        for file in queryset.select_related("website"):
            paths[file.website].append(file.path)
        for website, chosen in paths.items():
            services.remove_website_files(website, chosen)

    def workspace_of(self, file: WebsiteFile) -> Workspace:
        """That of its website."""
        return file.website.workspace

    @admin.display(description="website", ordering="website__slug")
    def website_name(self, file: WebsiteFile) -> str:
        """Which it belongs to, and whose that is."""
        return f"{file.website} ({file.website.workspace.label})"

    @admin.display(description="file")
    def get_it(self, file: Any) -> SafeString:
        """The way to it, and to what it looks like in the Designer."""
        download = super().get_it(file)
        if file.website.workspace.api_host:
            return download
        link = f"/site/{file.website.key}/{escape_uri_path(file.path)}"
        return format_html('<a href="{}" target="_blank" rel="noopener">Open</a> &nbsp; {}', link, download)
