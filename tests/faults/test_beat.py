"""Without the clock, with two clocks, and with very much due at one moment."""

import time
from datetime import UTC, datetime, timedelta

import pytest

from tests.faults import report
from tests.faults.conftest import POSTGRESQL, on
from tests.faults.flows import QUICK, WAITING
from tests.faults.house import House
from tests.faults.loader import Load, insert, insert_many
from tests.faults.report import percentile
from tests.faults.scale import SCALE
from tests.faults.verify import verify
from tests.server.process import wait_until

pytestmark = pytest.mark.faults


def in_seconds(seconds: float) -> str:
    """That moment, as callers name it."""
    return (datetime.now(UTC) + timedelta(seconds=seconds)).isoformat(timespec="seconds")


@on(POSTGRESQL)
def test_f17_beat_is_dead_for_a_while(house: House) -> None:
    house.kill("beat")
    insert(house, "f17-now")
    wait_until(lambda: house.statuses("f17-now") == {2: 1}, SCALE.patience)
    insert(house, "f17-later", at=in_seconds(1))
    insert(house, "f17-waits", flow=WAITING)
    wait_until(lambda: house.statuses("f17-") == {2: 3}, SCALE.patience)
    time.sleep(SCALE.outage)
    house.start("beat")
    house.settle()
    assert house.statuses("f17-") == {2: 3}
    assert house.attempts_of(["f17-now", "f17-later"]) == {1}
    report.note("F17 beat dead", seconds=SCALE.outage, due_records_ran_meanwhile=3)
    verify(house)


@on(POSTGRESQL)
def test_workers_tell_each_other_nothing_that_the_broker_in_the_database_does_not_know(house: House) -> None:
    """Celery would keep each such event for later, and one comes every two seconds."""
    seen = house.server.server.log.stat().st_size
    time.sleep(5)
    said = house.server.server.log.read_text()[seen:]
    assert "does not exist" not in said


@on(POSTGRESQL)
def test_f18_two_beats(house: House) -> None:
    second = house.launch("beat", FLOWIZE_HOME=str(house.home / "second"))
    try:
        with Load(house, "f18", total=60, pace=0.03):
            pass
        uuids = insert_many(house, 100, at=in_seconds(2))
        house.settle()
    finally:
        second.kill()
    assert house.statuses("f18-") == {2: 60}
    assert house.count_in(uuids, 2) == 100
    assert house.attempts_of(uuids) == {1}
    assert house.receiver.doubled("f18-") == 0
    verify(house)


@on(POSTGRESQL)
def test_f32_very_many_due_at_one_moment(house: House) -> None:
    with Load(house, "f32-alone", flow=QUICK, total=40, threads=2):
        pass
    alone = [answer.seconds for answer in house.answers]
    ahead = 3 + SCALE.queued / 500
    due = time.time() + ahead
    uuids = insert_many(house, SCALE.queued, at=in_seconds(ahead))
    assert time.time() < due
    house.answers.clear()
    time.sleep(max(0.0, due - time.time()))
    with Load(house, "f32-beside", flow=QUICK, threads=2) as beside:
        wait_until(lambda: house.count_in(uuids, 2) == len(uuids), SCALE.queued / 10 + SCALE.patience)
    crowd = [answer.seconds for answer in house.answers]
    house.settle()
    assert house.attempts_of(uuids) == {1}
    assert house.statuses("f32-beside") == {2: len(beside.uuids)}
    report.note(
        "F32 due at one moment",
        records=len(uuids),
        seconds_until_all_are_done=time.time() - due,
        ratio_of_API_p99=percentile(crowd, 0.99) / percentile(alone, 0.99),
    )
    verify(house)
