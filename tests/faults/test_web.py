"""Web processes that die: a caller without an answer may ask again, and gets one record."""

import random
import time

import pytest

from tests.faults import report
from tests.faults.conftest import POSTGRESQL, on
from tests.faults.house import House
from tests.faults.loader import Load, insert
from tests.faults.receiver import kill
from tests.faults.scale import SCALE
from tests.faults.verify import verify
from tests.server.installation import free_port
from tests.server.process import wait_until

pytestmark = pytest.mark.faults


@on(POSTGRESQL)
def test_f04_killed_in_the_middle_of_requests(house: House) -> None:
    dice = random.Random(4)
    with house.outage(0), Load(house, "f04", pace=0.02) as load:
        for _ in range(4):
            time.sleep(0.7)
            kill(dice.choice(house.children("web")))
        time.sleep(0.5)
    unanswered = sum(answer.status == 0 for answer in house.answers)
    house.settle()
    assert house.statuses("f04-") == {2: len(load.uuids)}
    report.note("F04 web processes killed", kills=4, records=len(load.uuids), requests_without_answer=unanswered)
    verify(house)


@on(POSTGRESQL)
def test_f34_killed_between_the_commit_and_the_bell(house: House) -> None:
    port = free_port()
    web = house.launch("web", PORT=str(port), FLOWIZE_FAILPOINTS="before-nudge=kill")
    try:
        house.wait_ready("/healthz", port)
        began = time.monotonic()
        insert(house, "f34", port=port)  # the second time it is told that the record is there
        wait_until(lambda: house.statuses("f34") == {2: 1}, SCALE.patience)
        seconds = time.monotonic() - began
    finally:
        web.kill()
    report.note("F34 killed before the bell", seconds_to_the_end=seconds)
    verify(house)
