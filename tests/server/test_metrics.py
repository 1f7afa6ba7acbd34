"""The numbers are those of all processes, whichever answers."""

import re
import time

import pytest

from tests.server.installation import Installation
from tests.server.process import wait_until

pytestmark = [pytest.mark.server, pytest.mark.xdist_group("server")]

COUNT = 24
WATCHED = {
    "created": r"^flowize_records_created_total (\S+)$",
    "finished": r'^flowize_records_ended_total\{status="finished"\} (\S+)$',
    "answered": r'^flowize_http_requests_total\{method="POST",route="/v1/record",status="2xx"\} (\S+)$',
    "called": r'^flowize_external_calls_total\{app="core.http",outcome="ok"\} (\S+)$',
}


def numbers(shipped: Installation) -> dict[str, float]:
    """What one scrape says."""
    answer = shipped.call("GET", "/metrics")
    assert answer.status_code == 200
    found = {name: re.search(pattern, answer.text, re.MULTILINE) for name, pattern in WATCHED.items()}
    return {name: float(match[1]) if match else 0.0 for name, match in found.items()}


def settled(shipped: Installation) -> dict[str, float]:
    """The numbers once every process has carried its own to the others."""
    seen: list[dict[str, float]] = []

    def the_same_for_a_while() -> bool:
        time.sleep(0.35)
        seen.append(numbers(shipped))
        return len(seen) > 8 and all(one == seen[-1] for one in seen[-8:])

    wait_until(the_same_for_a_while, 30)
    return seen[-1]


def test_two_web_processes_and_two_workers_count_together(shipped: Installation) -> None:
    before = settled(shipped)
    uuids = [f"counted-{number}" for number in range(COUNT)]
    for uuid in uuids:
        assert shipped.insert(uuid).status_code == 201
    shipped.wait_finished(*uuids)
    after = settled(shipped)
    assert {name: after[name] - before[name] for name in WATCHED} == dict.fromkeys(WATCHED, COUNT)


def test_processes_that_end_leave_their_numbers_behind(shipped: Installation) -> None:
    before = settled(shipped)
    for number in range(4):
        assert shipped.insert(f"left-behind-{number}").status_code == 201
    shipped.wait_finished(*(f"left-behind-{number}" for number in range(4)))
    shipped.end("web")
    shipped.end("worker")
    shipped.start("web", "worker")
    shipped.wait_ready()
    after = settled(shipped)
    assert {name: after[name] - before[name] for name in WATCHED} == dict.fromkeys(WATCHED, 4)
