"""Callers that insert records, keep what they were promised, and try again when they were told to or got no answer."""

import itertools
import threading
import time
from typing import Any

import requests

from flowize.demo.content import SAMPLE
from tests.faults.flows import DELIVER
from tests.faults.house import Answer, House
from tests.server.installation import key_headers

AGAIN_SECONDS = 0.2
GIVE_UP_SECONDS = 120.0
CREATED, CONFLICT, UNAVAILABLE = 201, 409, 503


def insert(house: House, uuid: str, *, flow: str = DELIVER, delay: float = 0.0, at: str = "", port: int = 0) -> None:
    """Insert one record, however often that takes, and keep the promise."""
    document = SAMPLE | {"nonce": f"for {uuid}", "delay": delay}
    headers = key_headers(house.acme) | {"X-Flow": flow, "X-Uuid": uuid, "X-Executiontime": at}
    asked, deadline = 0, time.monotonic() + GIVE_UP_SECONDS
    while (status := ask(house, "POST", "/v1/record", headers, document, port)) != CREATED:
        if status == CONFLICT and asked:
            break  # an earlier request was carried out, and its answer was lost
        assert status in (0, UNAVAILABLE), f"{uuid} was refused with {status}"
        assert time.monotonic() < deadline, f"{uuid} was not taken within {GIVE_UP_SECONDS} s"
        asked += 1
        time.sleep(AGAIN_SECONDS)
    house.ledger.note("insert", uuid, flow=flow, document=document)


def insert_many(house: House, count: int, *, flow: str = DELIVER, at: str = "") -> list[str]:
    """Insert records by the hundred; their uuids."""
    uuids: list[str] = []
    headers = key_headers(house.acme) | {"X-Flow": flow, "X-Executiontime": at}
    for first in range(0, count, 100):
        documents = [
            SAMPLE | {"nonce": f"{flow} {number}", "delay": 0} for number in range(first, min(first + 100, count))
        ]
        answer = house.call("POST", "/v1/record", headers, documents)
        assert answer.status_code == CREATED, answer.text
        for created, document in zip(answer.json()["resource"], documents, strict=True):
            house.ledger.note("insert", created["data_record_id"], flow=flow, document=document)
            uuids.append(created["data_record_id"])
    return uuids


def ask(house: House, method: str, path: str, headers: dict[str, str], body: Any = None, port: int = 0) -> int:
    """One request, whose answer is remembered; its status, 0 when no answer came."""
    began, started = time.time(), time.monotonic()
    try:
        status = house.call(method, path, headers, body, port or None).status_code
    except requests.RequestException:
        status = 0
    if not port:
        house.answers.append(Answer(began, time.monotonic() - started, status))
    return status


class Load:
    """Threads that insert until ``total`` records are in, or until the ``with`` block ends.

    ``pace`` is the seconds from one record to the next over all threads; 0 is as fast as answers come.
    """

    def __init__(
        self, house: House, prefix: str, *, flow: str = DELIVER, threads: int = 4, total: int = 0, pace: float = 0.0
    ) -> None:
        self.house = house
        self.prefix = prefix
        self.flow = flow
        self.pace = pace
        self.total = total
        self.uuids: list[str] = []
        self.faults: list[Exception] = []
        self._numbers = itertools.count()
        self._ended = threading.Event()
        self._began = time.monotonic()
        self._threads = [threading.Thread(target=self._insert_all, daemon=True) for _ in range(threads)]

    def __enter__(self) -> "Load":
        self._began = time.monotonic()
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *exception: object) -> None:
        if not self.total:
            self._ended.set()
        for thread in self._threads:
            thread.join()
        if self.faults:
            raise self.faults[0]

    @property
    def is_done(self) -> bool:
        """Whether all records are in."""
        return not any(thread.is_alive() for thread in self._threads)

    def _insert_all(self) -> None:
        try:
            while not self._ended.is_set() and not self.faults:
                number = next(self._numbers)
                if self.total and number >= self.total:
                    return
                time.sleep(max(0.0, self._began + number * self.pace - time.monotonic()))
                uuid = f"{self.prefix}-{number}"
                insert(self.house, uuid, flow=self.flow)
                self.uuids.append(uuid)
        except Exception as error:  # noqa: BLE001 - raised where the load ends
            self.faults.append(error)
