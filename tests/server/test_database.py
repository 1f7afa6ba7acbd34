"""What callers and workers see of a database that restarts: a short 503, then everything as before."""

import threading
import time

import pytest
import requests

from tests.server.installation import Installation, key_headers
from tests.server.process import wait_until

pytestmark = [pytest.mark.server, pytest.mark.xdist_group("server")]

ENVELOPE = {"id", "code", "request-ip", "resource", "message", "error"}


class Callers:
    """Threads that insert and read until told to stop, and keep every answer."""

    def __init__(self, shipped: Installation, count: int) -> None:
        self.shipped = shipped
        self.answers: list[requests.Response] = []
        self.accepted: list[str] = []
        self._ended = threading.Event()
        self._threads = [threading.Thread(target=self._call, args=(number,)) for number in range(count)]

    def __enter__(self) -> "Callers":
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self._ended.set()
        for thread in self._threads:
            thread.join()

    def _call(self, caller: int) -> None:
        number = 0
        while not self._ended.is_set():
            uuid = f"restart-{caller}-{number}"
            number += 1
            answer = self.shipped.insert(uuid)
            if answer.status_code == 201:
                self.accepted.append(uuid)
            read = self.shipped.call("GET", f"/v1/record/{uuid}", key_headers(self.shipped.acme))
            self.answers += [answer, read]


def test_connections_that_end_cost_at_most_a_503_and_everybody_recovers(shipped: Installation) -> None:
    ended = 0
    with Callers(shipped, 4) as callers:
        for _ in range(6):
            time.sleep(0.4)
            ended += shipped.database.end_connections()
        time.sleep(0.5)
    after = [shipped.insert(f"after-restart-{number}") for number in range(5)]
    shipped.wait_finished(*callers.accepted, *(f"after-restart-{number}" for number in range(5)), seconds=30)

    assert ended > 12
    refused = [answer for answer in callers.answers if answer.status_code not in (200, 201, 404)]
    assert {answer.status_code for answer in refused} <= {503}
    for answer in refused:
        assert answer.headers["Retry-After"] == "2"
        assert (set(answer.json()), answer.json()["code"]) == (ENVELOPE, 503)
    assert len(callers.accepted) > 10
    assert [answer.status_code for answer in after] == [201] * 5
    assert all(process.is_running for process in shipped.serving.values())


def test_database_that_is_away_is_503_at_once_and_readiness_says_so(shipped: Installation) -> None:
    shipped.database.allow_connections(False)
    try:
        shipped.database.end_connections()
        began = time.monotonic()
        answer = shipped.insert("no-database")
        seconds = [time.monotonic() - began]
        ready, alive = shipped.call("GET", "/readyz"), shipped.call("GET", "/healthz")
        seconds.append(time.monotonic() - began)
    finally:
        shipped.database.allow_connections(True)
    wait_until(lambda: shipped.insert("database-is-back").status_code in (201, 409), 10)
    shipped.wait_finished("database-is-back", seconds=30)

    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "2")
    assert answer.json() == {
        "id": "server-error",
        "code": 503,
        "request-ip": "127.0.0.1",
        "resource": [],
        "message": None,
        "error": {"code": 503, "message": "The service is not available just now. Try again later."},
    }
    assert (seconds[0] < 1, seconds[1] < 6) == (True, True), seconds
    assert (ready.status_code, ready.headers["Retry-After"], alive.status_code) == (503, "5", 200)
    assert "database" in ready.json()["missing"]
    assert shipped.database.rows("SELECT 1 FROM records_record WHERE uuid = 'no-database'") == []
