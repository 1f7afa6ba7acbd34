"""The overview: what a person's own organizations are doing."""

from datetime import timedelta
from typing import Any

from django.db.models import Count, QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone

from apps.accounts.models import Project, Workspace
from apps.core.admin.access import Access, access_of
from apps.flows.models import Flow, FlowStatus
from apps.records.admin.page import PILLS
from apps.records.models import Record, Status

MOST_COUNTED = 100_000


def overview(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """The index page's context with the person's numbers."""
    access = access_of(request)
    projects = _own(Project.objects.all(), access, "organization")
    flows = _own(Flow.objects.all(), access, "workspace__project__organization")
    by_flow_status = dict(flows.order_by().values_list("status").annotate(Count("pk")))
    by_status = _records_of_last_day(access)
    return {
        **context,
        "belongs_nowhere": not access.everything and not access.roles,
        "may_develop": access.allows("developer"),
        "may_own": access.allows("owner"),
        "projects": projects.count(),
        "flows": sum(by_flow_status.values()),
        "cards": _cards(projects.count(), by_flow_status, by_status),
        "statuses": _statuses(by_status),
        "records": sum(by_status.values()),
        "is_bounded": sum(by_status.values()) >= MOST_COUNTED,
    }


def _own(rows: QuerySet[Any], access: Access, path: str) -> QuerySet[Any]:
    return rows if access.everything else rows.filter(**{f"{path}__in": access.organizations("viewer")})


def _records_of_last_day(access: Access) -> dict[int, int]:
    """Records by status, of the newest hundred thousand that came in the last day."""
    since = timezone.now() - timedelta(days=1)
    workspaces = list(_own(Workspace.objects.all(), access, "project__organization").values_list("pk", flat=True))
    recent = Record.objects.filter(workspace_id__in=workspaces, date_created__gte=since).order_by("-date_created")
    newest = Record.objects.filter(pk__in=recent.values("pk")[:MOST_COUNTED])
    return dict(newest.order_by().values_list("status").annotate(Count("pk")))


def _cards(projects: int, flows: dict[str, int], records: dict[int, int]) -> list[dict[str, Any]]:
    listed = reverse("admin:records_record_changelist")
    paused = flows.get(FlowStatus.PAUSED, 0)
    return [
        {"title": "Projects", "number": projects, "link": reverse("admin:accounts_project_changelist"), "note": ""},
        {
            "title": "Flows running",
            "number": flows.get(FlowStatus.RUNNING, 0),
            "link": reverse("admin:flows_flow_changelist") + "?status__exact=running",
            "note": f"{paused} paused" if paused else f"of {sum(flows.values())}",
        },
        {"title": "Records", "number": sum(records.values()), "link": listed, "note": "in the last 24 hours"},
        {
            "title": "Finished with errors",
            "number": records.get(Status.FAILED, 0),
            "link": f"{listed}?status__exact={Status.FAILED.value}",
            "note": "in the last 24 hours",
            "alarm": bool(records.get(Status.FAILED)),
        },
    ]


def _statuses(counts: dict[int, int]) -> list[dict[str, Any]]:
    total = sum(counts.values())
    return [
        {
            "label": status.label,
            "pill": PILLS[status],
            "number": counts[status],
            "percent": max(1, round(100 * counts[status] / total)),
            "link": reverse("admin:records_record_changelist") + f"?status__exact={status.value}",
        }
        for status in Status
        if counts.get(status)
    ]
