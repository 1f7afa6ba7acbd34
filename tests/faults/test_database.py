"""A database that restarts, crashes or drops connections: a 503 in the gap, and nothing of ours is restarted."""

import random
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.faults import report
from tests.faults.conftest import POSTGRESQL, REDIS, on
from tests.faults.flows import OTHER, WAITING
from tests.faults.house import GRACE, House
from tests.faults.loader import Load, ask, insert
from tests.faults.scale import IS_LONG
from tests.faults.verify import verify
from tests.server.installation import key_headers

pytestmark = pytest.mark.faults

# What is logged of a database that is away: a statement that failed, or a connection that could not be made.
AWAY = (
    r"OperationalError|InterfaceError|AdminShutdown|CrashShutdown|CannotConnectNow|PoolTimeout|PoolClosed"
    r"|Couldn't apply scheduled task|couldn't get a connection|consuming input failed"
    r"|the connection is (closed|lost)|terminating connection"
)
UNAVAILABLE = 503


def pids(house: House) -> dict[str, int]:
    """The process numbers of what serves."""
    return {name: process.pid for name, process in house.serving.items()}


@on(POSTGRESQL)
def test_f08_restart_in_order_under_load(house: House) -> None:
    restart_under_load(house, "fast")


@on(POSTGRESQL, REDIS)
def test_f08_crash_under_load(house: House) -> None:
    restart_under_load(house, "immediate")


def restart_under_load(house: House, mode: str) -> None:
    """Callers get 503 while it is away, and what is ours stays and goes on."""
    before = pids(house)
    name = f"f08-{mode}"
    with Load(house, name, pace=0.03) as load:
        time.sleep(1.5)
        with house.outage(UNAVAILABLE):
            house.server.restart(mode, away=10 if IS_LONG else 1)
        time.sleep(GRACE + 2)  # what comes after the grace may not fail
    refused = sum(answer.status == UNAVAILABLE for answer in house.answers)
    settled = house.settle()
    assert house.statuses(f"{name}-") == {2: len(load.uuids)}
    assert pids(house) == before
    assert all(process.is_running for process in house.serving.values())
    report.note(
        f"F08 database restart {mode}, {house.broker}",
        records=len(load.uuids),
        answers_503=refused,
        seconds_to_rest=settled,
    )
    verify(house, injected=AWAY)


@on(POSTGRESQL)
def test_f09_connections_end_all_the_time(house: House) -> None:
    dice, ended = random.Random(9), 0
    with house.outage(UNAVAILABLE), Load(house, "f09", pace=0.02) as load:
        deadline = time.monotonic() + (30 if IS_LONG else 4)
        while time.monotonic() < deadline:
            time.sleep(0.2)
            ended += house.end_a_connection(dice)
    refused = sum(answer.status == UNAVAILABLE for answer in house.answers)
    house.settle()
    assert ended > 5
    assert house.statuses("f09-") == {2: len(load.uuids)}
    report.note("F09 connections ended", ended=ended, records=len(load.uuids), answers_503=refused)
    verify(house, injected=AWAY)


@on(POSTGRESQL)
def test_f16_acts_on_the_same_records_in_opposite_orders(house: House) -> None:
    uuids = [f"f16-{number}" for number in range(12)]
    for uuid in uuids:
        insert(house, uuid, flow=WAITING)
    acts = [
        ("/v1/record/changestatus", {"X-Queue-Status": "pause-queue"}, uuids),
        ("/v1/record/movetoflow", {"X-MoveToFlow-Flow": OTHER}, uuids[::-1]),
        ("/v1/record/changestatus", {"X-Queue-Status": "execute-queue"}, uuids[::-1]),
        ("/v1/record/movetoflow", {"X-MoveToFlow-Flow": WAITING}, uuids),
        ("/v1/record/changestatus", {"X-Queue-Status": "resume-queue"}, uuids),
    ]
    start = threading.Barrier(len(acts))

    def act(path: str, headers: dict[str, str], which: list[str]) -> list[int]:
        start.wait()
        return [ask(house, "PUT", path, key_headers(house.acme) | headers, which) for _ in range(20)]

    with ThreadPoolExecutor(len(acts)) as pool:
        statuses = {status for found in pool.map(lambda of: act(*of), acts) for status in found}
    for uuid in uuids[:3]:
        house.delete(uuid)
    ask(house, "PUT", *acts[4][:1], key_headers(house.acme) | acts[4][1], uuids)
    house.settle()
    assert statuses <= {200, 402}, statuses
    assert sum(house.statuses("f16-").values()) == len(uuids) - 3
    assert house.database.rows("SELECT deadlocks FROM pg_stat_database WHERE datname = %s", house.database.name) == [
        (0,)
    ]
    verify(house)
