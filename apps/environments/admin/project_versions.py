"""The versions of projects: noting one, its file, importing a file into a project."""

import json
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db.models import Prefetch, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.http import content_disposition_header
from django.utils.safestring import SafeString
from unfold.widgets import UnfoldAdminFileFieldWidget, UnfoldAdminSelectWidget

from apps.accounts.models import Project, Role, Workspace
from apps.applications.caller import Caller
from apps.applications.members import member_caller
from apps.core.admin.access import access_of
from apps.core.admin.display import DASH, moment, pretty
from apps.core.admin.filters import TenantRelatedFilter
from apps.core.admin.forms import as_validation_error
from apps.core.admin.tenancy import TenantModelAdmin
from apps.core.errors import BadRequest, FlowizeError
from apps.core.http.client import address_of
from apps.core.jsonio import read_json
from apps.environments.definitions.document import Definition, apply_definition, check_definition
from apps.environments.definitions.sections import SECTIONS
from apps.environments.models import ProjectVersion
from apps.environments.project_versions import note_version

LARGEST_FILE = 20 * 1024 * 1024


class ImportForm(forms.Form):
    """A project and the file that it is brought in line with."""

    project = forms.ModelChoiceField(
        Project.objects.none(),
        empty_label="Choose a project",
        widget=UnfoldAdminSelectWidget(),
        help_text="Its Designer copy becomes what the file says.",
    )
    file = forms.FileField(
        widget=UnfoldAdminFileFieldWidget(), help_text="A file of a project's version, format flowize-project/1."
    )

    def clean_file(self) -> Definition:
        """The definition in the file."""
        upload = self.cleaned_data["file"]
        if upload.size > LARGEST_FILE:
            raise forms.ValidationError("The file is larger than 20 MB.")
        try:
            return check_definition(read_json(upload.read()))
        except BadRequest as error:
            raise as_validation_error(error.details, error.message) from None


@admin.register(ProjectVersion)
class ProjectVersionAdmin(TenantModelAdmin):
    """Everybody reads; developers note versions and import files."""

    organization_path = "project__organization"
    least_role = {"view": "viewer", "note": "developer"}
    list_display = ("name", "created", "parts", "file")
    list_filter = (("project", TenantRelatedFilter),)
    actions = None
    list_before_template = "environments/project_versions.html"
    fieldsets = ((None, {"fields": ("project", "number", "created", "parts", "file", "fingerprint", "text")}),)
    readonly_fields = ("project", "number", "created", "parts", "file", "fingerprint", "text")

    def get_queryset(self, request: HttpRequest) -> QuerySet[ProjectVersion]:
        """With the names and zones that stand beside each."""
        designers = Prefetch("project__workspaces", Workspace.objects.filter(api_host=""), to_attr="designers")
        return super().get_queryset(request).select_related("project").prefetch_related(designers)

    def get_urls(self) -> list[URLPattern]:
        """Also the acts."""
        view, name = self.admin_site.admin_view, "environments_projectversion"
        own = [
            path("note/", view(self.note_view), name=f"{name}_note"),
            path("import/", view(self.import_view), name=f"{name}_import"),
            path("<path:object_id>/file/", view(self.file_view), name=f"{name}_file"),
        ]
        return own + super().get_urls()

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        """With the projects that a version may be noted of."""
        projects = self._projects(request)
        return super().changelist_view(request, {**(extra_context or {}), "projects": projects})

    def note_view(self, request: HttpRequest) -> HttpResponse:
        """Note the version that a project is now; POST only."""
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        location = reverse("admin:environments_projectversion_changelist")
        project = self._projects(request).filter(pk=_number(request.POST.get("project"))).first()
        if project is None:
            return self.refuse(request, BadRequest("Choose a project."), location)
        version = note_version(project)
        messages.success(request, f"{project.name} is version {version.number}.")
        return HttpResponseRedirect(location)

    def file_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """A version as a file that can be imported."""
        version = self.row_or_404(request, object_id, "view")
        name = f"{version.project.name}-{version.number}.json"
        text = json.dumps({**version.definition, "name": version.project.name}, indent=2, ensure_ascii=False)
        return HttpResponse(
            text.encode(),
            content_type="application/json",
            headers={
                "Content-Disposition": content_disposition_header(True, name) or "attachment",
                "Cache-Control": "no-store",
            },
        )

    def import_view(self, request: HttpRequest) -> HttpResponse:
        """Bring a project's Designer copy in line with a file, all or nothing."""
        form = ImportForm(request.POST or None, request.FILES or None)
        form.fields["project"].queryset = self._projects(request)  # type: ignore[attr-defined]
        if request.method == "POST" and form.is_valid():
            return self._import(request, form.cleaned_data["project"], form.cleaned_data["file"])
        request.current_app = self.admin_site.name
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": "Import a project",
            "form": form,
            "back": reverse("admin:environments_projectversion_changelist"),
        }
        return TemplateResponse(request, "environments/project_import.html", context)

    def _import(self, request: HttpRequest, project: Project, definition: Definition) -> HttpResponse:
        try:
            notes = apply_definition(self._caller(request, project), definition)
        except FlowizeError as error:
            return self.refuse(request, error, reverse("admin:environments_projectversion_import"))
        version = note_version(project)
        messages.success(request, f"{project.name} is what the file says: version {version.number}.")
        for note in notes:
            messages.warning(request, note)
        return HttpResponseRedirect(reverse("admin:environments_projectversion_changelist"))

    def _projects(self, request: HttpRequest) -> QuerySet[Project]:
        """Those whose definition the person may change."""
        access = access_of(request)
        rows = Project.objects.filter(workspaces__api_host="").select_related("organization")
        return self.scoped(rows, access, "note", "organization").order_by("name")

    def _caller(self, request: HttpRequest, project: Project) -> Caller:
        workspace = project.workspaces.select_related("project").get(api_host="")
        return member_caller(workspace, Role(access_of(request).role(project.organization_id)), address_of(request))

    @admin.display(description="version", ordering="project__name")
    def name(self, version: ProjectVersion) -> str:
        """Whose it is, and its number."""
        return f"{version.project.name}, version {version.number}"

    @admin.display(description="noted", ordering="date_created")
    def created(self, version: ProjectVersion) -> str:
        """In the zone of the project's Designer copy."""
        designers = version.project.designers  # type: ignore[attr-defined]
        return moment(version.date_created, designers[0].zone) if designers else DASH

    @admin.display(description="parts")
    def parts(self, version: ProjectVersion) -> str:
        """How many items each part has."""
        counts = [(section.name, len(version.definition.get(section.name, []))) for section in SECTIONS]
        return ", ".join(_counted(name, count) for name, count in counts if count) or DASH

    @admin.display(description="file")
    def file(self, version: ProjectVersion) -> SafeString:
        """Leads to its file."""
        url = reverse("admin:environments_projectversion_file", args=[version.pk])
        return format_html('<a href="{}">Download</a>', url)

    @admin.display(description="definition")
    def text(self, version: ProjectVersion) -> SafeString:
        """As it stands in the file."""
        return format_html('<pre class="flowize-code">{}</pre>', pretty(version.definition))


def _counted(name: str, count: int) -> str:
    """As people say it: "1 flow", "2 URL triggers"."""
    words = name.replace("_", " ").replace("url", "URL")
    return f"{count} {words.removesuffix('s') if count == 1 else words}"


def _number(text: str | None) -> int:
    return int(text) if text and text.isascii() and text.isdecimal() and len(text) < 19 else 0
