"""The file manager."""

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse

from apps.accounts.models import Workspace
from apps.contents import services
from apps.contents.admin.files import FileAdmin
from apps.contents.admin.uploads import StoredUploadForm
from apps.contents.models import StoredFile
from apps.core.admin.access import access_of
from apps.core.admin.filters import TenantRelatedFilter
from apps.core.errors import FlowizeError


@admin.register(StoredFile)
class StoredFileAdmin(FileAdmin):
    """Files of a workspace, by folders as their paths have them."""

    organization_path = "workspace__project__organization"
    list_display = ("place", "project", "kind", "bytes", "modified", "get_it")
    list_filter = (("workspace", TenantRelatedFilter),)

    def get_queryset(self, request: HttpRequest) -> QuerySet[StoredFile]:
        """With the names that stand beside each."""
        return super().get_queryset(request).select_related("workspace__project")

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Whoever may add something somewhere."""
        return access_of(request).allows(self.least_role["add"])

    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: Any = None) -> HttpResponse:
        """Uploads. Not one transaction: nobody waits for the bytes of others."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        workspaces = self.choices_for(StoredFile._meta.get_field("workspace"), request, "add").select_related("project")
        form = StoredUploadForm(workspaces, request.POST or None, request.FILES or None)
        error = None
        if request.method == "POST" and form.is_valid():
            try:
                return self._stored(request, form)
            except FlowizeError as refusal:
                error = refusal
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": "Upload files",
            "form": form,
            "error": error,
        }
        request.current_app = self.admin_site.name
        return TemplateResponse(request, "contents/upload.html", context)

    def _stored(self, request: HttpRequest, form: StoredUploadForm) -> HttpResponse:
        workspace = form.cleaned_data["workspace"]
        files = form.named_files()
        count = services.store_files(workspace, files)
        for path, _ in files:
            row = StoredFile.objects.in_workspace(workspace.pk).filter(path=path).first()
            if row is not None:
                self.log_addition(request, row, "Uploaded.")
        messages.success(request, f"{count} file{'s were' if count > 1 else ' was'} stored.")
        return HttpResponseRedirect(reverse("admin:contents_storedfile_changelist"))

    def save_model(self, request: HttpRequest, obj: StoredFile, form: Any, change: bool) -> None:
        """Its path, then what is in it."""
        if not self.may("change", request, obj):
            raise PermissionDenied
        row = StoredFile.objects.get(pk=obj.pk)
        if row.path != obj.path:
            services.move_file(row, obj.path)
        if (content := form.new_content) is not None:
            services.store_files(obj.workspace, [(obj.path, content)])

    def workspace_of(self, file: StoredFile) -> Workspace:
        """Its own."""
        return file.workspace

    @admin.display(description="project", ordering="workspace__project__name")
    def project(self, file: StoredFile) -> str:
        """Whose it is."""
        return file.workspace.label
