"""The outside world of the flows under test: a service that remembers what it was told, and may take its time."""

import json
import threading
import time
from collections import Counter
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass(frozen=True)
class Call:
    """One request: its Idempotency-Key and the record it was about."""

    key: str
    uuid: str


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128  # a worker calls with many threads at once


class Sink:
    """Answers each POST with 200; the first one with a key after the ``delay`` that its body asks for, in seconds."""

    def __init__(self) -> None:
        self.calls: list[Call] = []
        self.counts: Counter[str] = Counter()  # calls by key
        self._turn = threading.Lock()
        self._server = _Server(("127.0.0.1", 0), self._handler())
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self.url = f"http://127.0.0.1:{self._server.server_port}/told"

    def __enter__(self) -> "Sink":
        self._thread.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def keys_of(self, uuid: str) -> list[str]:
        """The Idempotency-Keys of all calls about a record, in order of arrival."""
        with self._turn:
            return [call.key for call in self.calls if call.uuid == uuid]

    def note(self, key: str, body: dict[str, Any]) -> float:
        """Remember a call; returns how long its answer is to take."""
        with self._turn:
            self.calls.append(Call(key, body["uuid"]))
            self.counts[key] += 1
            is_first = self.counts[key] == 1
        return float(body["delay"]) if is_first else 0.0

    def answered(self, body: dict[str, Any]) -> None:
        """What the world does once the caller has its answer: nothing."""

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        sink = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                time.sleep(sink.note(self.headers["Idempotency-Key"], body))
                try:
                    self.send_response(200)
                    self.send_header("Content-Length", "0")
                    self.end_headers()
                    sink.answered(body)
                except OSError:
                    self.close_connection = True  # the caller was killed while it waited

            def log_message(self, *parts: Any) -> None:
                """Say nothing."""

        return Handler
