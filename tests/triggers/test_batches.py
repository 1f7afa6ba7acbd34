"""Batches: every item becomes a record or a fault, exactly once, whoever is killed when."""

import json
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection, connections
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from apps.accounts.models import Role, Workspace
from apps.applications.members import member_caller
from apps.applications.models import Application
from apps.core.errors import BadRequest, Conflict, MissingScope, NotFound
from apps.records.execution import drain
from apps.records.models import Record, Status
from apps.triggers import batch_runs
from apps.triggers.batch_runs import run_batches, run_step
from apps.triggers.batches import (
    Results,
    clone_batch,
    content_of,
    fault_lines,
    first_items,
    remove_batch,
    results_of,
    run_batch,
    save_batch,
)
from apps.triggers.models import Batch, BatchChunk, BatchFault, BatchPiece
from tests.conftest import Tenant
from tests.schemas.conftest import SAMPLE, SCHEMA, encoded
from tests.triggers.killed import die_at

pytestmark = pytest.mark.django_db
committing = pytest.mark.django_db(transaction=True)


def batch_of(tenant: Tenant, content: Any = ({"n": 1},), **fields: Any) -> Batch:
    """A draft of a tenant into ``intake``; documents are written as an array."""
    given = {"workspace": tenant.workspace, "name": "clients", "application": tenant.keys, "flow": "intake"}
    batch = Batch(**given | fields)
    raw = content if isinstance(content, bytes) else json.dumps(list(content)).encode()
    save_batch(batch, raw, "clients.json")
    return batch


def numbered(count: int) -> list[dict[str, int]]:
    return [{"n": n} for n in range(1, count + 1)]


def run(batch: Batch, tenant: Tenant) -> Batch:
    """Through to its end."""
    run_batch(tenant.caller, batch.pk)
    for _ in range(50):
        if not run_step():
            break
    return Batch.objects.get(pk=batch.pk)


def made() -> list[int]:
    """The numbers of the records, in the order they were made."""
    return [record.content.data["n"] for record in Record.objects.select_related("content").order_by("id")]


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Chunks of three."""
    monkeypatch.setattr(batch_runs, "CHUNK_ITEMS", 3)


# --- Running ----------------------------------------------------------------------------------------------------


@committing
def test_every_item_becomes_a_record(acme: Tenant, small: None) -> None:
    batch = batch_of(acme, numbered(7))
    assert (batch.status, batch.total) == ("draft", None)
    batch = run(batch, acme)
    assert (batch.status, batch.total, batch.position, batch.made, batch.faults) == ("finished", 7, 7, 7, 0)
    assert made() == [1, 2, 3, 4, 5, 6, 7]
    records = list(Record.objects.order_by("id"))
    assert [record.uuid for record in records] == [f"{batch.prefix}-{n}" for n in range(1, 8)]
    assert {(record.application_id, record.flow_id) for record in records} == {(acme.keys.pk, acme.flow.pk)}
    assert batch.date_created < batch.date_started < batch.date_finished
    assert (batch.lease_token, batch.lease_until, batch.claims) == (None, None, 0)
    assert not BatchChunk.objects.exists()


def test_the_statuses_come_in_their_order(acme: Tenant, small: None) -> None:
    batch = batch_of(acme, numbered(4))
    seen = [batch.status, run_batch(acme.caller, batch.pk).status]
    while run_step():
        seen.append(Batch.objects.get().status)
    assert seen == ["draft", "ready", "processing", "processing", "finished"]
    assert not run_step()


def test_items_at_fault_are_told_and_the_others_become_records(client: Client, acme: Tenant, small: None) -> None:
    body = {"schema": encoded(SCHEMA), "data_record": encoded(SAMPLE), "url": "https://example.org/lead"}
    assert client.post("/v1/schema", body, "application/json", headers=acme.headers).status_code == 201
    lines = ['{"client": {"age": 1}}', "{", "[1]", '{"client": {"age": -1}}', '{"client": {"age": 5}}']
    batch = run(batch_of(acme, "\n".join(lines).encode()), acme)
    assert (batch.status, batch.made, batch.faults, batch.position) == ("finished", 2, 3, 5)
    assert list(fault_lines(batch)) == [
        ["item", "line", "message"],
        ["2", "2", "Not valid JSON: Expecting property name enclosed in double quotes at line 1, column 2."],
        ["3", "3", "A data record is an object."],
        ["4", "4", "The data record does not fit the schema. /client/age: The value is less than the minimum of 0"],
    ]
    assert [record.uuid for record in Record.objects.order_by("id")] == [f"{batch.prefix}-1", f"{batch.prefix}-5"]


def test_only_so_many_faults_are_kept(acme: Tenant, settings: Any, small: None) -> None:
    settings.BATCH_FAULTS = 4
    batch = run(batch_of(acme, [1, 2, 3, 4, 5, 6, 7]), acme)
    assert (batch.faults, BatchFault.objects.count(), batch.status) == (7, 4, "finished")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"[{}", "The file is no JSON array: a comma or the end of the array is missing, on line 1."),
        (b"[]", "The file holds no data records."),
    ],
)
def test_a_file_that_cannot_be_taken_apart_makes_nothing(acme: Tenant, content: bytes, message: str) -> None:
    batch = run(batch_of(acme, content), acme)
    assert (batch.status, batch.error, batch.total) == ("error", message, None)
    assert not Record.objects.exists()
    assert not BatchChunk.objects.exists()


def test_a_break_at_the_end_of_a_file_makes_nothing_either(acme: Tenant, small: None) -> None:
    batch = run(batch_of(acme, b'[{"n": 1}, {"n": 2}, {"n": 3}, {"n": 4}, {"n" 5}]'), acme)
    assert (batch.status, Record.objects.count(), BatchChunk.objects.count()) == ("error", 0, 0)


def test_limits(acme: Tenant, settings: Any) -> None:
    settings.BATCH_ITEMS = 3
    batch = run(batch_of(acme, numbered(4)), acme)
    assert batch.error == "The file holds more than 3 items: send it as several batches."
    settings.BATCH_BYTES = 5
    with pytest.raises(BadRequest, match="The file is larger than 5 bytes"):
        batch_of(acme, b"[{}, {}]")
    assert Batch.objects.count() == 1


def test_csv_and_xml(acme: Tenant) -> None:
    text = "Age;Name\n30;Ada\n5;Bo\n".encode("utf-16")
    options = {"format": "csv", "delimiter": ";", "encoding": "utf-16"}
    run(batch_of(acme, text, mapping="Age = client.age as integer\nName = client.name", **options), acme)
    run(batch_of(acme, b"<c><r><n type='integer'>1</n></r><r><n>2</n></r></c>", format="xml"), acme)
    assert [record.content.data for record in Record.objects.order_by("id")] == [
        {"client": {"age": 30, "name": "Ada"}},
        {"client": {"age": 5, "name": "Bo"}},
        {"n": 1},
        {"n": "2"},
    ]


def test_large_files_are_kept_in_pieces(acme: Tenant, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("apps.triggers.batches.PIECE_BYTES", 10)
    content = json.dumps(numbered(20)).encode()
    batch = batch_of(acme, content)
    assert BatchPiece.objects.count() == len(content) // 10 + 1
    assert content_of(batch) == content
    run(batch, acme)
    assert made() == list(range(1, 21))


def test_a_flow_that_stops_taking_records_ends_the_batch_and_it_can_continue(acme: Tenant, small: None) -> None:
    batch = batch_of(acme, numbered(7))
    run_batch(acme.caller, batch.pk)
    assert run_step()
    assert run_step()
    _flow(acme, status="inactive")
    while run_step():
        pass
    batch.refresh_from_db()
    assert (batch.status, batch.position, made()) == ("error", 3, [1, 2, 3])
    assert batch.error == "The flow intake takes no data records: it is inactive."
    _flow(acme, status="running")
    batch = run(batch, acme)
    assert (batch.status, batch.error, made()) == ("finished", "", [1, 2, 3, 4, 5, 6, 7])


def test_a_full_environment_ends_the_batch_and_it_can_continue(acme: Tenant) -> None:
    Workspace.objects.update(storage_full=True)
    batch = run(batch_of(acme, numbered(2)), acme)
    assert (batch.status, batch.error) == ("error", "The storage of this environment is used up.")
    Workspace.objects.update(storage_full=False)
    batch = run(batch, acme)
    assert (batch.status, batch.made, Record.objects.count()) == ("finished", 2, 2)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"active": False}, "The application acme-keys is switched off."),
        ({"scopes": ["record"]}, "The application acme-keys lacks the scope batch."),
    ],
)
def test_its_application_must_be_on_and_may_run_batches(acme: Tenant, change: Any, reason: str, small: None) -> None:
    batch = batch_of(acme, numbered(4))
    run_batch(acme.caller, batch.pk)
    run_step()
    Application.objects.filter(pk=acme.keys.pk).update(**change)
    run_step()
    batch.refresh_from_db()
    assert (batch.status, batch.error, Record.objects.count()) == ("error", reason, 0)
    with pytest.raises(Conflict) as caught:
        run_batch(acme.caller, batch.pk)
    assert caught.value.message == reason


def test_the_scope_batch_is_enough(acme: Tenant) -> None:
    Application.objects.filter(pk=acme.keys.pk).update(scopes=["batch"])
    assert run(batch_of(acme), acme).made == 1


def test_a_defect_ends_the_batch_with_a_reason(acme: Tenant, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batch_runs, "_take_chunk", lambda batch: 1 / 0)
    batch = run(batch_of(acme), acme)
    assert (batch.status, batch.error) == ("error", "The platform could not run this batch (ZeroDivisionError).")


def test_how_the_records_stand(acme: Tenant) -> None:
    batch = run(batch_of(acme, [{"client": {"age": 1}}, {"client": {"age": "x"}}, {}, {}, 5]), acme)
    assert results_of(batch) == Results(finished=0, failed=0, under_way=4, removed=0)
    Record.objects.filter(uuid=f"{batch.prefix}-1").update(status=Status.FAILED, wake_at=None)
    Record.objects.filter(uuid=f"{batch.prefix}-2").delete()
    drain()
    assert results_of(batch) == Results(finished=2, failed=1, under_way=0, removed=1)


@committing
def test_a_step_costs_as_many_statements_whatever_its_size(acme: Tenant) -> None:
    counts = []
    for size in (2, 200):
        run_batch(acme.caller, batch_of(acme, numbered(size)).pk)
        run_step()
        with CaptureQueriesContext(connection) as queries:
            run_step()
        counts.append(len(queries))
    assert counts[0] == counts[1]


def test_a_slice_of_time_ends(acme: Tenant, small: None) -> None:
    run_batch(acme.caller, batch_of(acme, numbered(7)).pk)
    assert run_batches(0.0) is False or not Record.objects.exists()
    assert not run_batches(20)
    assert len(made()) == 7


# --- Killed, and at the same time -------------------------------------------------------------------------------


def _expire() -> None:
    Batch.objects.update(lease_until=timezone.now() - timedelta(seconds=1))


@committing
@pytest.mark.parametrize("name", ["after-batch-claim", "before-batch-commit"])
def test_whenever_a_worker_is_killed_each_item_is_taken_once(acme: Tenant, small: None, name: str) -> None:
    batch = batch_of(acme, [*numbered(7), "bad"])
    run_batch(acme.caller, batch.pk)
    for _ in range(4):  # reading, and three chunks
        die_at(name, batch_runs, run_step)
        assert not run_step(), "the lease still holds"
        _expire()
        assert run_step()
    batch.refresh_from_db()
    assert (batch.status, batch.made, batch.faults, batch.claims) == ("finished", 7, 1, 0)
    assert made() == [1, 2, 3, 4, 5, 6, 7]


@committing
def test_a_batch_that_ends_its_workers_is_given_up(acme: Tenant) -> None:
    batch = batch_of(acme)
    other = batch_of(acme, [{"n": 2}])
    run_batch(acme.caller, batch.pk)
    for _ in range(3):
        die_at("before-batch-commit", batch_runs, run_step)
        _expire()
    assert run_step()
    batch.refresh_from_db()
    assert (batch.status, batch.error) == ("error", "The batch ended its worker three times and was given up.")
    assert run(other, acme).status == "finished"
    assert made() == [2]
    assert run(batch, acme).status == "finished"


@committing
def test_a_worker_that_lost_its_lease_changes_nothing(acme: Tenant, monkeypatch: pytest.MonkeyPatch) -> None:
    batch = batch_of(acme, numbered(2))
    run_batch(acme.caller, batch.pk)

    def stall(name: str) -> None:
        if name == "after-batch-claim":
            monkeypatch.setattr(batch_runs, "failpoint", lambda name: None)
            _expire()
            assert run_step()

    monkeypatch.setattr(batch_runs, "failpoint", stall)
    assert run_step()
    assert BatchChunk.objects.count() == 1
    while run_step():
        pass
    assert made() == [1, 2]


@committing
def test_many_workers_take_each_item_once(acme: Tenant, small: None) -> None:
    batches = [batch_of(acme, numbered(10)) for _ in range(3)]
    for batch in batches:
        run_batch(acme.caller, batch.pk)

    def work(_: int) -> None:
        try:
            for _ in range(200):
                if not run_step() and not Batch.objects.filter(status__in=["ready", "processing"]).exists():
                    return
        finally:
            connections.close_all()

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(work, range(6)))
    assert sorted(made()) == sorted([*range(1, 11)] * 3)
    assert set(Batch.objects.values_list("status", "made")) == {("finished", 10)}


# --- Acts -------------------------------------------------------------------------------------------------------


def test_the_first_items_are_shown_before_anything_runs(acme: Tenant) -> None:
    shown = first_items(batch_of(acme, [*numbered(8)]))
    assert [item.document for item in shown] == numbered(5)
    assert not Record.objects.exists()
    with pytest.raises(BadRequest, match="The file holds no data records"):
        first_items(batch_of(acme, b" "))


@pytest.mark.parametrize("status", ["ready", "processing", "finished"])
def test_what_is_run_cannot_be_run_or_changed(acme: Tenant, status: str) -> None:
    batch = batch_of(acme)
    Batch.objects.update(status=status)
    with pytest.raises(Conflict, match=f"The batch cannot be run: it is {status}."):
        run_batch(acme.caller, batch.pk)
    batch.name = "other"
    with pytest.raises(Conflict, match="Only a draft can be changed"):
        save_batch(batch, b"[]")
    assert (Batch.objects.get().name, content_of(batch)) == ("clients", b'[{"n": 1}]')


@pytest.mark.parametrize(
    ("status", "removable"), [("draft", 1), ("ready", 0), ("processing", 0), ("finished", 1), ("error", 1)]
)
def test_what_can_be_removed(acme: Tenant, status: str, removable: int) -> None:
    batch = run(batch_of(acme), acme)
    Batch.objects.update(status=status)
    if removable:
        remove_batch(batch)
    else:
        with pytest.raises(Conflict):
            remove_batch(batch)
    assert Batch.objects.count() == 1 - removable
    assert Record.objects.count() == 1


@pytest.mark.parametrize("status", ["draft", "ready", "processing", "finished", "error"])
def test_any_can_be_cloned(acme: Tenant, status: str) -> None:
    batch = run(batch_of(acme, [{"n": 1}, 5], description="d"), acme)
    Batch.objects.update(status=status)
    clone = clone_batch(acme.caller, batch.pk)
    assert (clone.name, clone.status, clone.total, clone.made, clone.faults, clone.description) == (
        "Copy of clients",
        "draft",
        None,
        0,
        0,
        "d",
    )
    assert content_of(clone) == content_of(batch)
    assert run(clone, acme).made == 1
    assert made() == [1, 1]


def test_who_may(acme: Tenant, rival: Tenant) -> None:
    batch = batch_of(acme)
    for act in (run_batch, clone_batch):
        with pytest.raises(MissingScope):
            act(member_caller(acme.workspace, Role.VIEWER), batch.pk)
        with pytest.raises(NotFound):
            act(rival.caller, batch.pk)
    assert list(Batch.objects.values_list("status", flat=True)) == ["draft"]
    assert run_batch(member_caller(acme.workspace, Role.OPERATOR), batch.pk).status == "ready"


def _flow(tenant: Tenant, **changes: Any) -> None:
    type(tenant.flow).objects.filter(pk=tenant.flow.pk).update(**changes)
