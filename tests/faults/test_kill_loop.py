"""Processes of every kind are killed at random while callers insert; afterwards everything must hold."""

import random
import time

import pytest

from tests.faults import report
from tests.faults.conftest import POSTGRESQL, REDIS, on
from tests.faults.house import House
from tests.faults.killer import Killer
from tests.faults.loader import Load
from tests.faults.scale import SCALE
from tests.faults.test_broker import AWAY as BROKER_AWAY
from tests.faults.test_database import AWAY as DATABASE_AWAY
from tests.faults.verify import verify
from tests.server.process import wait_until

pytestmark = pytest.mark.faults

SEED = 19


@on(POSTGRESQL, REDIS)
def test_f19_random_kills_under_load(house: House) -> None:
    killer = Killer(house, random.Random(SEED))
    pace = SCALE.kills * SCALE.kill_every / SCALE.killed_records
    with Load(house, "f19", total=SCALE.killed_records, pace=pace) as load:
        for number in range(SCALE.kills):
            time.sleep(SCALE.kill_every)
            inserted = number * SCALE.killed_records // SCALE.kills  # kills are spread over the load
            wait_until(lambda: load.is_done or len(load.uuids) >= inserted, 120)  # noqa: B023
            killer.strike()
        house.revive()
    settled = house.settle(SCALE.patience)
    found = house.statuses("f19-")
    report.note(
        f"F19 kill loop, {house.broker}",
        kills=sum(killer.struck.values()),
        of=dict(killer.struck),
        records=len(load.uuids),
        by_status=found,
        calls_made_twice=house.receiver.doubled("f19-"),
        calls=sum(key.startswith("f19-") for key in house.receiver.counts),
        seconds_from_the_last_kill_to_rest=settled,
    )
    assert sum(found.values()) == len(load.uuids) == SCALE.killed_records
    verify(house, injected=rf"{BROKER_AWAY}|{DATABASE_AWAY}")
