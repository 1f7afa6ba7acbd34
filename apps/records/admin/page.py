"""The page of one record: where it stands, its path, its trace page by page, its document and what its flow saved."""

import zoneinfo
from datetime import datetime, timedelta
from typing import Any

from django.core.paginator import Page, Paginator
from django.db import connection
from django.http import Http404, HttpRequest
from django.urls import reverse

from apps.core.admin.display import ATTENTION, BAD, BUSY, DASH, GOOD, NEUTRAL, moment, pretty
from apps.flows.admin.outline import outline
from apps.flows.engine.graph import WAITING_TYPES
from apps.records.admin.drawings import path_of
from apps.records.admin.relatives import relatives_of
from apps.records.life_cycle import QueueState, state_of
from apps.records.models import Hold, Record, RecordData, RecordStep, Status

PILLS = {
    Status.NOT_RUNNING: NEUTRAL,
    Status.PROCESSING: BUSY,
    Status.FINISHED: GOOD,
    Status.FAILED: BAD,
    Status.SCHEDULED: BUSY,
    Status.REVIEWED: NEUTRAL,
    Status.HANDLED: ATTENTION,
}
STEPS_A_PAGE = 50


def page_of(request: HttpRequest, record: Record) -> dict[str, Any]:
    """What the template shows, every text ready to be read; the record needs its flow and workspace at hand."""
    content = RecordData.objects.filter(record=record).first()
    if content is None:
        raise Http404
    zone, now = record.workspace.zone, _now()
    steps = _steps_page(request, record)
    settings = {line.id: line.settings for line in outline(record.flow_version.document)}
    return {
        "record": record,
        "pill": PILLS[Status(record.status)],
        "standing": _standing(record, now, zone),
        "facts": _facts(record, zone),
        "zone": record.workspace.time_zone,
        **relatives_of(record),
        "diagram": path_of(record),
        "full_size": reverse("admin:records_record_path", args=[record.pk]),
        "file": reverse("admin:records_record_path_file", args=[record.pk]),
        "page": steps,
        "steps": [_step(step, record.run_no, settings, zone) for step in steps],
        "input": pretty(content.input) if content.input is not None else "",
        "document": pretty(content.data),
        "saved": pretty(content.vars) if content.vars else "",
    }


def _now() -> datetime:
    """The database's clock, by which records are due."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT now()")
        return cursor.fetchone()[0]


def _facts(record: Record, zone: zoneinfo.ZoneInfo) -> list[tuple[str, Any]]:
    return [
        ("Flow", record.flow.name),
        ("Object", record.at or DASH),
        ("Attempt", record.attempt),
        ("Steps", record.seq),
        ("Runs", record.num_runs),
        ("Created", moment(record.date_created, zone)),
        ("First run", moment(record.date_started, zone)),
        ("Last run", moment(record.date_last_run, zone)),
    ]


def _standing(record: Record, now: datetime, zone: zoneinfo.ZoneInfo) -> list[tuple[str, str]]:
    """What holds the record where it is: its place in the queue, and the wait, lease or hold behind it."""
    state = state_of(record.status, record.hold, record.wake_at)
    lines = [("Queue", state.label or DASH)]
    if record.wake_at is not None:
        lines.append(("Lease" if state is QueueState.PROCESSING else "Due", _until(record.wake_at, now, zone)))
    if state is QueueState.PROCESSING:
        lines.append(("Worker", record.leased_by))
    if record.claims > 1:
        lines.append(("Claims without progress", str(record.claims)))
    if record.entered_at is not None and state is not QueueState.NONE:
        waited = max(now - record.entered_at, timedelta())
        lines.append(("At this object since", f"{moment(record.entered_at, zone)} ({span(waited)})"))
    if record.hold == Hold.PAUSED and record.saved_wake_at is not None:
        lines.append(("Due before the pause", moment(record.saved_wake_at, zone)))
    return lines


def _until(when: datetime, now: datetime, zone: zoneinfo.ZoneInfo) -> str:
    away = f"in {span(when - now)}" if when > now else f"{span(now - when)} ago"
    return f"{moment(when, zone)} ({away})"


def _steps_page(request: HttpRequest, record: Record) -> Page:
    """The page of the trace that the request names, else the last one, which tells where the record is."""
    pages = Paginator(RecordStep.objects.filter(record=record).order_by("run_no", "seq", "attempt"), STEPS_A_PAGE)
    return pages.get_page(request.GET.get("steps", pages.num_pages))


def _step(step: RecordStep, run_no: int, settings: dict[str, str], zone: zoneinfo.ZoneInfo) -> dict[str, Any]:
    """``settings`` are those of the flow of the run ``run_no``; runs before it may have been in another flow."""
    waited = step.type in WAITING_TYPES and not step.error
    error = step.error if isinstance(step.error, dict) else {}
    return {
        "step": step,
        "started": moment(step.started_at, zone),
        "took": span(timedelta(milliseconds=step.ms)),
        "waited": waited,
        "error": f"{error.get('code', '')}: {error.get('message', '')}" if error else "",
        "settings": settings.get(step.object, "") if step.run_no == run_no else "",
        "output": pretty(step.output) if step.output is not None else "",
    }


def span(length: timedelta) -> str:
    """A length of time as people say it: its two largest units, milliseconds below a second."""
    seconds = length.total_seconds()
    if seconds < 1:
        return f"{round(seconds * 1000)} ms"
    if seconds < 60:
        return f"{seconds:.1f} s"
    units = ((86400, "d"), (3600, "h"), (60, "min"), (1, "s"))
    parts: list[str] = []
    rest = int(seconds)
    for size, name in units:
        number, rest = divmod(rest, size)
        if number or parts:
            parts.append(f"{number} {name}" if number else "")
    return " ".join(filter(None, parts[:2]))
