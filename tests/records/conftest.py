"""A service outside the house, and the short ways of the records' tests."""

import contextlib
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_network
from typing import Any

import pytest
from django.db import connections
from django.db.models.expressions import RawSQL

from apps.records.claims import Claimed, claim_due, claim_expired
from apps.records.models import Record, RecordStep
from apps.records.services import create_records
from apps.webhooks.receivers import Receiver
from apps.webhooks.services import register_webhook
from tests.conftest import Tenant

ADULT = {"client": {"age": 30}}


@dataclass(frozen=True)
class Received:
    """A request as it came over the wire."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes


@dataclass
class Answer:
    """What the sink answers."""

    status: int = 200
    body: bytes = b'{"id": 7}'
    headers: dict[str, str] = field(default_factory=lambda: {"Content-Type": "application/json"})


class Sink(ThreadingHTTPServer):
    """Remembers what it is asked; while ``open`` is not set it keeps its callers waiting.

    It gives ``answer``, or the one that ``answers`` has for the number of the request, from 1.
    """

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), SinkHandler)
        self.received: list[Received] = []
        self.answer = Answer()
        self.answers: dict[int, Answer] = {}
        self.lock = threading.Lock()
        self.open = threading.Event()
        self.open.set()

    def note(self, request: Received) -> int:
        """Keep a request; answers its number, from 1."""
        with self.lock:
            self.received.append(request)
            return len(self.received)

    def wait_for(self, requests: int) -> None:
        """Until that many requests have come."""
        deadline = time.monotonic() + 10
        while len(self.received) < requests:
            assert time.monotonic() < deadline, f"only {len(self.received)} requests came"
            time.sleep(0.005)

    @property
    def url(self) -> str:
        """Where flows call it."""
        return f"http://127.0.0.1:{self.server_port}/leads"

    @property
    def keys(self) -> list[str]:
        """The Idempotency-Keys it saw, in order."""
        return [request.headers["idempotency-key"] for request in self.received]


class SinkHandler(BaseHTTPRequestHandler):
    def reply(self) -> None:
        sink: Any = self.server
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        headers = {name.lower(): value for name, value in self.headers.items()}
        number = sink.note(Received(self.command, self.path, headers, body))
        sink.open.wait(20)
        answer = sink.answers.get(number, sink.answer)
        self.send_response(answer.status)
        for name, value in answer.headers.items():
            self.send_header(name, value)
        self.end_headers()
        with contextlib.suppress(OSError):  # the caller may have given up
            self.wfile.write(answer.body)

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = reply  # noqa: N815 - the library's names

    def log_message(self, *args: Any) -> None:
        """Quietly."""


@pytest.fixture
def sink(settings: Any) -> Iterator[Sink]:
    """A service on this machine that flows may call."""
    settings.EGRESS_ALLOW = [ip_network("127.0.0.0/8")]
    server = Sink()
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    yield server
    server.open.set()
    server.shutdown()
    server.server_close()


def flow_of(name: str, **objects: Any) -> dict[str, Any]:
    """A flow document from ``start`` to ``end``; ``first`` is where the start leads."""
    first = next(iter(objects))
    start = {"type": "start", "next": {"ok": first}}
    return {
        "format": "flow/1",
        "name": name,
        "start": "start",
        "objects": {"start": start, **objects, "end": {"type": "end"}},
    }


def calling_flow(url: str, **more: Any) -> dict[str, Any]:
    """A flow that posts to ``url`` and keeps what is answered; ``more`` is added to the calling object."""
    config = {"method": "POST", "url": url, "json": {}, "save_to": "crm"}
    tell = {"type": "app", "app": "core.http", "with": config, "next": {"ok": "note"}}
    note = {"type": "set", "set": {"lead": "{{ vars.crm.body.id }}"}, "next": {"ok": "end"}}
    return flow_of("calling", tell=tell | more, note=note)


def insert(tenant: Tenant, document: Any = ADULT, flow: str = "intake", **options: Any) -> Record:
    """A record of that tenant."""
    (created,) = create_records(tenant.caller, [document], flow_name=flow, **options)
    return Record.objects.get(uuid=created.uuid, workspace=tenant.workspace)


def steps(record: Record) -> list[tuple[int, int, str, str]]:
    """Its trace: step, attempt, object and the port it was left by."""
    return list(RecordStep.objects.filter(record=record).values_list("seq", "attempt", "object", "port"))


def make_due(*records: Record) -> None:
    """Move the clock on: the date the records wait for, or the end of their lease, has come.

    By the database's clock, which stands still while a test is one transaction.
    """
    gone = RawSQL("now() - interval '1 second'", ())
    Record.objects.filter(pk__in=[row.pk for row in records]).update(wake_at=gone)


def claim(worker: str, batch: int) -> list[Claimed]:
    """What a worker with nothing under way takes on next."""
    return claim_expired(worker) or claim_due(worker, batch)


@pytest.fixture
def hook(acme: Tenant) -> Receiver:
    """A webhook whose payloads say which order they are about, and what became of it."""
    return Receiver.of(
        register_webhook(
            acme.workspace, name="payments", identifier_path="order", status_path="status", batch=True
        ).webhook
    )


def in_thread(act: Callable[[], Any]) -> threading.Thread:
    """The act in a thread with a connection of its own."""

    def run() -> None:
        try:
            act()
        finally:
            connections.close_all()

    thread = threading.Thread(target=run)
    thread.start()
    return thread


def reloaded(record: Record) -> Record:
    """The record as it is now, with its document."""
    return Record.objects.select_related("content").get(pk=record.pk)
