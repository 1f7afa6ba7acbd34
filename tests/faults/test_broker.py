"""A broker that is away, frozen, full or empty: callers do not notice, and every record runs."""

import os
import signal
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.faults import report
from tests.faults.conftest import POSTGRESQL, REDIS, on
from tests.faults.house import WORKERS, House
from tests.faults.loader import Load, insert_many
from tests.faults.report import percentile
from tests.faults.scale import SCALE
from tests.faults.verify import verify
from tests.server.process import wait_until

pytestmark = pytest.mark.faults

# What celery logs of a Redis that is away or full.
AWAY = (
    r"redis\.exceptions\.|kombu\.exceptions\.OperationalError|ConnectionError|ConnectionRefusedError|TimeoutError"
    r"|Couldn't apply scheduled task|'NoneType' object has no attribute 'connection_errors'"
)


def seconds_of(house: House) -> list[float]:
    """How long callers have waited since the last verification."""
    return [answer.seconds for answer in house.answers]


@on(REDIS)
def test_f05_redis_is_away_and_comes_back(house: House) -> None:
    with Load(house, "f05", pace=0.05) as load:
        time.sleep(1)
        before = seconds_of(house)
        house.redis.kill()
        time.sleep(SCALE.outage)
        during = seconds_of(house)[len(before) :]
        house.redis.start()
        time.sleep(1)
    settled = house.settle()
    assert house.statuses("f05-") == {2: len(load.uuids)}
    report.note(
        "F05 Redis away",
        seconds=SCALE.outage,
        records=len(load.uuids),
        ratio_of_p50=percentile(during, 0.5) / percentile(before, 0.5),
        seconds_to_rest=settled,
    )
    verify(house, injected=AWAY)


@on(POSTGRESQL, REDIS)
def test_f06_the_broker_forgets_everything(house: House) -> None:
    house.end_workers()
    uuids = insert_many(house, SCALE.queued)
    forgotten = house.forget_messages()
    for name in WORKERS:
        house.start(name)
    began = time.monotonic()
    wait_until(lambda: house.count_in(uuids, 2) > 0, SCALE.patience)
    moving = time.monotonic() - began
    wait_until(lambda: house.count_in(uuids, 2) == len(uuids), SCALE.queued / 10 + SCALE.patience)
    report.note(
        f"F06 everything forgotten, {house.broker}",
        queued=len(uuids),
        run=house.count_in(uuids, 2),
        messages_forgotten=forgotten,
        seconds_until_the_first_is_done=moving,
        seconds_until_all_are_done=time.monotonic() - began,
    )
    house.settle()
    verify(house)


@on(REDIS)
def test_f07_redis_is_frozen(house: House) -> None:
    with Load(house, "f07", pace=0.05) as load:
        time.sleep(1)
        before = seconds_of(house)
        for pid in house.redis.process.members():
            os.kill(pid, signal.SIGSTOP)
        try:
            time.sleep(SCALE.outage)
            during = seconds_of(house)[len(before) :]
        finally:
            for pid in house.redis.process.members():
                os.kill(pid, signal.SIGCONT)
    settled = house.settle()
    assert len(during) > len(load.uuids) / 10
    assert house.statuses("f07-") == {2: len(load.uuids)}
    report.note(
        "F07 Redis frozen",
        seconds=SCALE.outage,
        records=len(load.uuids),
        ratio_of_p50=percentile(during, 0.5) / percentile(before, 0.5),
        seconds_to_rest=settled,
    )
    verify(house, injected=AWAY)


@on(REDIS)
def test_f35_redis_is_full(house: House) -> None:
    house.redis.command("config", "set", "maxmemory", "1")
    try:
        with Load(house, "f35", pace=0.05) as load:
            time.sleep(SCALE.outage)
    finally:
        house.redis.command("config", "set", "maxmemory", "0")
    settled = house.settle()
    assert house.statuses("f35-") == {2: len(load.uuids)}
    report.note("F35 Redis full", seconds=SCALE.outage, records=len(load.uuids), seconds_to_rest=settled)
    verify(house, injected=rf"{AWAY}|OOM|OutOfMemoryError|when used memory > 'maxmemory'")


@on(REDIS)
def test_f13_doubled_messages_on_redis(house: House) -> None:
    with ThreadPoolExecutor(1) as pool, Load(house, "f13", total=SCALE.queued // 5):
        pool.submit(house.ring, SCALE.queued).result()
    house.settle()
    assert house.statuses("f13-") == {2: SCALE.queued // 5}
    assert house.receiver.doubled("f13-") == 0
    verify(house)
