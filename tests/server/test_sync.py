"""Synchronous calls of the shipped server: answered by the flow, whatever happens to those beside them."""

import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.server.installation import Installation, key_headers
from tests.server.process import wait_until
from tests.server.stock import FLOW_NAME

pytestmark = [pytest.mark.server, pytest.mark.xdist_group("server")]

MAKE = (
    "from apps.accounts.models import Workspace; from apps.triggers.url_triggers import register_url;"
    "print(register_url(Workspace.objects.get(project_id={project}, api_host=''), name='sync-{number}', kind='sync',"
    " flow='{flow}', seconds=20, rate_limit=0).secret)"
)


@pytest.fixture(scope="module")
def secrets() -> dict[str, str]:
    return {}


@pytest.fixture
def call(shipped: Installation, secrets: dict[str, str]) -> Any:
    """Calls a Sync URL whose flow takes ``delay`` seconds."""
    if not secrets:
        line = MAKE.format(project=shipped.acme["project_id"], number=1, flow=FLOW_NAME)
        secrets["sync"] = shipped.manage("shell", "--no-imports", "-c", line).strip()
    shipped.call("DELETE", "/v1/schema", key_headers(shipped.acme))  # whatever another test has left there

    def call(delay: float, **headers: str) -> Any:
        return shipped.call("POST", f"/v1/url/{secrets['sync']}", headers, {"client": [], "delay": delay})

    return call


def test_calls_that_wait_leave_threads_for_others(shipped: Installation, call: Any) -> None:
    with ThreadPoolExecutor(40) as pool:
        waiting = [pool.submit(call, 3) for _ in range(40)]
        time.sleep(1)
        for _ in range(5):
            assert shipped.call("GET", "/v1/record/search", key_headers(shipped.acme)).status_code == 200
        answers = [future.result() for future in waiting]
    found = Counter(answer.status_code for answer in answers)
    assert set(found) <= {200, 202}
    assert found[200] >= 8
    assert found[202] >= 1  # two processes let eight wait each
    uuids = [answer.json()["resource"]["uuid"] for answer in answers]
    assert len(set(uuids)) == 40
    shipped.wait_finished(*uuids, seconds=40)
    done = next(answer.json()["resource"] for answer in answers if answer.status_code == 200)
    assert (done["status"], done["data"]["progress"]) == ("Finished", "after")


def test_connections_that_end_do_not_end_the_wait(shipped: Installation, call: Any) -> None:
    with ThreadPoolExecutor(6) as pool:
        waiting = [pool.submit(call, 2, **{"Idempotency-Key": f"cut-{number}"}) for number in range(6)]
        wait_until(lambda: shipped.database.rows("SELECT count(*) FROM applications_givenanswer")[0][0] >= 6, 10)
        for _ in range(3):
            shipped.database.end_connections()
            time.sleep(0.3)
        answers = [future.result() for future in waiting]
    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.json()["resource"]["uuid"] for answer in answers}) == 6
