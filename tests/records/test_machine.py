"""Acts, time, drains and deaths in any order: the queue does what a small model says, and the invariants hold."""

import itertools
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection, connections
from django.utils import timezone
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    consumes,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from apps.core.errors import NothingChanged, RecordInUse
from apps.flows import services as flows
from apps.records import execution, runs
from apps.records.changing import delete_record, update_records
from apps.records.life_cycle import Act
from apps.records.models import Hold, Record, Status
from apps.records.moving import move_records
from apps.records.queueing import QUEUE_ACTS, change_queue, review_records
from apps.records.services import create_records
from tests.conftest import Tenant, publish
from tests.faults import verify
from tests.faults.evidence import Evidence, read
from tests.records import queue_model as model
from tests.records.conftest import Answer, Sink, flow_of
from tests.records.queue_model import Model

pytestmark = pytest.mark.django_db(transaction=True)

IS_LONG = os.environ.get("FAULTS") == "long"
HOUR = timedelta(hours=1)
FLOWS = ("one", "two")
# What a version of a flow consists of; each ends where the model says it does.
WAYS = (
    ("start", "wait", "tell", "stop", "end"),
    ("start", "tell", "set", "end"),
    ("start", "stop", "tell", "end"),
    ("start", "set", "end"),
    ("start", "wait", "stop", "end"),
)
ACTS = {
    "pause": QUEUE_ACTS["pause-queue"],
    "resume": QUEUE_ACTS["resume-queue"],
    "execute": QUEUE_ACTS["execute-queue"],
    "dequeue": QUEUE_ACTS["delete-from-queue"],
    "continue": QUEUE_ACTS["resume-and-continue"],
    "review": Act.REVIEW,
}
PLACES = ["after-claim", "before-walk", "before-effect", "after-effect", "before-checkpoint", "after-checkpoint"]


class Killed(BaseException):
    """The end of a worker: nothing of ours catches it."""


class Death:
    """Ends the worker when it passes a place for the ``passing``-th time."""

    def __init__(self, place: str, passing: int) -> None:
        self.place = place
        self.left = passing

    def __call__(self, place: str, subject: str = "") -> None:
        if place == self.place:
            self.left -= 1
            if not self.left:
                raise Killed


def document_of(way: tuple[str, ...], name: str, url: str) -> dict[str, Any]:
    """The flow of a way."""
    objects: dict[str, Any] = {
        "wait": {"type": "wait", "for": "2h"},
        "tell": {
            "type": "app",
            "app": "core.http",
            "with": {"method": "POST", "url": url, "json": {}},
            "retry": {"max": model.RETRIES, "delay": "1h"},
        },
        "stop": {"type": "stop", "timeout": "5h"},
        "set": {"type": "set", "set": {"progress": "set"}},
    }
    used = {}
    for this, following in itertools.pairwise(way[1:]):
        ports = ("resume", "timeout") if this == "stop" else ("ok",)
        used[this] = objects[this] | {"next": dict.fromkeys(ports, following)}
    return flow_of(name, **used)


class QueueMachine(RuleBasedStateMachine):
    """``now`` is the model's clock in hours; time passes by moving every date of the records back."""

    records = Bundle("records")

    def __init__(self, tenant: Tenant, sink: Sink, number: int) -> None:
        super().__init__()
        self.tenant, self.sink, self.number = tenant, sink, number
        Record.objects.all().delete()  # of a machine that failed
        sink.received.clear()
        sink.answer = Answer()
        self.now = 0.0
        self.answers = True
        self.nonces = itertools.count(1)
        self.models: dict[str, Model] = {}
        self.documents: dict[str, Any] = {}
        self.versions: dict[str, tuple[tuple[str, ...], int]] = {}
        self.running = {self.named(name) for name in FLOWS}
        for name, way in zip(FLOWS, WAYS, strict=False):
            self.install(name, way)

    def named(self, name: str) -> str:
        """The flow of that name in this machine's time."""
        return f"{name}-{self.number}"

    def install(self, name: str, way: tuple[str, ...]) -> None:
        flow = publish(self.tenant, document_of(way, self.named(name), self.sink.url))
        self.versions[self.named(name)] = way, flow.live_version_id

    @rule(target=records, name=st.sampled_from(FLOWS), ahead=st.sampled_from([0.0, 3.0]))
    def insert(self, name: str, ahead: float) -> str:
        flow, nonce = self.named(name), next(self.nonces)
        uuid, document = f"{self.number}-{nonce}", {"client": {"age": 30}, "nonce": nonce}
        at = timezone.now() + ahead * HOUR if ahead else None
        create_records(self.tenant.caller, [document], flow_name=flow, uuid=uuid, execute_at=at)
        way, version = self.versions[flow]
        status = model.SCHEDULED if ahead else model.NEW
        self.models[uuid] = Model(flow, way, version, nonce, wake=self.now + ahead, status=status)
        self.documents[uuid] = document
        return uuid

    @rule(uuids=st.lists(records, min_size=1, max_size=4, unique=True), name=st.sampled_from(sorted(ACTS)))
    def act(self, uuids: list[str], name: str) -> None:
        def change() -> Any:
            if ACTS[name] is Act.REVIEW:
                return review_records(self.tenant.caller, uuids)
            return change_queue(self.tenant.caller, ACTS[name], uuids)

        self.change(uuids, name, change, lambda record: model.act(record, name, self.now))

    @rule(uuids=st.lists(records, min_size=1, max_size=3, unique=True), name=st.sampled_from(FLOWS))
    def move(self, uuids: list[str], name: str) -> None:
        flow = self.named(name)
        self.change(
            uuids,
            "move",
            lambda: move_records(self.tenant.caller, flow, uuids).results,
            lambda record: model.moved(record, flow, *self.versions[flow], self.now),
        )

    def change(
        self, uuids: list[str], name: str, change: Callable[[], Any], modelled: Callable[[Model], Model]
    ) -> None:
        """An act on several records: those it is for change, the others say why not."""
        allowed = [uuid for uuid in uuids if model.place(self.models[uuid], self.now) in model.ALLOWED[name]]
        try:
            results = {result.uuid: result.refusal for result in change()}
        except NothingChanged:
            assert not allowed
            return
        assert {uuid for uuid, refusal in results.items() if not refusal} == set(allowed)
        self.models |= {uuid: modelled(self.models[uuid]) for uuid in allowed}

    @rule(uuid=records)
    def update(self, uuid: str) -> None:
        nonce = next(self.nonces)
        document = {"client": {"age": 31}, "nonce": nonce}
        free = model.place(self.models[uuid], self.now) in model.ALLOWED["update"]
        try:
            update_records(self.tenant.caller, [uuid], [document])
        except RecordInUse:
            assert not free
            return
        assert free
        self.models[uuid] = model.updated(self.models[uuid], nonce)
        self.documents[uuid] = document

    @rule(uuid=consumes(records))
    def delete(self, uuid: str) -> None:
        free = model.place(self.models[uuid], self.now) in model.ALLOWED["delete"]
        try:
            delete_record(self.tenant.caller, uuid)
        except RecordInUse:
            assert not free
            return
        assert free
        del self.models[uuid], self.documents[uuid]

    @rule(name=st.sampled_from(FLOWS), way=st.sampled_from(WAYS))
    def publish_version(self, name: str, way: tuple[str, ...]) -> None:
        flow = self.found(name)
        source = flows.format_source(document_of(way, self.named(name), self.sink.url))
        flows.save_draft(self.tenant.caller, flow, source)
        published = flows.change_status(self.tenant.caller, flow, "public")
        self.versions[self.named(name)] = way, published.live_version_id
        self.running.add(self.named(name))

    @rule(name=st.sampled_from(FLOWS))
    def pause_or_resume_flow(self, name: str) -> None:
        runs = self.named(name) in self.running
        flows.change_status(self.tenant.caller, self.found(name), "paused" if runs else "running")
        self.running ^= {self.named(name)}

    def found(self, name: str) -> Any:
        return flows.get_flow(self.tenant.caller, flow_id=None, name=self.named(name))

    @rule(hours=st.sampled_from([1.0, 2.0, 5.0]))
    def tick(self, hours: float) -> None:
        with connection.cursor() as cursor:
            cursor.execute(
                "UPDATE records_record SET wake_at = wake_at - %(by)s, saved_wake_at = saved_wake_at - %(by)s,"
                " entered_at = entered_at - %(by)s",
                {"by": hours * HOUR},
            )
        self.now += hours

    @rule()
    def receiver_breaks_or_mends(self) -> None:
        self.answers = not self.answers
        self.sink.answer = Answer() if self.answers else Answer(500)

    @rule()
    def drain(self) -> None:
        due = self.due()
        handled, more = execution.drain(60)
        assert (handled, more) == (len(due), False)
        self.models |= {uuid: steps[-1] for uuid, steps in due.items()}

    @rule()
    def drain_twice_at_once(self) -> None:
        """A doubled message: two workers look for the same work."""
        due = self.due()
        handled: list[int] = []
        workers = [threading.Thread(target=lambda: handled.append(in_thread())) for _ in range(2)]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
        assert sum(handled) == len(due)
        self.models |= {uuid: steps[-1] for uuid, steps in due.items()}

    @precondition(lambda self: self.due())
    @rule(place=st.sampled_from(PLACES), passing=st.integers(1, 4))
    def kill(self, place: str, passing: int) -> None:
        """Each record that was due may be anywhere on its way."""
        due = self.due()
        with dying(place, passing):
            execution.drain(60)
        for uuid, steps in due.items():
            may_be = [self.models[uuid], *steps]
            seen = self.seen(uuid)
            fitting = [record for record in may_be if self.comparable(record) == seen]
            assert fitting, f"{uuid} is {seen}, may be {[self.comparable(record) for record in may_be]}"
            self.models[uuid] = fitting[0]

    def due(self) -> dict[str, list[Model]]:
        """What the model says will be written down of each due record."""
        return {
            uuid: list(model.walk(record, self.now, self.answers))
            for uuid, record in self.models.items()
            if model.is_due(record, self.now, self.running)
        }

    def comparable(self, record: Model) -> tuple[Any, ...]:
        """The columns of a model, dates as hours from now."""
        dates = (None if date is None else date - self.now for date in (record.wake, record.saved, record.entered))
        return (
            (record.flow, record.version, record.at, record.seq, record.run, record.attempt),
            (record.status, record.hold, record.leased, record.claims, record.error, record.nonce),
            tuple(dates),
        )

    def seen(self, uuid: str) -> tuple[Any, ...]:
        """The same columns of the record."""
        row = Record.objects.select_related("flow", "content").get(uuid=uuid)
        now = timezone.now()
        dates = (row.wake_at, row.saved_wake_at, row.entered_at)
        return (
            (row.flow.name, row.flow_version_id, row.at, row.seq, row.run_no, row.attempt),
            (row.status, row.hold, row.lease_token is not None, row.claims, row.error_code, row.content.data["nonce"]),
            tuple(None if date is None else hours(date - now) for date in dates),
        )

    @invariant()
    def is_as_modelled(self) -> None:
        for uuid, record in self.models.items():
            assert self.seen(uuid) == self.comparable(record), uuid
        assert Record.objects.count() == len(self.models)

    @invariant()
    def invariants_hold(self) -> None:
        evidence = self.evidence()
        checks = (verify.no_loss, verify.conservation, verify.effects, verify.order)
        assert [fault for check in checks for fault in check(evidence)] == []

    def evidence(self) -> Evidence:
        keys: dict[str, set[str]] = {}
        for key in self.sink.keys:
            keys.setdefault(key.split(":")[0], set()).add(key)
        ledger = [{"act": "insert", "uuid": uuid, "document": document} for uuid, document in self.documents.items()]
        return read(connection.connection, ledger, keys)

    def teardown(self) -> None:
        """Nothing is lost at the end either: what can go on does, and comes to rest."""
        self.answers, self.sink.answer = True, Answer()
        for name in FLOWS:
            if self.named(name) not in self.running:
                self.pause_or_resume_flow(name)
        for _ in range(4):
            self.tick(5.0)
            self.drain()
        self.is_as_modelled()
        self.invariants_hold()
        assert all(record.wake is None for record in self.models.values())


def in_thread() -> int:
    """A drain on a connection of its own."""
    try:
        return execution.drain(60)[0]
    finally:
        connections.close_all()


def hours(span: timedelta) -> float:
    """To the quarter, as a test takes some seconds."""
    return round(span / HOUR * 4) / 4


@contextmanager
def dying(place: str, passing: int) -> Iterator[None]:
    """The worker dies at a place, if it gets there often enough."""
    failpoint, give_back, death = execution.failpoint, execution.give_back, Death(place, passing)
    execution.failpoint = runs.failpoint = death
    execution.give_back = lambda claimed: None if death.left <= 0 else give_back(claimed)  # the dead tidy nothing up
    try:
        yield
    except Killed:
        pass
    finally:
        execution.failpoint = runs.failpoint = failpoint
        execution.give_back = give_back


def test_the_queue_does_what_the_model_says(acme: Tenant, sink: Sink, settings: Any) -> None:
    settings.LEASE_SECONDS = int(model.LEASE * 3600)
    numbers = itertools.count(1)
    run_state_machine_as_test(
        lambda: QueueMachine(acme, sink, next(numbers)), settings=LONG_SETTINGS if IS_LONG else SHORT_SETTINGS
    )


def test_coming_to_rest_again_and_again_without_a_step_is_no_death(acme: Tenant) -> None:
    publish(acme, flow_of("held", hold={"type": "stop", "next": {"resume": "end"}}))
    create_records(acme.caller, [{}], flow_name="held", uuid="held")
    execution.drain()
    for _ in range(model.MOST_CLAIMS + 2):
        change_queue(acme.caller, Act.PAUSE, ["held"])
        change_queue(acme.caller, Act.RESUME, ["held"])
        execution.drain()
    record = Record.objects.get(uuid="held")
    assert (record.status, record.hold, record.error_code, record.claims) == (Status.NOT_RUNNING, Hold.STOPPED, "", 0)


SHORT_SETTINGS = settings(
    max_examples=25,
    stateful_step_count=25,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    phases=[Phase.generate, Phase.shrink],
)
LONG_SETTINGS = settings(SHORT_SETTINGS, max_examples=600, stateful_step_count=50, derandomize=False)
