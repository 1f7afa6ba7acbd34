"""Receivers that do not answer: their own flows wait, and nobody else's."""

import pytest

from tests.faults import report
from tests.faults.conftest import POSTGRESQL, on
from tests.faults.flows import DELIVER, QUICK, STALLED
from tests.faults.house import WORKERS, House
from tests.faults.loader import Load, insert
from tests.faults.report import percentile
from tests.faults.scale import IS_LONG, SCALE
from tests.faults.verify import verify
from tests.server.process import wait_until

pytestmark = pytest.mark.faults

# In the short form few calls fill a worker; the lease is longer than the longest call, as it has to be.
NARROW = {"LEASE_SECONDS": "30"} | ({} if IS_LONG else {"EXTERNAL_CALLS": "8", "EXTERNAL_CALLS_PER_FLOW": "3"})
RECORDS = 100 if IS_LONG else 25
PACE = 0.1 if IS_LONG else 0.02


@on(POSTGRESQL)
def test_f14_two_stalled_receivers_hold_up_nobody_else(house: House) -> None:
    house.replace(*WORKERS, **NARROW)
    run_beside(house, "first")  # while workers begin, everything waits
    run_beside(house, "before")
    house.receiver.stalled = "f14-stalled"
    for number in range(SCALE.stalled):
        for name in STALLED:
            insert(house, f"f14-{name}-{number}", flow=name)
    wait_until(lambda: house.receiver.keys_of("f14-stalled-one-0"), 30)
    wait_until(lambda: house.receiver.keys_of("f14-stalled-two-0"), 30)
    run_beside(house, "during")
    waiting = [sum(house.statuses(f"f14-{name}").get(status, 0) for status in (0, 1)) for name in STALLED]
    house.receiver.released.set()
    house.settle(SCALE.patience + SCALE.stalled / 5)
    house.replace(*WORKERS)
    assert min(waiting) > 0
    for flow in (QUICK, DELIVER):
        before, during = (percentile(house.waited(f"f14-{when}-{flow}"), 0.99) for when in ("before", "during"))
        report.note(
            f"F14 two stalled receivers, {SCALE.stalled} calls each",
            others=flow,
            records=RECORDS,
            ratio_of_p99=during / before,
        )
    verify(house)


def run_beside(house: House, when: str) -> None:
    """Records of other flows, to their end."""
    for flow in (QUICK, DELIVER):
        with Load(house, f"f14-{when}-{flow}", flow=flow, total=RECORDS, pace=PACE):
            pass
        wait_until(lambda: house.statuses(f"f14-{when}-{flow}") == {2: RECORDS}, SCALE.patience)  # noqa: B023
