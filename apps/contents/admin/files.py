"""What the pages of a website's files and of the file manager have in common."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest, HttpResponseBase
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.http import content_disposition_header
from django.utils.safestring import SafeString

from apps.accounts.models import Workspace
from apps.contents.admin.display import size
from apps.contents.admin.forms import FileForm
from apps.contents.api.responses import respond
from apps.contents.models import File
from apps.contents.serving import Resource
from apps.core.admin.display import moment
from apps.core.admin.tenancy import TenantModelAdmin

MOST_SHOWN = 50
"""Characters of a path in a list."""


class FileAdmin(TenantModelAdmin):
    """The ground of the pages of files: read, download, change, remove."""

    form = FileForm
    search_fields = ("path",)
    list_per_page = 100

    def get_urls(self) -> list[URLPattern]:
        """Also the file itself."""
        name = f"{self.opts.app_label}_{self.opts.model_name}_download"
        download = path("<path:object_id>/download/", self.admin_site.admin_view(self.download_view), name=name)
        return [download, *super().get_urls()]

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """With its text where people can edit it."""
        fields: tuple[str, ...] = (self.tenant_field, "path")
        if obj is not None and self.may("change", request, obj):
            fields += (*(("text",) if FileForm(instance=obj).shown is not None else ()), "replacement", "basis")
        return ((None, {"fields": (*fields, "content_type", "bytes", "modified", "get_it")}),)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        """What is read off the file."""
        return (*super().get_readonly_fields(request, obj), "content_type", "bytes", "modified", "get_it")

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Files come by uploads, on pages of their own."""
        return False

    def download_view(self, request: HttpRequest, object_id: str) -> HttpResponseBase:
        """The file, to be saved."""
        file: File = self.row_or_404(request, object_id, "view")
        resource = Resource(
            status=200,
            content_type=file.content_type,
            size=file.size,
            etag=f'"{file.sha256[:32]}"',
            modified=file.date_updated,
            cache_control="private, no-cache",
            content_id=file.content_id,
        )
        response = respond(request, resource, sandboxed=True)
        name = file.path.rpartition("/")[2]
        response.headers["Content-Disposition"] = content_disposition_header(True, name) or "attachment"
        del response.headers["Access-Control-Allow-Origin"]
        return response

    def workspace_of(self, file: Any) -> Workspace:
        """Where it is."""
        raise NotImplementedError

    @admin.display(description="path", ordering="path")
    def place(self, file: File) -> SafeString | str:
        """The path; of a long one the end, which tells files apart."""
        if len(file.path) <= MOST_SHOWN:
            return file.path
        return format_html('<span title="{}">…{}</span>', file.path, file.path[1 - MOST_SHOWN :])

    @admin.display(description="type", ordering="content_type")
    def kind(self, file: File) -> str:
        """Without the charset."""
        return file.content_type.partition(";")[0]

    @admin.display(description="size", ordering="size")
    def bytes(self, file: File) -> str:
        """As people read it."""
        return size(file.size)

    @admin.display(description="changed", ordering="date_updated")
    def modified(self, file: File) -> str:
        """In the workspace's zone."""
        return moment(file.date_updated, self.workspace_of(file).zone)

    @admin.display(description="file")
    def get_it(self, file: Any) -> SafeString:
        """The way to it."""
        return format_html('<a href="{}">Download</a>', self.download_link(file))

    def download_link(self, file: File) -> str:
        """Where it can be had."""
        return reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_download", args=[file.pk])
