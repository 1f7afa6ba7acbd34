"""Apps inside the house: what they write and how far the record has come is committed together, or not at all."""

import threading
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from django.db import OperationalError, connection, connections
from django.test import override_settings
from psycopg.errors import DeadlockDetected, SerializationFailure

from apps.applications.scopes import SCOPES
from apps.contents.models import StaticData
from apps.core.errors import NotFound
from apps.flows.engine.apps import APPS, App
from apps.flows.engine.results import AppError, AppResult
from apps.flows.engine.walk import Call, advance
from apps.flows.selectors import program
from apps.records.claims import claim_due
from apps.records.execution import drain
from apps.records.house import INTERNAL, PREPARE, Place
from apps.records.inside import carry_out
from apps.records.models import Hold, Record, RecordStep, Status
from apps.records.runs import Run
from tests.conftest import Tenant, publish
from tests.records.conftest import Sink, calling_flow, flow_of, insert, make_due, steps

pytestmark = pytest.mark.django_db
at_once = pytest.mark.django_db(transaction=True)

NOTE = App("test.note", 1, "Note", "internal", {"type": "object"}, ("ok", "error"), 5.0)
Act = Callable[[Place, Call], AppResult | AppError]


@pytest.fixture
def note(monkeypatch: pytest.MonkeyPatch) -> Callable[[Act], None]:
    """Makes an act the app ``test.note``."""
    monkeypatch.setitem(APPS, NOTE.name, NOTE)
    return lambda act: monkeypatch.setitem(INTERNAL, NOTE.name, act)


def write(place: Place, value: Any) -> None:
    StaticData.objects.update_or_create(workspace_id=place.workspace_id, defaults={"data": value})


def noting_flow(**more: Any) -> dict[str, Any]:
    first = {"type": "app", "app": "test.note", "with": {"n": "{{ client.age }}"}, "next": {"ok": "end"}}
    return flow_of("noting", first=first | more)


def reloaded(record: Record) -> Record:
    return Record.objects.select_related("content").get(pk=record.pk)


def test_an_app_knows_its_record_and_may_do_everything_in_its_workspace(acme: Tenant, note: Any) -> None:
    seen: list[tuple[Place, Call]] = []

    def act(place: Place, call: Call) -> AppResult:
        seen.append((place, call))
        return AppResult("ok", {"noted": True}, {"kept": call.config["n"]})

    note(act)
    flow = publish(acme, noting_flow())
    record = insert(acme, flow="noting", uuid="r-1")
    drain()
    ((place, call),) = seen
    assert place == Place(
        workspace_id=acme.workspace.pk,
        project_id=acme.project.pk,
        project_name=acme.project.name,
        organization_id=acme.organization.pk,
        time_zone="Europe/Amsterdam",
        record_id=record.pk,
        uuid="r-1",
        flow_id=flow.pk,
        flow_name="noting",
        run_no=1,
        application_id=None,
    )
    assert (call.app, call.kind, call.config, call.idempotency_key) == ("test.note", "internal", {"n": 30}, "r-1:1:2")
    caller = place.caller()
    assert (caller.workspace_id, caller.scopes) == (acme.workspace.pk, frozenset(SCOPES))
    assert (reloaded(record).status, reloaded(record).content.vars) == (Status.FINISHED, {"kept": 30})
    assert RecordStep.objects.get(record=record, object="first").output == {"noted": True}


def test_what_an_app_writes_is_committed_with_the_checkpoint(acme: Tenant, note: Any) -> None:
    def act(place: Place, call: Call) -> AppResult:
        write(place, {"n": call.config["n"]})
        return AppResult("ok")

    note(act)
    publish(acme, noting_flow())
    record = insert(acme, flow="noting")
    drain()
    assert StaticData.objects.get(workspace=acme.workspace).data == {"n": 30}
    assert steps(record) == [(1, 1, "start", "ok"), (2, 1, "first", "ok"), (3, 1, "end", "")]
    assert (reloaded(record).num_runs, reloaded(record).claims, reloaded(record).lease_token) == (1, 0, None)


@pytest.mark.parametrize(
    ("failure", "code", "message"),
    [
        (AppError("sold_out", "None left."), "sold_out", "None left."),
        (NotFound("There is no such table."), "not_found", "There is no such table."),
    ],
)
def test_an_error_takes_back_what_the_app_wrote(acme: Tenant, note: Any, failure: Any, code: str, message: str) -> None:
    def act(place: Place, call: Call) -> AppError:
        write(place, {"half": "written"})
        if isinstance(failure, Exception):
            raise failure
        return failure

    note(act)
    publish(acme, noting_flow(retry={"max": 0}, next={"ok": "end", "error": "end"}))
    record = insert(acme, flow="noting")
    drain()
    assert not StaticData.objects.exists()
    assert reloaded(record).status == Status.HANDLED
    assert RecordStep.objects.get(record=record, object="first").error == {"code": code, "message": message}


def test_an_error_is_tried_again_as_any_other(acme: Tenant, note: Any) -> None:
    note(lambda place, call: AppError("sold_out", "None left."))
    publish(acme, noting_flow(retry={"max": 1, "delay": "1m"}))
    record = insert(acme, flow="noting")
    drain()
    record = reloaded(record)
    assert (record.status, record.attempt, record.error_code) == (Status.SCHEDULED, 2, "sold_out")
    make_due(record)
    drain()
    assert steps(record) == [(1, 1, "start", "ok"), (2, 1, "first", ""), (2, 2, "first", "")]
    assert (reloaded(record).status, reloaded(record).hold) == (Status.FAILED, Hold.ERROR)


def test_a_lost_lease_writes_nothing(acme: Tenant, note: Any) -> None:
    calls: list[str] = []

    def act(place: Place, call: Call) -> AppResult:
        calls.append(call.idempotency_key)
        return AppResult("ok")

    note(act)
    publish(acme, noting_flow())
    record = insert(acme, flow="noting")
    (claimed,) = claim_due("stalled", 10)
    run = Run.of(claimed)
    outcome, done = advance(program(claimed.version_id), run.token, run.host)
    assert isinstance(outcome, Call)
    make_due(record)
    drain()
    before = list(Record.objects.values()), list(RecordStep.objects.values())
    assert carry_out(run, outcome, done) is None
    assert (list(Record.objects.values()), list(RecordStep.objects.values())) == before
    assert len(calls) == 1


def test_a_defect_of_an_app_leaves_nothing_behind(acme: Tenant, note: Any) -> None:
    def act(place: Place, call: Call) -> AppResult:
        write(place, {"half": "written"})
        raise KeyError("a slip")

    note(act)
    publish(acme, noting_flow())
    record = insert(acme, flow="noting")
    drain()
    assert not StaticData.objects.exists()
    assert (reloaded(record).status, reloaded(record).error_code) == (Status.FAILED, "defect")
    assert steps(record) == []


def test_a_defect_in_the_second_app_keeps_what_the_first_has_done(acme: Tenant, note: Any) -> None:
    def act(place: Place, call: Call) -> AppResult:
        if call.object == "second":
            raise KeyError("a slip")
        write(place, {"first": "done"})
        return AppResult("ok")

    note(act)
    second = {"type": "app", "app": "test.note", "next": {"ok": "end"}}
    publish(acme, flow_of("noting", first=second | {"next": {"ok": "second"}}, second=second))
    record = insert(acme, flow="noting")
    drain()
    record = reloaded(record)
    assert (record.status, record.error_code, record.at, record.seq) == (Status.FAILED, "defect", "second", 2)
    assert steps(record) == [(1, 1, "start", "ok"), (2, 1, "first", "ok")]
    assert StaticData.objects.get().data == {"first": "done"}


def test_an_answer_that_cannot_be_kept_is_an_error(acme: Tenant, note: Any) -> None:
    note(lambda place, call: AppResult("ok", None, {"bad": float("nan")}))
    publish(acme, noting_flow(retry={"max": 0}))
    record = insert(acme, flow="noting")
    drain()
    assert (reloaded(record).status, reloaded(record).error_code) == (Status.FAILED, "output")


@pytest.mark.parametrize("cause", [DeadlockDetected, SerializationFailure])
def test_clashes_are_tried_again_three_times_in_all(acme: Tenant, note: Any, cause: type[Exception]) -> None:
    tries: list[int] = []

    def act(place: Place, call: Call) -> AppResult:
        tries.append(len(tries))
        write(place, {"try": len(tries)})
        if len(tries) % 3:
            raise OperationalError from cause()
        return AppResult("ok")

    note(act)
    publish(acme, noting_flow())
    record = insert(acme, flow="noting")
    drain()
    assert (tries, reloaded(record).status) == ([0, 1, 2], Status.FINISHED)
    assert StaticData.objects.get().data == {"try": 3}
    assert steps(record) == [(1, 1, "start", "ok"), (2, 1, "first", "ok"), (3, 1, "end", "")]


def test_one_that_clashes_for_ever_has_failed(acme: Tenant, note: Any) -> None:
    def act(place: Place, call: Call) -> AppResult:
        write(place, {"half": "written"})
        raise OperationalError from DeadlockDetected()

    note(act)
    publish(acme, noting_flow(retry={"max": 0}))
    record = insert(acme, flow="noting")
    drain()
    assert (reloaded(record).status, reloaded(record).error_code) == (Status.FAILED, "clash")
    assert not StaticData.objects.exists()


@at_once
def test_a_real_deadlock_is_resolved(acme: Tenant, note: Any) -> None:
    """Two records change two rows in opposite orders, at the same time."""
    both = threading.Barrier(2, timeout=10)

    def act(place: Place, call: Call) -> AppResult:
        first, second = call.config["rows"]
        with connection.cursor() as cursor:
            cursor.execute("UPDATE records_workerpulse SET seen_at = now() WHERE name = %s", [first])
            if not met.is_set():
                both.wait()
                met.set()
            cursor.execute("UPDATE records_workerpulse SET seen_at = now() WHERE name = %s", [second])
        return AppResult("ok")

    met = threading.Event()
    note(act)
    with connection.cursor() as cursor:
        cursor.execute("INSERT INTO records_workerpulse (name, seen_at) VALUES ('a', now()), ('b', now())")
    publish(acme, noting_flow(**{"with": {"rows": "{{ rows }}"}}))
    for rows in (["a", "b"], ["b", "a"]):
        insert(acme, {"rows": rows}, flow="noting")

    def work() -> None:
        try:
            drain()
        finally:
            connections.close_all()

    with override_settings(CLAIM_BATCH=1):
        threads = [threading.Thread(target=work) for _ in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert set(Record.objects.values_list("status", flat=True)) == {Status.FINISHED}


def test_a_statement_that_takes_too_long_is_the_apps_error(acme: Tenant, note: Any) -> None:
    def act(place: Place, call: Call) -> AppResult:
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL statement_timeout = 10")
            cursor.execute("SELECT pg_sleep(5)")
        return AppResult("ok")

    note(act)
    publish(acme, noting_flow(retry={"max": 0}))
    record = insert(acme, flow="noting")
    drain()
    assert (reloaded(record).status, reloaded(record).error_code) == (Status.FAILED, "too_slow")


def test_an_external_call_is_prepared_before_it_leaves_the_house(
    acme: Tenant, sink: Sink, monkeypatch: pytest.MonkeyPatch
) -> None:
    def credentials(place: Place, call: Call) -> Call:
        return replace(call, config=call.config | {"headers": {"X-Secret": f"of {place.project_name}"}})

    monkeypatch.setitem(PREPARE, "core.http", credentials)
    publish(acme, calling_flow(sink.url))
    record = insert(acme, flow="calling")
    drain()
    assert sink.received[0].headers["x-secret"] == f"of {acme.project.name}"
    assert reloaded(record).status == Status.FINISHED


def test_a_call_that_cannot_be_prepared_does_not_leave(
    acme: Tenant, sink: Sink, monkeypatch: pytest.MonkeyPatch
) -> None:
    def missing(place: Place, call: Call) -> Call:
        raise NotFound("There is no such connection.")

    monkeypatch.setitem(PREPARE, "core.http", missing)
    publish(acme, calling_flow(sink.url, retry={"max": 0}))
    record = insert(acme, flow="calling")
    drain()
    assert (reloaded(record).error_code, sink.received) == ("not_found", [])


def test_every_internal_app_has_its_function() -> None:
    internal = {name for name, app in APPS.items() if app.kind == "internal"}
    assert set(INTERNAL) == internal
