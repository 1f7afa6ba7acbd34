"""The list of websites and the page of one."""

from typing import Any

from django.contrib import admin, messages
from django.db.models import Count, QuerySet, Sum
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from apps.contents import services
from apps.contents.admin.display import size
from apps.contents.admin.forms import WebsiteForm
from apps.contents.admin.uploads import WebsiteUploadForm
from apps.contents.models import Website
from apps.core.admin.display import moment
from apps.core.admin.filters import TenantRelatedFilter
from apps.core.admin.tenancy import TenantModelAdmin
from apps.core.errors import FlowizeError


@admin.register(Website)
class WebsiteAdmin(TenantModelAdmin):
    """Developers upload websites; environments show them at the addresses they are mapped to."""

    form = WebsiteForm
    organization_path = "workspace__project__organization"
    list_display = ("slug", "name", "project", "files_count", "bytes", "modified", "open_files")
    list_filter = (("workspace", TenantRelatedFilter),)
    search_fields = ("slug", "name")
    ordering = ("slug",)
    actions = None
    change_form_template = "contents/website_form.html"
    fieldsets = ((None, {"fields": ("workspace", "slug", "name")}),)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Website]:
        """With the names that stand beside each and what it holds."""
        rows = super().get_queryset(request).select_related("workspace__project")
        return rows.annotate(number_of_files=Count("files"), total=Sum("files__size", default=0))

    def get_urls(self) -> list[URLPattern]:
        """Also the page of uploads."""
        view = self.admin_site.admin_view(self.upload_view)
        return [path("<path:object_id>/upload/", view, name="contents_website_upload"), *super().get_urls()]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        """Mappings and deployments name it by its slug."""
        fields = super().get_readonly_fields(request, obj)
        return (*fields, "slug") if obj else fields

    def render_change_form(self, request: HttpRequest, context: Any, *args: Any, **kwargs: Any) -> HttpResponse:
        """With what it holds and the ways to it."""
        website = context.get("original")
        if website is not None:
            context.update(self._bar(request, website))
        return super().render_change_form(request, context, *args, **kwargs)

    def response_add(self, request: HttpRequest, obj: Website, post_url_continue: str | None = None) -> HttpResponse:
        """A new website has no files yet: on to the uploads."""
        if "_addanother" in request.POST or "_continue" in request.POST:
            return super().response_add(request, obj, post_url_continue)
        messages.success(request, f"The website {obj} was added. Now its files.")
        return HttpResponseRedirect(reverse("admin:contents_website_upload", args=[obj.pk]))

    def upload_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Take an archive or files. Not one transaction: nobody waits for the bytes of others."""
        website = self.row_or_404(request, object_id, "change")
        form = WebsiteUploadForm(request.POST or None, request.FILES or None)
        error = None
        if request.method == "POST" and form.is_valid():
            try:
                return self._taken(request, website, form)
            except FlowizeError as refusal:
                error = refusal
        context = self.page_context(request, website, "Upload files") | self._bar(request, website)
        return TemplateResponse(request, "contents/upload.html", context | {"form": form, "error": error})

    def _taken(self, request: HttpRequest, website: Website, form: WebsiteUploadForm) -> HttpResponse:
        archive = form.cleaned_data["archive"]
        if archive:
            count = services.upload_archive(website, archive, replace=form.cleaned_data["replace"])
        else:
            count = services.upload_files(website, form.named_files())
        text = f"{count} file{'s were' if count != 1 else ' was'} stored."
        self.log_change(request, website, text)
        messages.success(request, text)
        return HttpResponseRedirect(reverse("admin:contents_website_change", args=[website.pk]))

    def _bar(self, request: HttpRequest, website: Any) -> dict[str, Any]:
        return {
            "website": website,
            "number": website.number_of_files,
            "size": size(website.total),
            "preview": preview_link(website),
            "may_change": self.may("change", request, website),
        }

    @admin.display(description="project", ordering="workspace__project__name")
    def project(self, website: Website) -> str:
        """Whose it is."""
        return website.workspace.label

    @admin.display(description="files", ordering="number_of_files")
    def files_count(self, website: Any) -> int:
        """How many it has."""
        return int(website.number_of_files)

    @admin.display(description="size", ordering="total")
    def bytes(self, website: Any) -> str:
        """What they hold together."""
        return size(website.total)

    @admin.display(description="changed", ordering="date_updated")
    def modified(self, website: Website) -> str:
        """In the workspace's zone."""
        return moment(website.date_updated, website.workspace.zone)

    @admin.display(description="open")
    def open_files(self, website: Website) -> SafeString:
        """The way to its files."""
        link = f"{reverse('admin:contents_websitefile_changelist')}?website__id__exact={website.pk}"
        return format_html('<a class="flowize-button" href="{}">Files</a>', link)


def preview_link(website: Website) -> str:
    """Where the Designer shows it; nothing for the copies of environments, which show it themselves."""
    return "" if website.workspace.api_host else f"/site/{website.key}/"
