"""A server of one scripted answer, and calls to it through the egress."""

import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from ipaddress import ip_network

import pytest

from apps.core.egress import EgressError, EgressPolicy, EgressRequest, EgressResponse, fetch, resolve

LOCAL = EgressPolicy(allow=(ip_network("127.0.0.0/8"),), max_response_bytes=100_000)
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


@dataclass
class Sink:
    """A server of one scripted answer, keeping what reached it."""

    port: int
    requests: list[bytes] = field(default_factory=list)
    connections: int = 0


Answer = bytes | Callable[[socket.socket], None]


@contextmanager
def serving(answer: Answer, context: ssl.SSLContext | None = None) -> Iterator[Sink]:
    """Answer every connection the same way until the block is left."""
    listener = socket.create_server(("127.0.0.1", 0))
    sink = Sink(listener.getsockname()[1])
    threads: list[threading.Thread] = []

    def serve(plain: socket.socket) -> None:
        with plain, suppress(OSError):
            connection = context.wrap_socket(plain, server_side=True) if context else plain
            with connection:
                sink.requests.append(read_request(connection))
                if callable(answer):
                    answer(connection)
                else:
                    connection.sendall(answer)

    def accept() -> None:
        with suppress(OSError):
            while True:
                plain, _ = listener.accept()
                plain.settimeout(5)
                sink.connections += 1
                threads.append(threading.Thread(target=serve, args=(plain,)))
                threads[-1].start()

    acceptor = threading.Thread(target=accept)
    acceptor.start()
    try:
        yield sink
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        acceptor.join()
        listener.close()
        for thread in threads:
            thread.join()


def read_request(connection: socket.socket) -> bytes:
    received = b""
    while b"\r\n\r\n" not in received:
        received += connection.recv(65536) or b"\r\n\r\n"
    head, _, body = received.partition(b"\r\n\r\n")
    lengths = [int(line.split(b":")[1]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length")]
    while len(body) < sum(lengths):
        body += connection.recv(65536)
    return head + b"\r\n\r\n" + body


def call(
    url: str,
    policy: EgressPolicy = LOCAL,
    *,
    method: str = "GET",
    headers: dict[str, str] | None = None,
    body: bytes = b"",
    timeout: float = 5,
    resolver: Callable[[str, int], Sequence[str]] = resolve,
) -> EgressResponse:
    return fetch(EgressRequest(method, url, headers or {}, body, timeout), policy, resolver=resolver)


def failure(url: str, policy: EgressPolicy = LOCAL, **kwargs: object) -> EgressError:
    with pytest.raises(EgressError) as refusal:
        call(url, policy, **kwargs)  # type: ignore[arg-type]
    assert refusal.value.message
    return refusal.value


def named(*addresses: str) -> Callable[[str, int], Sequence[str]]:
    """A resolver that knows one answer for every name."""
    return lambda host, port: addresses


def nobody(host: str, port: int) -> Sequence[str]:
    raise AssertionError("no name should have been looked up")


def endless(connection: socket.socket) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
    while True:
        connection.sendall(b"x" * 65536)


def dripping(*pieces: bytes) -> Callable[[socket.socket], None]:
    """Send the pieces at once, then a byte every twentieth of a second."""

    def answer(connection: socket.socket) -> None:
        for piece in pieces:
            connection.sendall(piece)
        for _ in range(100):
            connection.sendall(b"x")
            time.sleep(0.05)

    return answer
