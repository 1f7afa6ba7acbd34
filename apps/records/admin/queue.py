"""The queue as it is now: what is due, held and in work, flow by flow, and who works on it."""

from collections.abc import Callable, Iterable
from datetime import timedelta
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.safestring import SafeString

from apps.accounts.models import Workspace
from apps.core.admin.access import Access, access_of
from apps.core.admin.display import ATTENTION, GOOD, NEUTRAL
from apps.core.admin.tenancy import TenantModelAdmin
from apps.flows.models import FlowStatus
from apps.records.admin.bars import bars
from apps.records.admin.page import span
from apps.records.models import Hold, Status
from apps.records.queue_counts import (
    LIVE_SECONDS,
    MINUTES,
    MOST_COUNTED,
    MOST_RUNS,
    FlowQueue,
    queues,
    runs_by_minute,
    workers,
)

MOST_FLOWS = 200
_WAITING = f"{Hold.STOPPED.value},{Hold.WAITING.value}"
FLOW_PILLS = {"draft": NEUTRAL, "running": GOOD, "paused": ATTENTION, "inactive": NEUTRAL}


class QueuePages(TenantModelAdmin):
    """One page, whose numbers a script asks for again as a part."""

    def get_urls(self) -> list[URLPattern]:
        """Also the queue."""
        view = self.admin_site.admin_view
        own = [
            path("queue/", view(self.queue_view), name="records_record_queue"),
            path("queue/numbers/", view(self.numbers_view), name="records_record_queue_numbers"),
        ]
        return own + super().get_urls()

    def queue_view(self, request: HttpRequest) -> HttpResponse:
        """The page; it is complete without the script."""
        request.current_app = self.admin_site.name
        context = {
            **self.admin_site.each_context(request),
            **numbers(access_of(request)),
            "opts": self.opts,
            "title": "Queue",
            "part": reverse("admin:records_record_queue_numbers"),
        }
        return TemplateResponse(request, "records/queue.html", context)

    def numbers_view(self, request: HttpRequest) -> HttpResponse:
        """The numbers alone."""
        return render(request, "records/queue_numbers.html", numbers(access_of(request)))


def numbers(access: Access) -> dict[str, Any]:
    """What the page shows of the person's own organizations."""
    own = _workspaces(access)
    found = queues(None if access.everything else list(own), MOST_FLOWS)
    runs = runs_by_minute(list(own))
    return {
        "cards": _cards(found),
        "workers": _workers(access),
        "rows": [_row(queue, access, own[queue.workspace_id]) for queue in sorted(found, key=_busiest)],
        "most_flows": MOST_FLOWS if len(found) >= MOST_FLOWS else 0,
        "bound": f"{MOST_COUNTED:,}",
        "runs": f"{sum(runs):,}" if any(runs) else "",
        "runs_are_cut": sum(runs) >= MOST_RUNS,
        "minutes": MINUTES,
        "chart": _chart(runs),
    }


def _workspaces(access: Access) -> dict[int, Workspace]:
    rows = Workspace.objects.select_related("project")
    if not access.everything:
        rows = rows.filter(project__organization__in=access.organizations("viewer"))
    return {row.pk: row for row in rows}


def _busiest(queue: FlowQueue) -> tuple[int, int, str, int]:
    """What waits for somebody first, then by name."""
    waiting = queue.due + queue.processing + queue.expired
    return -waiting, -(queue.failed + queue.waiting + queue.paused + queue.scheduled), queue.name, queue.flow_id


def _cards(found: list[FlowQueue]) -> list[dict[str, Any]]:
    running = [queue for queue in found if queue.status == FlowStatus.RUNNING]
    oldest = max((queue.oldest_due_seconds for queue in running), default=0.0)
    suspended = sum(queue.due for queue in found) - sum(queue.due for queue in running)
    expired = sum(queue.expired for queue in found)
    notes = {
        "Due now": f"oldest for {span(timedelta(seconds=oldest))}" if oldest else "nothing has to wait",
        "In stopped flows": "due, but their flow does not run",
        "Processing": f"{expired} of them with an expired lease" if expired else "all leases are live",
    }
    return [
        _card("Due now", running, lambda queue: queue.due, notes),
        *(
            [_card("In stopped flows", [q for q in found if q not in running], lambda queue: queue.due, notes)]
            if suspended
            else []
        ),
        _card("Processing", found, lambda queue: queue.processing + queue.expired, notes, alarm=bool(expired)),
        _card(
            "Scheduled", found, lambda queue: queue.scheduled, notes, query=f"status__exact={Status.SCHEDULED.value}"
        ),
        _card("Waiting", found, lambda queue: queue.waiting, notes, query=f"hold__in={_WAITING}"),
        _card("Paused", found, lambda queue: queue.paused, notes, query=f"hold__exact={Hold.PAUSED.value}"),
        _card("Failed", found, lambda queue: queue.failed, notes, query=f"hold__exact={Hold.ERROR.value}", alarm=True),
    ]


def _card(
    title: str,
    found: Iterable[FlowQueue],
    number: Callable[[FlowQueue], int],
    notes: dict[str, str],
    query: str = "",
    alarm: bool = False,
) -> dict[str, Any]:
    counted = [number(queue) for queue in found]
    total = sum(counted)
    link = reverse("admin:records_record_changelist") + (f"?{query}" if query else "")
    return {
        "title": title,
        "number": _bounded(total, any(one >= MOST_COUNTED for one in counted)),
        "note": notes.get(title, ""),
        "link": link,
        "alarm": alarm and total > 0,
    }


def _bounded(number: int, cut: bool) -> str:
    return f"{number:,}{'+' if cut else ''}"


def _row(queue: FlowQueue, access: Access, workspace: Workspace) -> dict[str, Any]:
    developer = access.allows("developer", workspace.project.organization_id)
    acts = {FlowStatus.RUNNING: ("paused", "Pause", "pause"), FlowStatus.PAUSED: ("running", "Resume", "play_arrow")}
    status, label, icon = acts.get(FlowStatus(queue.status), ("", "", ""))
    cells = [queue.due, queue.processing + queue.expired, queue.scheduled, queue.waiting, queue.paused, queue.failed]
    return {
        "queue": queue,
        "project": str(workspace),
        "pill": FLOW_PILLS[queue.status],
        "status": FlowStatus(queue.status).label,
        "oldest": span(timedelta(seconds=queue.oldest_due_seconds)) if queue.oldest_due else "",
        "cells": [
            {
                "label": name,
                "number": _bounded(number, number >= MOST_COUNTED),
                "alarm": name == "Failed" and number > 0,
            }
            for name, number in zip(("Due", "In work", "Scheduled", "Waiting", "Paused", "Failed"), cells, strict=True)
        ],
        "records": reverse("admin:records_record_changelist") + f"?flow__id__exact={queue.flow_id}",
        "act": {"status": status, "label": label, "icon": icon} if status and developer else None,
    }


def _workers(access: Access) -> dict[str, Any]:
    """How many are alive; their names, which are those of machines, are for whoever runs these."""
    seen = workers()
    alive = [age for _, age in seen if age <= LIVE_SECONDS]
    listed = [{"name": name, "age": _ago(age), "alive": age <= LIVE_SECONDS} for name, age in seen]
    return {
        "number": len(alive),
        "last": _ago(min(age for _, age in seen)) if seen else "",
        "listed": listed if access.everything else [],
    }


def _ago(seconds: float) -> str:
    if seconds < 1:
        return "just now"
    return f"{round(seconds)} s ago" if seconds < 60 else f"{span(timedelta(seconds=seconds))} ago"


def _chart(runs: list[int]) -> SafeString:
    ages = [f"{MINUTES - 1 - minute} min ago" for minute in range(MINUTES - 1)] + ["in this minute"]
    labels = [f"{number:,} records {age}" for number, age in zip(runs, ages, strict=True)]
    return bars(runs, labels, f"Records by the minute of their last run, over {MINUTES} minutes: {sum(runs):,}.")
