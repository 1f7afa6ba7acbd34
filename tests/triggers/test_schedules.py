"""Schedules: each due date makes one record, whoever looks and whatever dies."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connections
from django.utils import timezone

from apps.accounts.models import Role, Workspace
from apps.applications.members import member_caller
from apps.applications.models import Application
from apps.core.errors import Conflict, MissingScope, NotFound
from apps.records.models import Record
from apps.triggers import schedules
from apps.triggers.models import Schedule
from apps.triggers.schedules import change_schedule, coming_runs, next_run, run_due, run_now, save_schedule
from tests.conftest import Tenant
from tests.triggers.killed import die_at

DOCUMENT = {"client": {"age": 30}}
NINE = datetime(2026, 6, 1, 7, tzinfo=UTC)  # nine o'clock in Amsterdam


def schedule_of(tenant: Tenant, **fields: Any) -> Schedule:
    """A schedule of a tenant into ``intake``, planned from now on."""
    rule = {} if fields.keys() & {"cron", "interval"} else {"interval": "1h"}
    given = {"workspace": tenant.workspace, "name": "nightly", "flow": "intake", "document": DOCUMENT}
    schedule = Schedule(**given | rule | fields)
    save_schedule(schedule)
    return schedule


def make_due(schedule: Schedule, ago: timedelta = timedelta(seconds=1)) -> datetime:
    """Let its date pass."""
    due = timezone.now() - ago
    Schedule.objects.filter(pk=schedule.pk).update(next_run=due)
    return due


def reloaded(schedule: Schedule) -> Schedule:
    return Schedule.objects.select_related("workspace").get(pk=schedule.pk)


# --- Dates ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fields", "after", "expected"),
    [
        ({"cron": "0 9 * * *"}, NINE - timedelta(hours=1), NINE),
        ({"cron": "0 9 * * *"}, NINE, NINE + timedelta(days=1)),
        ({"cron": "0 9 * * *", "starts_at": NINE}, NINE - timedelta(days=9), NINE),
        ({"cron": "0 9 * * *", "starts_at": NINE + timedelta(minutes=1)}, NINE, NINE + timedelta(days=1)),
        ({"cron": "0 9 * * *", "ends_at": NINE}, NINE - timedelta(hours=1), NINE),
        ({"cron": "0 9 * * *", "ends_at": NINE}, NINE, None),
        ({"interval": "15m", "starts_at": NINE}, NINE - timedelta(days=1), NINE),
        ({"interval": "15m", "starts_at": NINE}, NINE, NINE + timedelta(minutes=15)),
        ({"interval": "15m", "date_created": NINE}, NINE + timedelta(minutes=7), NINE + timedelta(minutes=15)),
        ({"interval": "15m", "starts_at": NINE, "ends_at": NINE + timedelta(minutes=14)}, NINE, None),
    ],
)
def test_the_next_date(fields: dict[str, Any], after: datetime, expected: datetime | None) -> None:
    schedule = Schedule(workspace=Workspace(time_zone="Europe/Amsterdam"), **fields)
    assert next_run(schedule, after) == expected


def test_coming_dates_end_with_the_schedule() -> None:
    schedule = Schedule(workspace=Workspace(time_zone="UTC"), interval="1h", starts_at=NINE, next_run=NINE)
    assert coming_runs(schedule, 3) == [NINE + timedelta(hours=n) for n in range(3)]
    schedule.ends_at = NINE + timedelta(minutes=90)
    assert coming_runs(schedule, 3) == [NINE, NINE + timedelta(hours=1)]
    schedule.next_run = None
    assert coming_runs(schedule, 3) == []


# --- Running ----------------------------------------------------------------------------------------------------


def test_a_due_schedule_makes_a_record_and_plans_the_next(acme: Tenant) -> None:
    schedule = schedule_of(acme)
    assert run_due() == 0
    due = make_due(schedule)
    assert run_due() == 1
    record, schedule = Record.objects.select_related("content").get(), reloaded(schedule)
    assert (record.content.data, record.flow, record.application_id) == (DOCUMENT, acme.flow, None)
    assert record.uuid == schedule.last_uuid == f"schedule-{schedule.pk}-{due:%Y%m%dT%H%M%SZ}"
    assert (schedule.next_run, schedule.last_error) == (schedule.date_created + timedelta(hours=1), "")
    assert run_due() == 0


def test_dates_missed_while_nothing_ran_are_made_up_for_once(acme: Tenant) -> None:
    schedule = schedule_of(acme, interval="10s", starts_at=timezone.now() - timedelta(days=2))
    make_due(schedule, timedelta(days=2))
    assert run_due() == 1
    assert Record.objects.count() == 1
    following = reloaded(schedule).next_run
    assert following is not None
    assert timezone.now() < following <= timezone.now() + timedelta(seconds=10)


def test_the_last_run_ends_it(acme: Tenant) -> None:
    schedule = schedule_of(acme, ends_at=timezone.now() + timedelta(minutes=61))
    make_due(schedule)
    Schedule.objects.update(ends_at=timezone.now())
    run_due()
    assert (reloaded(schedule).next_run, Record.objects.count()) == (None, 1)


def test_records_are_those_of_its_application(acme: Tenant) -> None:
    Application.objects.filter(pk=acme.keys.pk).update(default_flow="intake")
    acme.keys.refresh_from_db()
    make_due(schedule_of(acme, flow="", application=acme.keys))
    run_due()
    assert Record.objects.get().application_id == acme.keys.pk


@pytest.mark.parametrize(
    ("break_it", "reason"),
    [
        (lambda tenant: _flow(tenant, status="inactive"), "The flow intake takes no data records: it is inactive."),
        (lambda tenant: _flow(tenant, name="other"), "There is no such flow."),
        (lambda tenant: Application.objects.update(active=False), "Its application is switched off."),
        (lambda tenant: Application.objects.update(scopes=[]), "The permissions are not correct."),
        (lambda tenant: Schedule.objects.update(flow=""), "The schedule has no flow."),
        (lambda tenant: Schedule.objects.update(document=[1]), "A data record is an object."),
        (lambda tenant: Workspace.objects.update(storage_full=True), "The storage of this environment is used up."),
    ],
)
def test_a_refused_run_is_told_and_the_next_one_planned(acme: Tenant, break_it: Any, reason: str) -> None:
    schedule, other = schedule_of(acme, application=acme.keys), schedule_of(acme, name="other")
    break_it(acme)
    make_due(schedule)
    assert run_due() == 1
    schedule = reloaded(schedule)
    assert (schedule.last_error, schedule.last_uuid, Record.objects.count()) == (reason, "", 0)
    assert schedule.next_run
    assert schedule.next_run > timezone.now()
    assert reloaded(other).last_error == ""


def test_a_reason_goes_when_a_run_succeeds(acme: Tenant) -> None:
    schedule = schedule_of(acme)
    _flow(acme, status="inactive")
    make_due(schedule)
    run_due()
    _flow(acme, status="running")
    make_due(schedule)
    run_due()
    assert (reloaded(schedule).last_error, Record.objects.count()) == ("", 1)


def test_a_defect_of_one_does_not_stop_the_others(acme: Tenant, monkeypatch: pytest.MonkeyPatch) -> None:
    bad, good = schedule_of(acme, name="bad"), schedule_of(acme, name="good")
    make = schedules._make

    def fail(schedule: Schedule, uuid: str) -> str:
        if schedule.pk == bad.pk:
            raise ZeroDivisionError
        return make(schedule, uuid)

    monkeypatch.setattr(schedules, "_make", fail)
    make_due(bad, timedelta(minutes=1))
    make_due(good)
    assert run_due() == 2
    assert reloaded(bad).last_error == "The platform could not run this schedule (ZeroDivisionError)."
    assert Record.objects.get().uuid == reloaded(good).last_uuid


def test_a_worker_whose_clock_is_late_runs_nothing_twice(acme: Tenant, monkeypatch: pytest.MonkeyPatch) -> None:
    schedule = schedule_of(acme, interval="10s")
    make_due(schedule)
    late = timezone.now() - timedelta(hours=3)
    monkeypatch.setattr("django.utils.timezone.now", lambda: late)
    assert run_due() == 1
    assert Record.objects.count() == 1


def test_a_workspace_that_moves_plans_its_schedules_anew(acme: Tenant) -> None:
    schedule = schedule_of(acme, cron="0 9 * * *")
    assert reloaded(schedule).next_run.astimezone(acme.workspace.zone).hour == 9
    Workspace.objects.filter(pk=acme.workspace.pk).update(time_zone="Asia/Tokyo")
    run_due()
    schedule = reloaded(schedule)
    assert schedule.next_run
    assert schedule.next_run.astimezone(schedule.workspace.zone).hour == 9
    assert schedule.planned_zone == "Asia/Tokyo"


# --- At the same time, and killed -------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_many_who_look_at_once_make_one_record_each(acme: Tenant) -> None:
    for number in range(5):
        make_due(schedule_of(acme, name=f"s{number}"))

    def look(_: int) -> int:
        try:
            return run_due()
        finally:
            connections.close_all()

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(look, range(8))) == 5
    assert Record.objects.count() == 5


@pytest.mark.django_db(transaction=True)
def test_one_who_is_killed_before_the_commit_leaves_everything_as_it_was(acme: Tenant) -> None:
    schedule = schedule_of(acme)
    due = make_due(schedule)
    die_at("before-schedule-commit", schedules, run_due)
    assert not Record.objects.exists()
    assert reloaded(schedule).next_run == due
    assert run_due() == 1
    assert Record.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_while_one_runs_it_others_pass_it_by(acme: Tenant, monkeypatch: pytest.MonkeyPatch) -> None:
    make_due(schedule_of(acme))
    begun, go_on = threading.Event(), threading.Event()

    def pause(name: str) -> None:
        begun.set()
        go_on.wait(10)

    monkeypatch.setattr(schedules, "failpoint", pause)

    def run() -> int:
        try:
            return run_due()
        finally:
            connections.close_all()

    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(run)
        begun.wait(10)
        assert run_due() == 0
        go_on.set()
        assert first.result() == 1
    assert Record.objects.count() == 1


# --- Acts -------------------------------------------------------------------------------------------------------


def test_pausing_and_resuming(acme: Tenant) -> None:
    schedule = schedule_of(acme, interval="10s")
    make_due(schedule, timedelta(hours=1))
    assert change_schedule(acme.caller, schedule.pk, active=False).next_run is None
    assert run_due() == 0
    resumed = change_schedule(acme.caller, schedule.pk, active=True)
    assert resumed.next_run
    assert resumed.next_run > timezone.now()
    assert (run_due(), Record.objects.count()) == (0, 0)


def test_running_now_leaves_the_plan_alone(acme: Tenant) -> None:
    schedule = schedule_of(acme, active=False)
    uuids = {run_now(acme.caller, schedule.pk) for _ in range(2)}
    assert set(Record.objects.values_list("uuid", flat=True)) == uuids
    assert reloaded(schedule).next_run is None
    _flow(acme, status="inactive")
    with pytest.raises(Conflict):
        run_now(acme.caller, schedule.pk)


def test_a_change_keeps_what_a_run_has_noted_meanwhile(acme: Tenant) -> None:
    schedule = schedule_of(acme)
    stale = reloaded(schedule)
    make_due(schedule)
    run_due()
    stale.interval = "2h"
    save_schedule(stale)
    noted = reloaded(schedule)
    assert (noted.interval, noted.last_uuid) == ("2h", Record.objects.get().uuid)
    assert noted.next_run == noted.date_created + timedelta(hours=2)


def test_who_may(acme: Tenant, rival: Tenant) -> None:
    schedule = schedule_of(acme)
    for act in (
        lambda caller: run_now(caller, schedule.pk),
        lambda caller: change_schedule(caller, schedule.pk, active=False),
    ):
        with pytest.raises(MissingScope):
            act(member_caller(acme.workspace, Role.VIEWER))
        with pytest.raises(NotFound):
            act(rival.caller)
    assert not Record.objects.exists()
    assert reloaded(schedule).active


def _flow(tenant: Tenant, **changes: Any) -> None:
    type(tenant.flow).objects.filter(pk=tenant.flow.pk).update(**changes)
