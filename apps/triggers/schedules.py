"""Schedules: when they run next, running those that are due, and running one now.

The row is the queue. Whoever looks takes one due schedule at a time under its lock, makes the record and sets the next
date in one transaction, so that two workers, two beats or a repeated message make no second record, and a killed one
leaves everything as it was.
"""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import structlog
from django.db import InterfaceError, OperationalError, transaction
from django.db.models import F, Q
from django.db.models.functions import Now
from django.utils import timezone

from apps.applications.caller import Caller
from apps.core.errors import Conflict, FlowizeError, NotFound
from apps.core.failpoints import failpoint
from apps.records.services import create_records
from apps.triggers.callers import trigger_caller
from apps.triggers.cron import read_cron
from apps.triggers.intervals import next_multiple, read_interval
from apps.triggers.models import Schedule

log = structlog.get_logger(__name__)

MOST_AT_ONCE = 1_000
LONGEST_ERROR = 2_000
INSTANT = timedelta(microseconds=1)


def next_run(schedule: Schedule, after: datetime) -> datetime | None:
    """The first moment after ``after`` that the schedule runs; none when it has ended."""
    begin = schedule.starts_at
    found: datetime | None
    if schedule.interval:
        found = next_multiple(begin or schedule.date_created, read_interval(schedule.interval), after)
    else:
        since = max(after, begin - INSTANT) if begin else after  # a run at the very beginning counts
        found = read_cron(schedule.cron).next_after(since, schedule.workspace.zone)
    return None if found is None or (schedule.ends_at and found > schedule.ends_at) else found


def coming_runs(schedule: Schedule, count: int) -> list[datetime]:
    """The next dates of a schedule that is planned, at most ``count``."""
    runs = [schedule.next_run] if schedule.next_run else []
    while runs and len(runs) < count and (following := next_run(schedule, runs[-1])):
        runs.append(following)
    return runs


def plan(schedule: Schedule) -> None:
    """Set the next date of a schedule, from now on; none while it is paused. The caller saves it."""
    schedule.planned_zone = schedule.workspace.time_zone
    schedule.next_run = next_run(schedule, timezone.now()) if schedule.active else None


def save_schedule(schedule: Schedule) -> None:
    """Store a schedule with its next date; what its runs have noted is left alone."""
    plan(schedule)
    noted = {"id", "last_run", "last_uuid", "last_error"}
    names = [field.name for field in Schedule._meta.concrete_fields if field.name not in noted]
    schedule.save(update_fields=names if schedule.pk else None)


def change_schedule(caller: Caller, schedule_id: int, *, active: bool) -> Schedule:
    """Pause or resume a schedule of the caller's workspace; what it missed meanwhile is not made up for."""
    caller.require("record")
    with transaction.atomic():
        schedule = _locked(caller, schedule_id)
        if schedule.active != active:
            schedule.active = active
            save_schedule(schedule)
    return schedule


def run_now(caller: Caller, schedule_id: int) -> str:
    """Make a record of a schedule out of turn, also while it is paused; returns the record's uuid.

    Raises whatever keeps its flow from taking the record.
    """
    caller.require("record")
    with transaction.atomic():
        schedule = _locked(caller, schedule_id)
        return _make(schedule, f"schedule-{schedule.pk}-{uuid4().hex}")


def run_due() -> int:
    """Run what is due, each schedule once however many of its dates have passed; returns how many."""
    _plan_anew()
    for count in range(MOST_AT_ONCE):
        if not _run_one():
            return count
    return MOST_AT_ONCE


def _locked(caller: Caller, schedule_id: int) -> Schedule:
    rows = Schedule.objects.in_workspace(caller.workspace_id).select_for_update(of=("self",))
    schedule = rows.select_related("workspace__project", "application").filter(pk=schedule_id).first()
    if schedule is None:
        raise NotFound("There is no such schedule.")
    return schedule


def _plan_anew() -> None:
    """Set the dates of schedules whose workspace has moved to another zone."""
    moved = Schedule.objects.filter(~Q(planned_zone=F("workspace__time_zone")), active=True, next_run__isnull=False)
    for key in moved.values_list("pk", flat=True)[:MOST_AT_ONCE]:
        with transaction.atomic():
            rows = moved.select_for_update(of=("self",), skip_locked=True).select_related("workspace")
            if schedule := rows.filter(pk=key).first():
                plan(schedule)
                schedule.save(update_fields=["next_run", "planned_zone"])


def _run_one() -> bool:
    """Run one due schedule; ``False`` when none is."""
    with transaction.atomic():
        # By the database's clock, whatever that of this worker says.
        due = Schedule.objects.annotate(present=Now()).filter(next_run__lte=Now()).order_by("next_run")
        rows = due.select_for_update(of=("self",), skip_locked=True)
        schedule = rows.select_related("workspace__project", "application").first()
        if schedule is None or schedule.next_run is None:
            return False
        schedule.last_error = _make_due(schedule, schedule.next_run)
        failpoint("before-schedule-commit")
        schedule.last_run = schedule.present
        schedule.next_run = next_run(schedule, schedule.present)
        schedule.save(update_fields=["last_run", "last_uuid", "last_error", "next_run"])
    return True


def _make_due(schedule: Schedule, due: datetime) -> str:
    """Make the record of a due date; returns why it could not be. Its uuid is that of the date, and so taken once."""
    try:
        with transaction.atomic():
            schedule.last_uuid = _make(schedule, f"schedule-{schedule.pk}-{due.astimezone(UTC):%Y%m%dT%H%M%SZ}")
    except (OperationalError, InterfaceError):
        raise
    except FlowizeError as error:
        lines = [error.message, *(f"{detail.path}: {detail.message}" for detail in error.details)]
        return "\n".join(lines)[:LONGEST_ERROR]
    except Exception as error:
        log.error("schedule failed", schedule=schedule.pk, exc_info=error)
        return f"The platform could not run this schedule ({type(error).__name__})."
    return ""


def _make(schedule: Schedule, uuid: str) -> str:
    if schedule.application and not schedule.application.active:
        raise Conflict("Its application is switched off.")
    caller = trigger_caller(schedule.workspace, schedule.application)
    if not (schedule.flow or caller.default_flow):
        raise Conflict("The schedule has no flow.")
    create_records(caller, [schedule.document], flow_name=schedule.flow or None, uuid=uuid)
    return uuid
