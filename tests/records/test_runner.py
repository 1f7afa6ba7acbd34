"""The thread that runs flows in each worker process."""

import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.db import OperationalError, connection, transaction

from apps.records import runner as runners
from apps.records.claims import claim_due
from apps.records.execution import Drain
from apps.records.models import Record, Status, WorkerPulse
from apps.records.runner import Runner, end_runner, ring_runner, start_runner
from apps.records.services import create_records
from apps.records.tasks import drain_due_records
from tests.conftest import STRAIGHT_FLOW, Tenant, publish
from tests.records.conftest import ADULT, Sink, calling_flow, insert, make_due

pytestmark = pytest.mark.django_db(transaction=True)


def wait_until(holds: Callable[[], object]) -> None:
    deadline = time.monotonic() + 20
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def finished(*records: Record) -> bool:
    return Record.objects.filter(pk__in=[row.pk for row in records], status=Status.FINISHED).count() == len(records)


@pytest.fixture
def begun(settings: Any) -> Iterator[Callable[[], Runner]]:
    """Starts runners, which end with the test."""
    settings.CELERY_WORKER_SOFT_SHUTDOWN_TIMEOUT = 5.0
    started: list[Runner] = []

    def begin() -> Runner:
        started.append(Runner())
        started[-1].start()
        return started[-1]

    yield begin
    for runner in started:
        runner.end(10.0)


def test_due_records_are_found_though_nobody_rings(acme: Tenant, begun: Callable[[], Runner]) -> None:
    begun()
    wait_until(WorkerPulse.objects.exists)
    record = insert(acme)
    wait_until(lambda: finished(record))


def test_two_at_once_run_each_record_once(acme: Tenant, sink: Sink, begun: Callable[[], Runner]) -> None:
    publish(acme, calling_flow(sink.url))
    records = [insert(acme, flow="calling", uuid=f"r-{number}") for number in range(40)]
    for _ in range(2):
        begun()
    wait_until(lambda: finished(*records))
    assert sorted(sink.keys) == sorted(f"r-{number}:1:2" for number in range(40))


def test_services_that_stall_hold_up_their_own_flow_only(
    acme: Tenant, sink: Sink, begun: Callable[[], Runner], settings: Any
) -> None:
    settings.EXTERNAL_CALLS, settings.EXTERNAL_CALLS_PER_FLOW, settings.CLAIM_BATCH = 10, 4, 10
    for name in ("first", "second"):
        publish(acme, calling_flow(sink.url), name)
        create_records(acme.caller, [ADULT] * 30, flow_name=name)
    sink.open.clear()
    begun()
    sink.wait_for(8)
    others = [insert(acme) for _ in range(20)]
    wait_until(lambda: finished(*others))
    publish(acme, calling_flow(sink.url), "third")
    third = insert(acme, flow="third")
    sink.wait_for(9)
    assert Record.objects.filter(status=Status.PROCESSING).count() == len(sink.received) == 9
    sink.open.set()
    wait_until(lambda: finished(third))
    wait_until(lambda: Record.objects.filter(status=Status.FINISHED).count() == 81)


def test_the_task_rings_where_there_is_a_runner(acme: Tenant, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runners, "TICK_SECONDS", 60.0)
    assert not ring_runner()
    start_runner()
    try:
        wait_until(WorkerPulse.objects.exists)
        record = insert(acme)
        wait_until(lambda: drain_due_records() == 0 and finished(record))
    finally:
        end_runner()
    assert not ring_runner()
    insert(acme)
    assert drain_due_records() == 1


def test_it_finishes_what_it_has_begun_before_it_ends(acme: Tenant, sink: Sink, begun: Callable[[], Runner]) -> None:
    publish(acme, calling_flow(sink.url))
    record = insert(acme, flow="calling")
    sink.open.clear()
    runner = begun()
    sink.wait_for(1)
    ending = threading.Thread(target=runner.end, args=(10.0,))
    ending.start()
    time.sleep(0.1)
    later = insert(acme)
    sink.open.set()
    ending.join()
    assert finished(record)
    assert Record.objects.get(pk=later.pk).status == Status.NOT_RUNNING


def test_it_hands_back_what_does_not_end_in_time(
    acme: Tenant, sink: Sink, begun: Callable[[], Runner], settings: Any
) -> None:
    settings.CELERY_WORKER_SOFT_SHUTDOWN_TIMEOUT = 0.2
    publish(acme, calling_flow(sink.url))
    record = insert(acme, flow="calling", uuid="r-1")
    sink.open.clear()
    runner = begun()
    sink.wait_for(1)
    runner.end(0.2)
    record.refresh_from_db()
    assert (record.status, record.at, record.lease_token, record.claims) == (Status.NOT_RUNNING, "tell", None, 0)
    sink.open.set()
    begun()
    wait_until(lambda: finished(record))
    assert sink.keys == ["r-1:1:2"] * 2


def test_a_database_that_went_away_is_found_again(
    acme: Tenant, begun: Callable[[], Runner], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runners, "TICK_SECONDS", 0.05)
    begun()
    wait_until(WorkerPulse.objects.exists)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
        assert cursor.rowcount >= 1
    record = insert(acme)
    wait_until(lambda: finished(record))


def test_a_round_that_fails_is_followed_by_the_next(
    acme: Tenant, begun: Callable[[], Runner], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runners, "TICK_SECONDS", 0.01)
    go_round, failures = Drain.go_round, [ValueError("a slip"), OperationalError("away")]

    def sometimes(drain: Drain) -> bool:
        if failures:
            raise failures.pop()
        return go_round(drain)

    monkeypatch.setattr(Drain, "go_round", sometimes)
    begun()
    record = insert(acme)
    wait_until(lambda: finished(record))


def test_a_lock_that_somebody_keeps_ends_the_wait_and_not_the_runner(
    acme: Tenant, begun: Callable[[], Runner], settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Claims pass over locked records; the pulse of the same name does not."""
    settings.LOCK_SECONDS = 0.1
    monkeypatch.setattr(runners, "TICK_SECONDS", 0.05)
    begun()
    wait_until(WorkerPulse.objects.exists)
    WorkerPulse.objects.update(seen_at="2020-01-01T00:00:00Z")
    with transaction.atomic():
        assert len(WorkerPulse.objects.select_for_update()) == 1
        time.sleep(2.5)
    record = insert(acme)
    wait_until(lambda: finished(record))


def test_a_suspect_waits_for_calls_and_keeps_nobody_else_waiting_for_long(
    acme: Tenant, sink: Sink, begun: Callable[[], Runner], settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While a service stalls, the record of a dead worker cannot run alone: it is given back, others go on."""
    settings.LEASE_SECONDS = 1.5
    monkeypatch.setattr("apps.records.execution.SUSPECT_SECONDS", 0.2)
    publish(acme, STRAIGHT_FLOW, "other")
    suspect = insert(acme, flow="other")
    assert len(claim_due("dead:1", 1)) == 1
    publish(acme, calling_flow(sink.url))
    calling = insert(acme, flow="calling")
    sink.open.clear()
    begun()
    sink.wait_for(1)
    make_due(suspect)
    wait_until(lambda: Record.objects.get(pk=suspect.pk).claims == 2)
    after = [insert(acme) for _ in range(3)]
    wait_until(lambda: finished(*after))
    sink.open.set()
    wait_until(lambda: finished(suspect, calling))
