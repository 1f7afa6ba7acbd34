"""Workers that die, stall or are told to end in the middle of a record's work."""

import os
import signal
import time

import pytest

from tests.faults import report
from tests.faults.conftest import POSTGRESQL, REDIS, on
from tests.faults.house import WORKERS, House
from tests.faults.loader import Load, insert
from tests.faults.receiver import kill
from tests.faults.scale import SCALE
from tests.faults.verify import verify
from tests.server.process import wait_until

pytestmark = pytest.mark.faults

SHORT_CALL = 2.0
WHOLE_TRACE = [(1, "start"), (2, "before"), (3, "tell"), (4, "after"), (5, "end")]


def begin(house: House, uuid: str, delay: float = SHORT_CALL) -> None:
    """A record whose call is under way when this returns."""
    insert(house, uuid, delay=delay)
    wait_until(lambda: house.receiver.keys_of(uuid), 30)


def assert_told_twice_with_one_key(house: House, uuid: str) -> None:
    """The record went on where it stood, and its receiver could tell that it was the same call."""
    assert house.receiver.keys_of(uuid) == [f"{uuid}:1:3"] * 2
    assert house.trace_of(uuid) == WHOLE_TRACE
    assert house.statuses(uuid) == {2: 1}


@on(POSTGRESQL)
def test_f01_child_killed_in_a_call(house: House) -> None:
    begin(house, "f01")
    house.kill_holder("f01")
    settled = house.settle()
    assert_told_twice_with_one_key(house, "f01")
    report.note("F01 worker child killed in a call", seconds_to_rest=settled)
    verify(house)


@on(POSTGRESQL, REDIS)
def test_f02_whole_worker_killed_while_the_other_lives(house: House) -> None:
    begin(house, "f02")
    house.kill(house.worker_of(house.holder("f02")))
    settled = house.settle()
    assert_told_twice_with_one_key(house, "f02")
    report.note(f"F02 whole worker killed, {house.broker}", seconds_to_rest=settled)
    verify(house)


@on(POSTGRESQL)
def test_f03_killed_between_the_answer_and_writing_it_down(house: House) -> None:
    asleep: list[int] = []
    house.receiver.strike["f03"] = lambda: kill(asleep[0])
    begin(house, "f03", delay=2)
    asleep.append(house.stop_holder("f03"))  # or it might be quicker than the strike
    wait_until(lambda: not house.receiver.strike, 10)
    house.settle()
    assert_told_twice_with_one_key(house, "f03")
    verify(house)


@on(POSTGRESQL)
def test_killed_right_after_the_claim(house: House) -> None:
    uuids = [f"claimed-{number}" for number in range(3)]
    house.replace(*WORKERS, FLOWIZE_FAILPOINTS="after-claim=kill")
    for uuid in uuids:
        insert(house, uuid)
    claimed = "SELECT min(claims) FROM records_record WHERE uuid = ANY(%s)"
    wait_until(lambda: house.database.rows(claimed, uuids)[0][0] > 0, 60)
    assert_unharmed_by_deaths(house, uuids, deaths=1)


@on(POSTGRESQL)
def test_killed_at_each_other_place(house: House) -> None:
    places = ["before-walk", "before-effect", "after-effect", "before-checkpoint", "after-checkpoint"]
    house.replace(*WORKERS, FLOWIZE_FAILPOINTS=",".join(f"{place}@{place}=kill" for place in places))
    for place in places:
        insert(house, place)
    assert_unharmed_by_deaths(house, places, deaths=len(places))


def assert_unharmed_by_deaths(house: House, uuids: list[str], deaths: int) -> None:
    """After that many deaths of children healthy workers take over, and bring every record to its end."""
    wait_until(lambda: house.logs_of(*WORKERS).count("exited with 'signal 9 (SIGKILL)'") >= deaths, 60)
    house.replace(*WORKERS)
    house.settle()
    assert [house.trace_of(uuid) for uuid in uuids] == [WHOLE_TRACE] * len(uuids)
    verify(house)


@on(POSTGRESQL, REDIS)
def test_idle_children_are_killed_and_those_that_follow_them_work(house: House) -> None:
    """The one that is killed while it waits for a task takes nothing along that others wait for."""
    for _ in range(2):
        for pid in [pid for name in WORKERS for pid in house.children(name)]:
            kill(pid)
        time.sleep(1.5)
    house.start_the_dead()  # celery gives up when all die before it has seen one live
    with Load(house, "idle-died", total=20):
        pass
    house.settle()
    assert house.statuses("idle-died-") == {2: 20}
    verify(house)


@on(POSTGRESQL)
def test_f15_poisoned_records_are_set_aside_and_take_nobody_along(house: House) -> None:
    limit = 8 * 1024**3
    orders = "before-walk@f15-raise=raise,before-walk@f15-exit=exit,before-walk@f15-allocate=allocate:64e9"
    house.replace(*WORKERS, FLOWIZE_FAILPOINTS=orders, LEASE_SECONDS=str(SCALE.lease // 2))
    for name in WORKERS:
        house.limit_memory(name, limit)
    house.set_flow("paused")
    poisoned = ["f15-raise", "f15-exit", "f15-allocate"]
    healthy = [f"f15-healthy-{number}" for number in range(20)]
    for uuid in [*healthy[:10], *poisoned, *healthy[10:]]:
        insert(house, uuid)
    house.set_flow("running")
    wait_until(lambda: house.statuses("f15-") == {2: 20, 3: 3}, 5 * SCALE.lease + SCALE.patience)
    reasons = house.database.rows(
        "SELECT uuid, error_code, error_text FROM records_record WHERE uuid = ANY(%s) ORDER BY uuid", poisoned
    )
    house.replace(*WORKERS)
    house.settle()
    assert reasons == [
        ("f15-allocate", "defect", "The platform could not run this record (MemoryError)."),
        ("f15-exit", "crash_loop", "The record ended its worker three times and was set aside."),
        ("f15-raise", "defect", "The platform could not run this record (RuntimeError)."),
    ]
    assert house.attempts_of(healthy) == {1}
    report.note("F15 poisoned records", set_aside=3, batch_mates_finished=20)
    verify(house, injected="^RuntimeError: failpoint|^MemoryError")


@on(POSTGRESQL)
def test_f22_told_to_end_and_killed_before_the_call_is_over(house: House) -> None:
    begin(house, "f22", delay=6)
    worker = house.worker_of(house.holder("f22"))
    house.serving[worker].ask_to_end()
    time.sleep(1)
    house.kill(worker)
    house.settle()
    assert_told_twice_with_one_key(house, "f22")
    verify(house)


@on(POSTGRESQL)
def test_f22_told_to_end_it_hands_back_what_takes_too_long(house: House) -> None:
    house.replace(*WORKERS, WORKER_SHUTDOWN_SECONDS="1", LEASE_SECONDS="120")
    begin(house, "f22-long", delay=9)
    holder = house.holder("f22-long")
    house.end(house.worker_of(holder))
    still_leased = "SELECT 1 FROM records_record WHERE uuid = 'f22-long' AND leased_by LIKE %s"
    left = house.database.rows(still_leased, f"%:{holder}")
    house.settle()
    house.replace(*(name for name in WORKERS if name in house.serving))
    assert left == []
    assert_told_twice_with_one_key(house, "f22-long")
    verify(house)


@on(POSTGRESQL)
def test_f30_a_worker_that_wakes_after_its_lease_writes_nothing(house: House) -> None:
    begin(house, "f30", delay=1)
    asleep = house.stop_holder("f30")
    try:
        wait_until(lambda: house.statuses("f30") == {2: 1}, SCALE.lease + SCALE.patience)
        before = house.row_of("f30")
    finally:
        os.kill(asleep, signal.SIGCONT)
    wait_until(lambda: '"event": "lease lost"' in house.logs_of(*WORKERS), 20)
    assert house.row_of("f30") == before
    assert_told_twice_with_one_key(house, "f30")
    verify(house)


@on(POSTGRESQL)
def test_f13_doubled_messages_run_nothing_twice(house: House) -> None:
    with Load(house, "f13", total=SCALE.queued // 5):
        house.ring(SCALE.queued)
    settled = house.settle()
    assert house.statuses("f13") == {2: SCALE.queued // 5}
    assert house.receiver.doubled("f13") == 0
    report.note("F13 messages doubled", messages=SCALE.queued, records=SCALE.queued // 5, seconds_to_rest=settled)
    verify(house)


@on(POSTGRESQL)
def test_kill_of_every_process_at_once(house: House) -> None:
    with house.outage(0), Load(house, "all-die", total=20, pace=0.1):
        time.sleep(0.7)
        for process in house.serving.values():
            for pid in process.members():
                kill(pid)
        wait_until(lambda: not any(process.is_running for process in house.serving.values()), 10)
        house.revive()
    house.settle()
    assert house.statuses("all-die") == {2: 20}
    verify(house)
