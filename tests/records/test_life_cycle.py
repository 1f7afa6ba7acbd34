"""Every state and every act: the table in the code is what the database does and what the documentation says."""

import re
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from django.utils import timezone

from apps.core.errors import Forbidden, NothingChanged
from apps.records.changing import delete_record, update_records
from apps.records.life_cycle import TABLE, Act, QueueState, refusal, state_of
from apps.records.models import Hold, Record, RecordData, RecordField, RecordStep, Status
from apps.records.moving import move_records
from apps.records.queueing import QUEUE_ACTS, change_queue, review_records
from tests.conftest import STRAIGHT_FLOW, Tenant, publish
from tests.records.conftest import ADULT, insert

AHEAD = timedelta(hours=1)

# The columns that make each state; two where a state has several shapes.
SHAPES: dict[str, tuple[QueueState, dict[str, Any]]] = {
    "new": (QueueState.NEW, {"status": 0, "wake_at": -AHEAD}),
    "expired": (QueueState.NEW, {"status": 1, "wake_at": -AHEAD, "lease_token": uuid4(), "leased_by": "dead"}),
    "processing": (QueueState.PROCESSING, {"status": 1, "wake_at": AHEAD, "lease_token": uuid4(), "leased_by": "w"}),
    "paused, date ahead": (QueueState.PAUSED, {"status": 0, "hold": 1, "wake_at": None, "saved_wake_at": AHEAD}),
    "paused, date over": (QueueState.PAUSED, {"status": 0, "hold": 1, "wake_at": None, "saved_wake_at": -AHEAD}),
    "paused, no date": (QueueState.PAUSED, {"status": 0, "hold": 1, "wake_at": None}),
    "error": (QueueState.ERROR, {"status": 3, "hold": 4, "wake_at": None, "error_code": "http.500", "attempt": 4}),
    "scheduled": (QueueState.SCHEDULED, {"status": 4, "wake_at": AHEAD, "attempt": 2}),
    "stopped": (QueueState.WAITING, {"status": 0, "hold": 2, "wake_at": None}),
    "stopped with a timeout": (QueueState.WAITING, {"status": 0, "hold": 2, "wake_at": AHEAD}),
    "waiting": (QueueState.WAITING, {"status": 0, "hold": 3, "wake_at": None}),
    "finished": (QueueState.NONE, {"status": 2, "wake_at": None}),
    "handled": (QueueState.NONE, {"status": 6, "wake_at": None}),
    "reviewed": (QueueState.NONE, {"status": 5, "wake_at": None}),
    "taken out": (QueueState.NONE, {"status": 0, "wake_at": None}),
    "failed and taken out": (QueueState.NONE, {"status": 3, "wake_at": None, "error_code": "http.500"}),
}


def do(act: Act, tenant: Tenant, uuid: str) -> Any:
    if act is Act.MOVE:
        return move_records(tenant.caller, "other", [uuid]).results
    if act is Act.UPDATE:
        return update_records(tenant.caller, [uuid], [{"new": True}])
    if act is Act.DELETE:
        return delete_record(tenant.caller, uuid)
    if act is Act.REVIEW:
        return review_records(tenant.caller, [uuid])
    return change_queue(tenant.caller, act, [uuid])


def rows_of(record: Record) -> dict[str, Any]:
    """All that is stored of a record."""
    return {
        "record": Record.objects.filter(pk=record.pk).values().first(),
        "data": RecordData.objects.filter(pk=record.pk).values().first(),
        "steps": list(RecordStep.objects.filter(record=record).values()),
        "fields": list(RecordField.objects.filter(record_id=record.pk).values("field_id", "value")),
    }


@pytest.fixture
def shaped(acme: Tenant) -> Callable[[str], Record]:
    """A record in one of the shapes, half way through its flow."""
    publish(acme, STRAIGHT_FLOW | {"name": "other"})

    def make(shape: str) -> Record:
        record = insert(acme, uuid="r-1")
        columns = SHAPES[shape][1]
        moments = {
            key: timezone.now() + value if isinstance(value, timedelta) else value for key, value in columns.items()
        }
        base = {"at": "accept", "seq": 2, "entered_at": timezone.now(), "run_no": 3, "claims": 1}
        Record.objects.filter(pk=record.pk).update(**(base | moments))
        RecordData.objects.filter(pk=record.pk).update(vars={"crm": 1}, state={"executions": {"accept": 1}})
        RecordStep.objects.create(
            record=record, run_no=3, seq=1, attempt=1, object="start", type="start", started_at=timezone.now(), ms=1
        )
        record.refresh_from_db()
        return record

    return make


def stored_state(record: Record) -> QueueState:
    return state_of(record.status, record.hold, record.wake_at, timezone.now())


@pytest.mark.parametrize("act", Act, ids=lambda act: act.word)
@pytest.mark.parametrize("shape", SHAPES)
def test_every_act_in_every_state(acme: Tenant, shaped: Callable[[str], Record], shape: str, act: Act) -> None:
    record, state = shaped(shape), SHAPES[shape][0]
    before = rows_of(record)
    assert stored_state(record) is state
    if state not in TABLE[act]:
        with pytest.raises((NothingChanged, Forbidden)):
            do(act, acme, "r-1")
        assert rows_of(record) == before
        return
    do(act, acme, "r-1")
    after = rows_of(record)
    if act is Act.DELETE:
        assert after == {"record": None, "data": None, "steps": [], "fields": []}
        return
    record.refresh_from_db()
    assert stored_state(record) in TABLE[act][state]
    assert (record.lease_token, record.leased_by) == (None, "")
    assert after["steps"] == before["steps"]
    assert (after["data"]["data"] == before["data"]["data"]) is (act is not Act.UPDATE)


EVERY_CELL = [(state, act) for state in QueueState for act in Act]


def test_every_state_has_a_shape_and_every_act_a_row() -> None:
    assert {state for state, _ in SHAPES.values()} == set(QueueState)
    assert set(TABLE) == set(Act)
    assert set(QUEUE_ACTS) == {
        "pause-queue",
        "resume-queue",
        "execute-queue",
        "delete-from-queue",
        "resume-and-continue",
    }


@pytest.mark.parametrize(("state", "act"), EVERY_CELL, ids=lambda item: item.name)
def test_a_refusal_says_why(state: QueueState, act: Act) -> None:
    reason = refusal(act, state)
    assert (reason == "") is (state in TABLE[act])
    if state is QueueState.PROCESSING:
        assert reason == f"Data record cannot be {act.past}: it is being used"


def test_the_documentation_shows_the_same_table() -> None:
    page = (Path(__file__).resolve().parents[2] / "docs" / "records.md").read_text().splitlines()
    start = next(number for number, line in enumerate(page) if line.startswith("| Queue status |"))
    acts = [cell.strip(" `") for cell in page[start].strip("|").split("|")[1:]]
    shown: dict[tuple[str, str], str] = {}
    for line in page[start + 2 :]:
        if not line.startswith("|"):
            break
        state, *cells = (cell.strip() for cell in line.strip("|").split("|"))
        shown |= {(state, act): cell for act, cell in zip(acts, cells, strict=True)}
    expected = {}
    for act, row in TABLE.items():
        for state in QueueState:
            word = "refused" if state not in row else " or ".join(to.label or "none" for to in row[state]) or "gone"
            expected[state.label or "none", act.word] = "as it is" if act is Act.UPDATE and word != "refused" else word
    assert shown == expected


# --- What exactly each act writes -------------------------------------------------------------------------------


def after(acme: Tenant, record: Record, act: Act) -> Record:
    do(act, acme, record.uuid)
    record.refresh_from_db()
    return record


@pytest.mark.parametrize("shape", ["new", "scheduled", "stopped with a timeout"])
def test_a_paused_record_keeps_its_date_and_gets_it_back(
    acme: Tenant, shaped: Callable[[str], Record], shape: str
) -> None:
    record = shaped(shape)
    date = record.wake_at
    record = after(acme, record, Act.PAUSE)
    assert (record.status, record.hold, record.wake_at, record.saved_wake_at) == (0, Hold.PAUSED, None, date)
    record = after(acme, record, Act.RESUME)
    assert record.saved_wake_at is None
    if shape == "new":
        assert (record.status, record.wake_at <= timezone.now()) == (Status.NOT_RUNNING, True)
    else:
        assert (record.status, record.wake_at) == (Status.SCHEDULED, date)
    assert (record.entered_at is not None, record.attempt) == (True, 2 if shape == "scheduled" else 1)


def test_taking_out_keeps_status_and_document(acme: Tenant, shaped: Callable[[str], Record]) -> None:
    record = after(acme, shaped("error"), Act.DEQUEUE)
    assert (record.status, record.hold, record.wake_at, record.error_code) == (3, 0, None, "http.500")
    assert record.content.data == ADULT


def test_a_scheduled_record_that_is_taken_out_stays_scheduled_by_status(
    acme: Tenant, shaped: Callable[[str], Record]
) -> None:
    record = after(acme, shaped("scheduled"), Act.DEQUEUE)
    assert (record.status, record.wake_at, stored_state(record)) == (Status.SCHEDULED, None, QueueState.NONE)


def test_review_sets_the_record_aside(acme: Tenant, shaped: Callable[[str], Record]) -> None:
    record = after(acme, shaped("error"), Act.REVIEW)
    assert (record.status, record.hold, record.error_code) == (Status.REVIEWED, 0, "http.500")


def test_continuing_begins_the_failed_object_anew(acme: Tenant, shaped: Callable[[str], Record]) -> None:
    record = after(acme, shaped("error"), Act.CONTINUE)
    assert (record.status, record.hold, record.at, record.run_no, record.seq) == (0, 0, "accept", 3, 2)
    assert (record.attempt, record.claims, record.entered_at, record.error_code) == (1, 0, None, "")
    assert record.content.state == {"executions": {"accept": 1}}


@pytest.mark.parametrize("code", ["loop_guard", "max_steps"])
def test_continuing_after_a_guard_is_a_new_run(acme: Tenant, shaped: Callable[[str], Record], code: str) -> None:
    record = shaped("error")
    Record.objects.filter(pk=record.pk).update(error_code=code, seq=1000)
    record = after(acme, record, Act.CONTINUE)
    assert (record.at, record.run_no, record.seq, record.content.state) == ("accept", 4, 0, {})
    assert record.content.vars == {"crm": 1}


@pytest.mark.parametrize(("attempt", "seq"), [(1, 2), (2, 3)])
def test_continuing_what_was_set_aside_between_attempts_is_a_step_of_its_own(
    acme: Tenant, shaped: Callable[[str], Record], attempt: int, seq: int
) -> None:
    record = shaped("error")
    Record.objects.filter(pk=record.pk).update(error_code="crash_loop", attempt=attempt)
    assert after(acme, record, Act.CONTINUE).seq == seq


def test_moving_begins_a_new_run(acme: Tenant, shaped: Callable[[str], Record]) -> None:
    record = after(acme, shaped("error"), Act.MOVE)
    other = acme.workspace.flows.get(name="other")
    assert (record.flow, record.flow_version) == (other, other.live_version)
    assert (record.status, record.hold, record.at, record.run_no, record.seq, record.attempt) == (0, 0, "", 4, 0, 1)
    assert (record.claims, record.entered_at, record.error_code, record.error_text) == (0, None, "", "")
    assert (record.content.data, record.content.vars, record.content.state) == (ADULT, {}, {})


def test_an_update_counts_and_leaves_the_place(acme: Tenant, shaped: Callable[[str], Record]) -> None:
    record = shaped("stopped")
    before = Record.objects.filter(pk=record.pk).values().get()
    after(acme, record, Act.UPDATE)
    assert Record.objects.filter(pk=record.pk).values().get() == before | {"revision": 1}
    assert RecordData.objects.filter(pk=record.pk).values("data", "vars", "revision").get() == {
        "data": {"new": True},
        "vars": {"crm": 1},
        "revision": 1,
    }


def test_words_are_named_once() -> None:
    words = [act.word for act in Act]
    assert len(set(words)) == len(words)
    assert all(re.fullmatch(r"[a-z-]+", word) for word in words)
