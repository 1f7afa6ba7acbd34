"""Calls out of the house over TLS."""

import socket
import threading
from pathlib import Path

from cryptography import x509

from apps.core.egress import EgressPolicy
from tests.core.certified import site
from tests.core.scripted import (
    LOCAL,
    OK,
    call,
    dripping,
    failure,
    named,
    serving,
)


def trusting(authority: str) -> EgressPolicy:
    return EgressPolicy(allow=LOCAL.allow, extra_authorities=authority)


def test_tls_proves_the_name_though_the_address_is_called(tmp_path: Path) -> None:
    ours = site(tmp_path, x509.DNSName("sink.test"))
    asked: list[str | None] = []
    ours.context.sni_callback = lambda connection, name, context: asked.append(name)
    with serving(OK, ours.context) as sink:
        response = call(f"https://sink.test:{sink.port}/", trusting(ours.authority), resolver=named("127.0.0.1"))
    assert response.body == b"ok"
    assert asked == ["sink.test"]
    assert f"Host: sink.test:{sink.port}\r\n".encode() in sink.requests[0]


def test_a_certificate_for_another_name_is_refused(tmp_path: Path) -> None:
    ours = site(tmp_path, x509.DNSName("sink.test"))
    with serving(OK, ours.context) as sink:
        error = failure(f"https://other.test:{sink.port}/", trusting(ours.authority), resolver=named("127.0.0.1"))
        address = failure(f"https://127.0.0.1:{sink.port}/", trusting(ours.authority))
    assert (error.code, address.code) == ("tls", "tls")
    assert "Hostname mismatch" in error.message
    assert sink.requests == []


def test_an_expired_or_unknown_certificate_is_refused(tmp_path: Path) -> None:
    ours = site(tmp_path, x509.DNSName("sink.test"), expired=True)
    with serving(OK, ours.context) as sink:
        url = f"https://sink.test:{sink.port}/"
        expired = failure(url, trusting(ours.authority), resolver=named("127.0.0.1"))
        unknown = failure(url, LOCAL, resolver=named("127.0.0.1"))
    assert (expired.code, unknown.code) == ("tls", "tls")
    assert expired.message == "No trusted TLS connection to sink.test: certificate has expired."
    assert sink.requests == []


def test_a_server_without_tls_is_a_tls_error() -> None:
    def answer_in_clear(listener: socket.socket) -> None:
        connection, _ = listener.accept()
        with connection:
            connection.recv(65536)
            connection.sendall(OK)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = threading.Thread(target=answer_in_clear, args=(listener,))
        server.start()
        error = failure(f"https://127.0.0.1:{listener.getsockname()[1]}/")
        server.join()
    assert error.code == "tls"
    assert "wrong version number" in error.message or "record layer" in error.message


def test_the_deadline_covers_the_handshake_and_a_dripping_tls_answer(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        assert failure(f"https://127.0.0.1:{silent.getsockname()[1]}/", timeout=0.3).code == "timeout"
    ours = site(tmp_path, x509.DNSName("sink.test"))
    with serving(dripping(b"HTTP/1.1 200 OK\r\n\r\n"), ours.context) as sink:
        url = f"https://sink.test:{sink.port}/"
        error = failure(url, trusting(ours.authority), timeout=0.4, resolver=named("127.0.0.1"))
    assert error.code == "timeout"


def test_a_large_body_and_answer_pass_through_tls(tmp_path: Path) -> None:
    ours = site(tmp_path, x509.DNSName("sink.test"))
    body = b"0123456789" * 100_000
    answer = b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n" + body
    with serving(answer, ours.context) as sink:
        policy = trusting(ours.authority)
        url = f"https://sink.test:{sink.port}/"
        assert call(url, policy, method="POST", body=body, resolver=named("127.0.0.1")).body == body
    assert sink.requests[0].endswith(body)
