"""What environments hold and what happened in them, as the database itself says."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from apps.accounts.models import Workspace
from apps.environments import measuring, quota, storage
from apps.environments.measuring import count_visit, measure, measure_due
from apps.environments.models import ActivityHour, Deployment, Environment, Measure
from apps.environments.statistics import statistics_of
from apps.keystores.models import Keystore, KeystoreItem
from apps.records.models import Record, RecordData, RecordStep
from apps.triggers.models import Batch
from apps.webhooks.models import WebhookEvent
from apps.webhooks.services import register_webhook
from tests.conftest import Tenant
from tests.environments.conftest import Caller


@pytest.fixture
def deployed(acme: Tenant, environment: Environment) -> Workspace:
    """Acme's project in the environment, without any content."""
    assert environment.api_host is not None
    workspace = Workspace.objects.create(project=acme.project, api_host=environment.api_host)
    Deployment.objects.create(environment=environment, project=acme.project, workspace=workspace, version=1)
    return Workspace.objects.select_related("project").get(pk=workspace.pk)


def ran(acme: Tenant, workspace: Workspace, uuid: str, minutes_ago: float, ms: list[int], kind: str = "set") -> None:
    """A record that was made and ran some minutes ago, each of its steps so long."""
    then = (timezone.now() - timedelta(minutes=minutes_ago)).replace(second=20)  # its steps end in one minute
    record = Record.objects.create(
        workspace=workspace, flow=acme.flow, flow_version=acme.flow.live_version, uuid=uuid, status=2,
        date_created=then, date_started=then, date_last_run=then,
    )  # fmt: skip
    RecordData.objects.create(record=record, data={"n": 1})
    for number, length in enumerate(ms):
        RecordStep.objects.create(
            record=record, run_no=1, seq=number, attempt=1, object="o", type=kind, started_at=then, ms=length
        )


def counted_from(environment: Environment, minutes_ago: int) -> None:
    Measure.objects.filter(environment=environment).update(
        counted_until=timezone.now() - timedelta(minutes=minutes_ago), due_at=timezone.now()
    )


def test_parts_are_what_the_rows_take(acme: Tenant, deployed: Workspace) -> None:
    empty = storage.bytes_of([deployed.pk])
    assert set(empty.values()) == {0}
    keystore = Keystore.objects.create(workspace=deployed, identifier="k", structure="{}")
    KeystoreItem.objects.create(keystore=keystore, key="a" * 100, data='"' + "x" * 1000 + '"')
    ran(acme, deployed, "r", 5, [1, 2])
    found = storage.bytes_of([deployed.pk])
    assert 1200 < found["keystores"] < 1400
    assert 150 < found["records"] < 300
    assert 100 < found["traces"] < 200
    assert storage.bytes_of([]) == {}
    assert sum(storage.bytes_of([acme.workspace.pk]).values()) == storage.bytes_of([acme.workspace.pk])["flows"]


def test_quota_marks_the_workspaces_and_frees_them_again(
    acme: Tenant, environment: Environment, deployed: Workspace, monkeypatch: pytest.MonkeyPatch, call: Caller
) -> None:
    keystore = Keystore.objects.create(workspace=deployed, identifier="k", structure="{}")
    KeystoreItem.objects.create(keystore=keystore, key="a", data='"' + "x" * 1000 + '"')
    monkeypatch.setattr(quota, "GIGABYTE", 50)  # 20 of them are 1,000 bytes
    counted_from(environment, 1)
    assert measure(environment)
    deployed.refresh_from_db()
    assert deployed.storage_full
    assert Measure.objects.get().full
    assert not Workspace.objects.get(pk=acme.workspace.pk).storage_full
    KeystoreItem.objects.all().delete()
    counted_from(environment, 1)
    measure(environment)
    deployed.refresh_from_db()
    assert not deployed.storage_full
    KeystoreItem.objects.create(keystore=keystore, key="a", data='"' + "x" * 1000 + '"')
    counted_from(environment, 1)
    measure(environment)
    call("POST", f"/{environment.pk}/upgrade", {"package": "SS-B"})
    from apps.environments.execution import work_all

    work_all()
    deployed.refresh_from_db()
    assert (deployed.storage_full, deployed.concurrency) == (False, 16)


def test_a_full_environment_takes_definitions_but_no_data(
    acme: Tenant, environment: Environment, deployed: Workspace, call: Caller
) -> None:
    Measure.objects.filter(environment=environment).update(full=True)
    path = f"/{environment.pk}/project/{acme.project.pk}"
    for data in ("static_data", "file_manager"):
        call("POST", path, {data: "yes"}, status=507)
    for kind in ("keystores", "tables", "websites"):
        call("POST", path, {f"all_{kind}": "insert"}, status=507)
    assert not environment.jobs.filter(kind="deploy").exists()
    call("POST", path, {"static_data": "no", "keystores": []})


def test_each_minute_is_counted_once(acme: Tenant, environment: Environment, deployed: Workspace) -> None:
    counted_from(environment, 30)
    ran(acme, deployed, "a", 10, [500, 1500])
    ran(acme, deployed, "b", 5, [3000])
    ran(acme, deployed, "c", 0.1, [9000])  # too fresh: it may not have been committed everywhere
    ran(acme, acme.workspace, "designer", 10, [700])
    for _ in range(3):
        assert measure(environment)
    stats = statistics_of(environment)
    assert (stats.counts["records"], stats.counts["tasks"]) == (2, 3)
    hours = ActivityHour.objects.filter(environment=environment)
    assert (sum(row.busy_ms for row in hours), max(row.peak_ms for row in hours)) == (5000, 3000)
    assert sum(row.minutes for row in hours) == 2
    capacity = 60_000 * 8
    assert stats.peak_performance == round(100 * 3000 / capacity, 4)
    assert stats.avg_performance == round(100 * 2500 / capacity, 4)


def test_long_steps_count_when_they_end(acme: Tenant, environment: Environment, deployed: Workspace) -> None:
    counted_from(environment, 4)
    ran(acme, deployed, "a", 10, [7 * 60_000 + 30_000])
    measure(environment)
    assert statistics_of(environment).counts["tasks"] == 1
    assert statistics_of(environment).peak_performance == round(100 * 450_000 / (60_000 * 8), 4)


@pytest.mark.parametrize("kind", ["wait", "stop", "webhook", "run"])
def test_a_record_that_waits_keeps_nobody_busy(
    acme: Tenant, environment: Environment, deployed: Workspace, kind: str
) -> None:
    counted_from(environment, 3)
    month = 30 * 24 * 3_600_000
    ran(acme, deployed, "a", 30 * 24 * 60 + 2, [month], kind)
    Record.objects.update(date_last_run=timezone.now() - timedelta(minutes=2))
    measure(environment)
    stats = statistics_of(environment)
    assert (stats.counts["tasks"], stats.peak_performance) == (1, 0.0)


def test_visits_deliveries_and_batches_are_counted(acme: Tenant, environment: Environment, deployed: Workspace) -> None:
    counted_from(environment, 30)
    for _ in range(3):
        count_visit(environment.pk)
    webhook = register_webhook(deployed, name="orders").webhook
    WebhookEvent.objects.create(
        workspace=deployed, webhook=webhook, event_id="a" * 24, payload={},
        received_at=timezone.now() - timedelta(minutes=4),
    )  # fmt: skip
    application = acme.keys
    for minutes in (4, 9):
        Batch.objects.create(
            workspace=deployed,
            name="b",
            application=application,
            date_started=timezone.now() - timedelta(minutes=minutes),
        )
    Batch.objects.create(workspace=deployed, name="draft", application=application)
    measure(environment)
    counts = statistics_of(environment).counts
    assert (counts["visits"], counts["webhooks"], counts["batches"]) == (3, 1, 2)


def test_old_activity_is_not_in_the_statistics(environment: Environment) -> None:
    for days, records in ((31, 7), (2, 5)):
        ActivityHour.objects.create(
            environment=environment, hour=timezone.now() - timedelta(days=days), records=records, peak_ms=400_000,
            busy_ms=1, minutes=1,
        )  # fmt: skip
    stats = statistics_of(environment)
    assert (stats.counts["records"], stats.peak_performance) == (5, 0.0)


@pytest.mark.parametrize(
    ("used", "peak_ms", "status"),
    [(0, 0, "OK"), (13.9, 0, "OK"), (14, 0, "OBSERVE"), (18, 0, "CRITICAL"), (0, 336_000, "OBSERVE"),
     (0, 432_000, "CRITICAL"), (30, 10**9, "CRITICAL")],
)  # fmt: skip
def test_status_is_that_of_the_worst(environment: Environment, used: float, peak_ms: int, status: str) -> None:
    Measure.objects.filter(environment=environment).update(used=int(used * 10**9))
    ActivityHour.objects.create(environment=environment, hour=timezone.now(), peak_ms=peak_ms, busy_ms=1, minutes=1)
    stats = statistics_of(Environment.objects.get(pk=environment.pk))
    assert stats.status == status
    assert stats.storage.available_percentage >= 0
    assert stats.peak_performance <= 100


def test_tick_measures_what_is_due_and_waits_in_proportion(
    environment: Environment, deployed: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    counted_from(environment, 30)
    assert measure_due() == 1
    row = Measure.objects.get()
    assert row.due_at is not None
    assert row.measured_at is not None
    assert row.due_at - row.measured_at >= measuring.OFTEN - timedelta(seconds=1)
    assert measure_due() == 0
    clock = iter([0.0, 10.0])
    monkeypatch.setattr(measuring.time, "monotonic", lambda: next(clock, 10.0))
    counted_from(environment, 30)
    measure(environment)
    row.refresh_from_db()
    assert row.due_at - timezone.now() > timedelta(seconds=490)


def test_api_shows_what_was_measured(call: Caller, environment: Environment, deployed: Workspace) -> None:
    Measure.objects.filter(environment=environment).update(used=5_397_800_000, parts={"records": 5_397_800_000})
    found: Any = call("GET", f"/{environment.pk}")
    assert found["storage_info"] == {
        "used": 5.3978, "total": 20, "used_percentage": 26.99, "available_percentage": 73.01,
    }  # fmt: skip
    assert (found["stats"]["current_storage"], found["stats"]["status"]) == (5.3978, "OK")


def test_table_sizes_are_those_of_their_files(acme: Tenant, deployed: Workspace) -> None:
    from apps.accounts.models import Role
    from apps.applications.members import member_caller
    from apps.tables import structure

    table = structure.create_table(member_caller(deployed, Role.OWNER), name="people")
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT pg_total_relation_size('user_tables.t{table.pk}')")
        (size,) = cursor.fetchone()
    assert storage.bytes_of([deployed.pk])["tables"] == size
