"""Drawings of flows with what records do in them: the path of one, the crowd at each object."""

from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.safestring import SafeString

from apps.core.admin.tenancy import TenantModelAdmin
from apps.flows.admin.files import drawing_file
from apps.flows.diagram.marks import heat_marks, path_marks
from apps.flows.drawings import drawing_of, file_name
from apps.flows.models import Flow, FlowVersion
from apps.records.crowds import MOST_STANDING, NEWEST, crowds_of
from apps.records.models import Record
from apps.records.tracks import track_of

DAYS = (1, 7, 30)


class DrawnRecords(TenantModelAdmin):
    """The pages and files of these drawings."""

    def get_urls(self) -> list[URLPattern]:
        """Also those of the drawings."""
        view = self.admin_site.admin_view
        heat, one = "heat/<int:flow_id>/<int:number>/", "<path:object_id>/path"
        own = [
            path(heat, view(self.heat_view), name="records_record_heat"),
            path(f"{heat}diagram.svg", view(self.heat_file), name="records_record_heat_file"),
            path(f"{one}/", view(self.path_view), name="records_record_path"),
            path(f"{one}.svg", view(self.path_file), name="records_record_path_file"),
        ]
        return own + super().get_urls()

    def heat_view(self, request: HttpRequest, flow_id: int, number: int) -> HttpResponse:
        """The crowd at each object of a version."""
        flow, version = self._version_or_404(request, flow_id, number)
        days = chosen_days(request)
        address = reverse("admin:records_record_heat", args=[flow.pk, version.number])
        context = {
            **self.page_context(request, flow, f"Heat map of version {version.number}"),
            "opts": Flow._meta,
            "flow": flow,
            "diagram": heat_of(flow, version, days),
            "days": days,
            "choices": [{"days": choice, "link": f"{address}?days={choice}"} for choice in DAYS],
            "most_standing": f"{MOST_STANDING:,}",
            "newest": f"{NEWEST:,}",
            "file": reverse("admin:records_record_heat_file", args=[flow.pk, version.number]) + f"?days={days}",
            "back": reverse("admin:flows_flow_version", args=[flow.pk, version.number]),
        }
        return TemplateResponse(request, "records/heat.html", context)

    def heat_file(self, request: HttpRequest, flow_id: int, number: int) -> HttpResponse:
        """The same as a file."""
        flow, version = self._version_or_404(request, flow_id, number)
        return drawing_file(heat_of(flow, version, chosen_days(request)), f"heat-{file_name(flow, version)}")

    def path_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """The path of a record in its full size."""
        record = self.row_or_404(request, object_id, "view")
        context = {
            **self.page_context(request, record, "Path"),
            "diagram": path_of(record),
            "file": reverse("admin:records_record_path_file", args=[record.pk]),
            "back": reverse("admin:records_record_change", args=[record.pk]),
        }
        return TemplateResponse(request, "flows/full_size.html", context)

    def path_file(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """The same as a file."""
        record = self.row_or_404(request, object_id, "view")
        return drawing_file(path_of(record), f"record-{record.pk}.svg")

    def _version_or_404(self, request: HttpRequest, flow_id: int, number: int) -> tuple[Flow, FlowVersion]:
        flows: Any = self.admin_site._registry[Flow]
        flow = flows.row_or_404(request, str(flow_id), "view")
        version = FlowVersion.objects.filter(flow=flow, number=min(number, 2**31 - 1)).first()
        if version is None:
            raise Http404
        return flow, version


def path_of(record: Record) -> SafeString:
    """The drawing of a record's flow with its path."""
    version = record.flow_version
    document = version.document
    passages, taken = track_of(record, str(document.get("start", "")))
    about = f"The path of the record {record.uuid}, {record.get_status_display().lower()}."
    return drawing_of(record.flow, version, about=about, marks=path_marks(passages, taken))


def heat_of(flow: Flow, version: FlowVersion, days: int) -> SafeString:
    """The drawing of a version with the crowd at each object."""
    about = f"How many records stand at each object now, and how many passed it in {_last(days)}."
    return drawing_of(flow, version, about=about, marks=heat_marks(crowds_of(version, days)))


def _last(days: int) -> str:
    return "the last day" if days == 1 else f"the last {days} days"


def chosen_days(request: HttpRequest) -> int:
    """The period a request names; a week when it names none we have."""
    chosen = request.GET.get("days", "")
    return int(chosen) if chosen in map(str, DAYS) else 7
