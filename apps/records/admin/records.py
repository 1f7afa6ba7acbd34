"""The list of records and the page of one: its document and what it has passed."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from unfold.decorators import display

from apps.accounts.models import Workspace
from apps.core.admin.access import Access
from apps.core.admin.display import ATTENTION, BAD, BUSY, DASH, GOOD, NEUTRAL, moment, pretty
from apps.core.admin.filters import TenantRelatedFilter
from apps.core.admin.paginator import BoundedChangeList, BoundedPaginator
from apps.core.admin.tenancy import TenantModelAdmin
from apps.records.models import Record, Status
from apps.records.selectors import Step, get_record, queue_status

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
class RecordAdmin(TenantModelAdmin):
    """Everybody reads; records come and go through the API and their flows."""

    organization_path = "workspace__project__organization"
    least_role = {"view": "viewer"}
    list_display = ("uuid", "flow_name", "status_pill", "queue", "current", "created", "last_run")
    list_filter = ("status", ("flow", TenantRelatedFilter))
    search_fields = ("uuid",)
    search_help_text = "The whole uuid of a record"
    sortable_by = ("created",)
    ordering = ("-id",)
    list_per_page = 50
    paginator = BoundedPaginator
    show_full_result_count = False
    list_max_show_all = 0
    actions = None
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
        """The record with that uuid; naming the workspaces lets its unique index find it for superusers too."""
        term = search_term.strip()
        return (queryset.filter(uuid=term, workspace__in=Workspace.objects.all()) if term else queryset), False

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
