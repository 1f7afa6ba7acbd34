"""The page of a flow: its draft, its problems, its versions, and what it does with records."""

from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.utils import unquote
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from unfold.decorators import display

from apps.accounts.models import Role, Workspace
from apps.applications.caller import Caller
from apps.applications.members import member_caller
from apps.core.admin.access import access_of
from apps.core.admin.display import ATTENTION, DASH, GOOD, NEUTRAL, moment
from apps.core.admin.filters import TenantRelatedFilter
from apps.core.admin.tenancy import TenantModelAdmin
from apps.core.errors import FlowizeError
from apps.core.http.client import address_of
from apps.flows import services
from apps.flows.admin.files import drawing_file
from apps.flows.admin.forms import FlowForm
from apps.flows.admin.outline import outline
from apps.flows.drawings import drawing_of, file_name, newest_version
from apps.flows.models import Flow, FlowStatus, FlowVersion, VersionStatus

PILLS = {"draft": NEUTRAL, "running": GOOD, "paused": ATTENTION, "inactive": NEUTRAL}
_DONE = {
    "public": "The flow is running.",
    "running": "The flow is running again.",
    "paused": "The flow is paused: it accepts records and runs none.",
    "inactive": "The flow is stopped: it refuses records and runs none.",
}


@admin.register(Flow)
class FlowAdmin(TenantModelAdmin):
    """Developers draw flows and decide which of them run."""

    form = FlowForm
    organization_path = "workspace__project__organization"
    least_role = {
        "view": "viewer",
        "add": "developer",
        "change": "developer",
        "delete": "developer",
        "publish": "developer",
    }
    list_display = ("name", "project", "status_pill", "live", "modified")
    list_filter = ("status", ("workspace", TenantRelatedFilter))
    search_fields = ("name", "description")
    actions = None
    change_form_template = "flows/flow_form.html"
    fieldsets = (
        (None, {"fields": ("workspace", "name", "description")}),
        ("Document", {"fields": ("draft", "basis")}),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Flow]:
        """With the names that stand beside each flow."""
        return super().get_queryset(request).select_related("workspace__project", "live_version")

    def get_urls(self) -> list[URLPattern]:
        """Also the acts of a flow and the pages of its versions."""
        view = self.admin_site.admin_view
        own = [
            path("<path:object_id>/status/<str:status>/", view(self.status_view), name="flows_flow_status"),
            path("<path:object_id>/versions/<int:number>/", view(self.version_view), name="flows_flow_version"),
            path("<path:object_id>/versions/<int:number>/diagram/", view(self.diagram_view), name="flows_flow_diagram"),
            path("<path:object_id>/versions/<int:number>/diagram.svg", view(self.file_view), name="flows_flow_file"),
        ]
        return own + super().get_urls()

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        """Without the text of the draft for those who may only read: the page shows it as it is."""
        if obj is not None and not self.may("change", request, obj):
            kwargs["fields"] = ("workspace", "name", "description")
        return super().get_form(request, obj, change=change, **kwargs)

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """As ``get_form``."""
        fieldsets = super().get_fieldsets(request, obj)
        return fieldsets if obj is None or self.may("change", request, obj) else fieldsets[:1]

    def caller(self, request: HttpRequest, workspace: Workspace) -> Caller:
        """The person as services know callers."""
        role = Role(access_of(request).role(workspace.project.organization_id))
        return member_caller(workspace, role, address_of(request))

    def save_model(self, request: HttpRequest, obj: Flow, form: Any, change: bool) -> None:
        """The flow and, when its text has changed, the draft."""
        caller = self.caller(request, obj.workspace)
        if change:
            obj.save(update_fields=["name", "description", "date_modified"])
        else:
            made = services.create_flow(caller, name=obj.name, description=obj.description)
            obj.pk, obj._state.adding = made.pk, False
            obj.refresh_from_db()
        if form.draft_changed:
            services.save_draft(caller, obj, form.cleaned_data["draft"])

    def render_change_form(self, request: HttpRequest, context: Any, *args: Any, **kwargs: Any) -> HttpResponse:
        """With what stands around the form."""
        flow = context.get("original")
        if flow is not None:
            context.update(self._surroundings(request, flow))
        return super().render_change_form(request, context, *args, **kwargs)

    def _surroundings(self, request: HttpRequest, flow: Flow) -> dict[str, Any]:
        zone = flow.workspace.zone
        shown = newest_version(flow)
        draft = flow.versions.filter(status=VersionStatus.DRAFT).first()
        return {
            "flow": flow,
            "pill": PILLS[flow.status],
            "may_publish": self.may("publish", request, flow),
            "acts": _acts(flow, draft),
            "draft": draft,
            "shown": shown,
            "diagram": drawing_of(flow, shown) if shown else "",
            "problems": services.problems_of(draft.source, flow.workspace_id) if draft else [],
            "versions": [
                {"row": row, "published": moment(row.date_published, zone)} for row in flow.versions.defer("source")
            ],
        }

    def status_view(self, request: HttpRequest, object_id: str, status: str) -> HttpResponse:
        """Publish, pause, resume or stop; POST only. The form says when it stands on the page of the queue."""
        flow = self.row_or_404(request, object_id, "publish")
        location = reverse("admin:flows_flow_change", args=[flow.pk])
        if request.POST.get("back") == "queue":
            location = reverse("admin:records_record_queue")
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        try:
            services.change_status(self.caller(request, flow.workspace), flow, status)
        except FlowizeError as error:
            return self.refuse(request, error, location)
        self.log_change(request, flow, _DONE[status])
        messages.success(request, _DONE[status])
        return HttpResponseRedirect(location)

    def version_view(self, request: HttpRequest, object_id: str, number: int) -> HttpResponse:
        """The drawing of one version, its objects and connections, and its text."""
        flow, version = self._version_or_404(request, object_id, number)
        context = {
            **self.page_context(request, flow, f"Version {version.number}"),
            "flow": flow,
            "version": version,
            "published": moment(version.date_published, flow.workspace.zone),
            "diagram": drawing_of(flow, version, link=lambda name: f"#object-{name}"),
            "objects": outline(version.document),
            "back": reverse("admin:flows_flow_change", args=[flow.pk]),
        }
        return TemplateResponse(request, "flows/version.html", context)

    def diagram_view(self, request: HttpRequest, object_id: str, number: int) -> HttpResponse:
        """The drawing of one version in its full size."""
        flow, version = self._version_or_404(request, object_id, number)
        context = {
            **self.page_context(request, flow, f"Version {version.number}"),
            "diagram": drawing_of(flow, version),
            "file": reverse("admin:flows_flow_file", args=[flow.pk, version.number]),
            "back": reverse("admin:flows_flow_version", args=[flow.pk, version.number]),
        }
        return TemplateResponse(request, "flows/full_size.html", context)

    def file_view(self, request: HttpRequest, object_id: str, number: int) -> HttpResponse:
        """The drawing of one version as a file."""
        flow, version = self._version_or_404(request, object_id, number)
        return drawing_file(drawing_of(flow, version), file_name(flow, version))

    def _version_or_404(self, request: HttpRequest, object_id: str, number: int) -> tuple[Flow, FlowVersion]:
        flow = self.get_object(request, unquote(object_id))
        version = flow and FlowVersion.objects.filter(flow=flow, number=min(number, 2**31 - 1)).first()
        if version is None:
            raise Http404
        return flow, version

    def reasons_to_keep(self, row: Flow) -> list[str]:
        """A flow goes after its records."""
        return ["records"] if row.records.exists() else []

    @admin.display(description="project", ordering="workspace__project__name")
    def project(self, flow: Flow) -> str:
        """Whose it is, and which copy when there are several."""
        return flow.workspace.label

    @display(description="status", label=PILLS, ordering="status")
    def status_pill(self, flow: Flow) -> tuple[str, str]:
        """As a pill."""
        return flow.status, flow.get_status_display()

    @admin.display(description="live version")
    def live(self, flow: Flow) -> str:
        """The number new records run."""
        return str(flow.live_version.number) if flow.live_version else DASH

    @admin.display(description="changed", ordering="date_modified")
    def modified(self, flow: Flow) -> str:
        """In the workspace's zone."""
        return moment(flow.date_modified, flow.workspace.zone)


def _acts(flow: Flow, draft: FlowVersion | None) -> list[dict[str, str]]:
    """The buttons that make sense now: the word of the service, the label, the icon."""
    acts = []
    if draft or (flow.status == FlowStatus.INACTIVE and flow.live_version_id):
        acts.append({"status": "public", "label": "Publish draft" if draft else "Start again", "icon": "publish"})
    if flow.status == FlowStatus.PAUSED:
        acts.append({"status": "running", "label": "Resume", "icon": "play_arrow"})
    if flow.status == FlowStatus.RUNNING:
        acts.append({"status": "paused", "label": "Pause", "icon": "pause"})
    if flow.status in (FlowStatus.RUNNING, FlowStatus.PAUSED):
        acts.append({"status": "inactive", "label": "Stop", "icon": "stop"})
    return acts
