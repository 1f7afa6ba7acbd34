"""The list of records and the page of one: its document and what it has passed."""

from typing import Any

from django.contrib import admin
from django.contrib.admin import DateFieldListFilter
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from unfold.decorators import display

from apps.accounts.models import Workspace
from apps.core.admin.access import Access
from apps.core.admin.display import ATTENTION, BAD, BUSY, DASH, GOOD, NEUTRAL, moment, pretty
from apps.core.admin.filters import TenantRelatedFilter
from apps.core.admin.paginator import BoundedChangeList, BoundedPaginator
from apps.records.admin.actions import RecordActions
from apps.records.admin.rehearsal import RehearsalPages
from apps.records.fields import LONGEST_VALUE
from apps.records.models import Record, RecordField, Status
from apps.records.selectors import Step, get_record, queue_status
from apps.schemas.models import DataField

PILLS = {
    Status.NOT_RUNNING: NEUTRAL,
    Status.PROCESSING: BUSY,
    Status.FINISHED: GOOD,
    Status.FAILED: BAD,
    Status.SCHEDULED: BUSY,
    Status.REVIEWED: NEUTRAL,
    Status.HANDLED: ATTENTION,
}


@admin.register(Record)
class RecordAdmin(RehearsalPages, RecordActions):
    """Everybody reads, operators act on the queue; records come and go through the API and their flows."""

    organization_path = "workspace__project__organization"
    least_role = {"view": "viewer", "queue": "operator"}
    list_display = ("uuid", "flow_name", "status_pill", "queue", "current", "created", "last_run")
    list_filter = (
        "status",
        "hold",
        ("flow", TenantRelatedFilter),
        ("date_created", DateFieldListFilter),
        ("date_last_run", DateFieldListFilter),
    )
    search_fields = ("uuid",)
    search_help_text = "The whole uuid of a record, or a data field and its value: email=ada@example.com"
    sortable_by = ("created",)
    ordering = ("-id",)
    list_per_page = 50
    paginator = BoundedPaginator
    show_full_result_count = False
    list_max_show_all = 0
    change_form_template = "records/record.html"

    def scoped(self, rows: QuerySet[Any], access: Access, act: str, path: str | None = None) -> QuerySet[Any]:
        """By the ids of the workspaces: the indexes begin with them, and a join would keep them from being used."""
        if path or access.everything or act not in self.least_role:
            return super().scoped(rows, access, act, path)
        visible = access.organizations(self.least_role[act])
        workspaces = Workspace.objects.filter(project__organization__in=visible)
        return rows.filter(workspace_id__in=list(workspaces.values_list("pk", flat=True)))

    def get_queryset(self, request: HttpRequest) -> QuerySet[Record]:
        """With flow and workspace, which every line names."""
        return super().get_queryset(request).select_related("flow", "workspace__project")

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """The record with that uuid, or those with that value of a data field."""
        term = search_term.strip()
        if not term:
            return queryset, False
        # Naming the workspaces lets the unique index find the uuid for superusers too.
        by_uuid = Q(uuid=term, workspace__in=Workspace.objects.all())
        name, equals, value = term.partition("=")
        if not equals:
            return queryset.filter(by_uuid), False
        fields = list(DataField.objects.filter(name=name.strip()).values_list("pk", flat=True))
        kept = RecordField.objects.filter(field_id__in=fields, value=value.strip()[:LONGEST_VALUE])
        return queryset.filter(by_uuid | Q(pk__in=kept.values("record_id"))), False

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[BoundedChangeList]:
        """A list that counts no further than its paginator."""
        return BoundedChangeList

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """None: the page has a shape of its own."""
        return ()

    def render_change_form(self, request: HttpRequest, context: Any, *args: Any, **kwargs: Any) -> HttpResponse:
        """With document and trace, read in one statement."""
        record, steps = get_record(context["original"].workspace_id, context["original"].uuid)
        context.update(_page_of(record, steps, context["original"].workspace))
        return super().render_change_form(request, context, *args, **kwargs)

    @admin.display(description="flow")
    def flow_name(self, record: Record) -> str:
        """The flow it is in."""
        return record.flow.name

    @display(description="status", label=PILLS)
    def status_pill(self, record: Record) -> tuple[int, str]:
        """As a pill."""
        return record.status, record.get_status_display()

    @admin.display(description="queue")
    def queue(self, record: Record) -> str:
        """Where it stands in the queue."""
        return queue_status(record).label or DASH

    @admin.display(description="object")
    def current(self, record: Record) -> str:
        """The object it stands on."""
        return record.at or DASH

    @admin.display(description="created", ordering="id")
    def created(self, record: Record) -> str:
        """In the workspace's zone."""
        return moment(record.date_created, record.workspace.zone)

    @admin.display(description="last run")
    def last_run(self, record: Record) -> str:
        """In the workspace's zone."""
        return moment(record.date_last_run, record.workspace.zone)


def _page_of(record: Record, steps: list[Step], workspace: Workspace) -> dict[str, Any]:
    """What the template shows, every text ready to be read."""
    zone = workspace.zone
    facts = [
        ("Flow", record.flow.name),
        ("Object", record.at or DASH),
        ("Queue", queue_status(record).label or DASH),
        ("Attempt", record.attempt),
        ("Runs", record.num_runs),
        ("Created", moment(record.date_created, zone)),
        ("First run", moment(record.date_started, zone)),
        ("Last run", moment(record.date_last_run, zone)),
        ("Due", moment(record.wake_at, zone)),
    ]
    return {
        "record": record,
        "pill": PILLS[Status(record.status)],
        "facts": facts,
        "zone": workspace.time_zone,
        "document": pretty(record.content.data),
        "saved": pretty(record.content.vars) if record.content.vars else "",
        "steps": [_step(step, zone) for step in steps],
    }


def _step(step: Step, zone: Any) -> dict[str, Any]:
    return {
        "step": step,
        "started": moment(step.started_at, zone),
        "error": f"{step.error.get('code', '')}: {step.error.get('message', '')}" if step.error else "",
        "output": pretty(step.output) if step.output is not None else "",
    }
