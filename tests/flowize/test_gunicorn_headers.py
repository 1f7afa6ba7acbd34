"""What the shipped gunicorn configuration lets through, seen from raw sockets."""

import hashlib
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from apps.core.xmlio import read_xml
from flowize.gunicorn_worker import DeadlineReader, RequestTooSlow

CHECKOUT = Path(__file__).resolve().parents[2]
LIMIT = 4 * 1024 * 1024
PROBE = f"""
import hashlib, json
from apps.core.http.wsgi_body import ReadChunkedBody
from flowize.gunicorn_worker import Worker


class ImpatientWorker(Worker):
    read_seconds = 1.0


def echo(environ, start_response):
    if environ["PATH_INFO"] == "/fault":
        raise RuntimeError("a fault of the application")
    body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
    seen = {{name: value for name, value in environ.items() if isinstance(value, str)}}
    seen |= {{"size": len(body), "sha256": hashlib.sha256(body).hexdigest()}}
    start_response("200 OK", [("Content-Type", "application/json")])
    return [json.dumps(seen).encode()]


application = ReadChunkedBody(echo, {LIMIT})
"""
FOUR_NAMES = ("client_id", "client_secret", "grant_type", "refresh_token")


class Server:
    """gunicorn with our configuration and an application that tells what it sees."""

    def __init__(self, folder: Path, *options: str, **environment: str) -> None:
        (folder / "probe.py").write_text(PROBE)
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        self.log = folder / "gunicorn.log"
        command = [sys.executable, "-m", "gunicorn", "-c", "python:flowize.gunicorn_conf", *options]
        search = os.pathsep.join([str(CHECKOUT), str(folder)])
        environment = {"PATH": os.environ["PATH"], "PORT": str(self.port), "PYTHONPATH": search} | environment
        with self.log.open("w") as log:
            self.process = subprocess.Popen(
                [*command, "probe:application"], cwd=folder, env=environment, stdout=log, stderr=log
            )

    def wait(self) -> None:
        deadline = time.monotonic() + 20
        while "Booting worker" not in self.log.read_text():
            assert self.process.poll() is None, self.log.read_text()
            assert time.monotonic() < deadline, self.log.read_text()
            time.sleep(0.05)

    def stop(self) -> None:
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(timeout=20)

    def connect(self, source: str = "127.0.0.1") -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.port), timeout=20, source_address=(source, 0))

    def send(self, request: bytes, source: str = "127.0.0.1") -> "Answer":
        with self.connect(source) as connection:
            connection.sendall(request)
            return read_answer(connection)

    def get(self, *headers: str, source: str = "127.0.0.1") -> dict[str, Any]:
        lines = ["GET / HTTP/1.1", "Host: localhost", "Connection: close", *headers, "", ""]
        answer = self.send("\r\n".join(lines).encode("latin-1"), source)
        assert answer.status == 200
        return answer.content


class Answer:
    def __init__(self, head: bytes, body: bytes) -> None:
        status, *headers = head.decode("latin-1").split("\r\n")
        self.status = int(status.split(" ")[1])
        self.headers = {name.lower(): value for name, value in (line.split(": ", 1) for line in headers)}
        self.content = json.loads(body) if self.headers["content-type"] == "application/json" else body


def read_answer(connection: socket.socket) -> Answer:
    """One answer: up to its length, to the last chunk, or to the end of the connection."""
    received = b""
    while True:
        head, found, body = received.partition(b"\r\n\r\n")
        if found and (length := re.search(rb"(?i)\r\ncontent-length: (\d+)", head)) and len(body) >= int(length[1]):
            return Answer(head, body[: int(length[1])])
        if found and b"chunked" in head.lower() and body.endswith(b"0\r\n\r\n"):
            return Answer(head, re.sub(rb"(?m)^[0-9a-fA-F]+\r\n|\r\n", b"", body))
        piece = connection.recv(65536)
        if not piece:
            return Answer(head, body)
        received += piece


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    server = Server(tmp_path_factory.mktemp("server"), WEB_WORKERS="1")
    server.wait()
    yield server
    server.stop()


@pytest.fixture(scope="module")
def impatient(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    server = Server(tmp_path_factory.mktemp("impatient"), "-k", "probe.ImpatientWorker", WEB_WORKERS="1")
    server.wait()
    yield server
    server.stop()


@pytest.mark.server
@pytest.mark.parametrize("spell", [str, str.upper, lambda name: name.replace("_", "-").title()])
def test_the_four_names_arrive_in_every_spelling(server: Server, spell: Any) -> None:
    seen = server.get(*(f"{spell(name)}: value of {name}" for name in FOUR_NAMES))

    assert {name: seen[f"HTTP_{name.upper()}"] for name in FOUR_NAMES} == {
        name: f"value of {name}" for name in FOUR_NAMES
    }


@pytest.mark.server
@pytest.mark.skipif(sys.platform != "linux", reason="only Linux answers on all of 127.0.0.0/8")
def test_the_four_names_arrive_from_any_peer(server: Server) -> None:
    seen = server.get("client_id: acme", source="127.0.0.2")

    assert (seen["HTTP_CLIENT_ID"], seen["REMOTE_ADDR"]) == ("acme", "127.0.0.2")


@pytest.mark.server
def test_no_other_name_with_an_underscore_arrives(server: Server) -> None:
    seen = server.get(
        "X_Forwarded_For: 6.6.6.6",
        "X_Uuid: 1",
        "X_Apikey: stolen",
        "client_id_: 1",
        "_client_id: 1",
        "SCRIPT_NAME: /zzz",
        "PATH_INFO: /zzz",
        "REMOTE_USER: root",
    )

    assert {name for name in seen if name.startswith("HTTP_")} == {"HTTP_HOST", "HTTP_CONNECTION"}
    assert (seen["SCRIPT_NAME"], seen["PATH_INFO"]) == ("", "/")
    assert "REMOTE_USER" not in seen


@pytest.mark.server
def test_underscores_cannot_add_to_a_forwarded_address(server: Server) -> None:
    seen = server.get("X_Forwarded_For: 6.6.6.6", "X-Forwarded-For: 1.1.1.1")

    assert seen["HTTP_X_FORWARDED_FOR"] == "1.1.1.1"
    assert seen["REMOTE_ADDR"] == "127.0.0.1"


@pytest.mark.server
@pytest.mark.parametrize(
    "header",
    ["X-Forwarded-Proto: https", "X-Forwarded-Protocol: ssl", "X-Forwarded-Ssl: on", "X_Forwarded_Proto: https"],
)
def test_no_header_makes_the_connection_look_encrypted(server: Server, header: str) -> None:
    assert server.get(header)["wsgi.url_scheme"] == "http"


@pytest.mark.server
@pytest.mark.parametrize(
    ("request_bytes", "status", "slug"),
    [
        (b"nonsense\r\n\r\n", 400, "bad-request"),
        (b"GET / HTTP/9.9\r\nHost: x\r\n\r\n", 400, "bad-request"),
        (b"GET / HTTP/1.1\r\nHost: x\r\nX-A: a\x00b\r\n\r\n", 400, "bad-request"),
        (b"GET / HTTP/1.1\r\nHost: x\r\nX-A: a\rb\r\n\r\n", 400, "bad-request"),
        (b"GET / HTTP/1.1\r\nHost: x\r\nX-A: a\r\n b\r\n\r\n", 400, "bad-request"),
        (b"GET / HTTP/1.1\r\nHost: x\r\nX A: b\r\n\r\n", 400, "bad-request"),
        (
            b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
            400,
            "bad-request",
        ),
        (b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{}", 400, "bad-request"),
        (b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: +2\r\n\r\n{}", 400, "bad-request"),
        (b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n0\r\n\r\n", 400, "bad-request"),
        (b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}XX0\r\n\r\n", 400, "bad-request"),
        (b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: foo\r\n\r\n", 501, "server-error"),
        (b"GET /" + b"a" * 9000 + b" HTTP/1.1\r\nHost: x\r\n\r\n", 414, None),
        (b"GET / HTTP/1.1\r\nHost: x\r\nX-A: " + b"a" * 9000 + b"\r\n\r\n", 431, "request-header-fields-too-large"),
        (
            b"GET / HTTP/1.1\r\nHost: x\r\n" + b"".join(b"X-%d: 1\r\n" % n for n in range(150)) + b"\r\n",
            431,
            "request-header-fields-too-large",
        ),
        (b"POST / HTTP/1.1\r\nHost: x\r\nExpect: miracles\r\n\r\n", 417, "expectation-failed"),
        (b"GET /fault HTTP/1.1\r\nHost: x\r\n\r\n", 500, "server-error"),
    ],
)
def test_what_never_reaches_the_application_is_answered_in_the_envelope(
    server: Server, request_bytes: bytes, status: int, slug: str | None
) -> None:
    answer = server.send(request_bytes)

    assert answer.status == status
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["connection"] == "close"
    assert re.fullmatch(r"[0-9a-f]{32}", answer.headers["x-request-id"])
    message = answer.content["error"].pop("message")
    assert message
    assert answer.content == {
        "id": slug or answer.content["id"],
        "code": status,
        "request-ip": "127.0.0.1",
        "resource": [],
        "message": None,
        "error": {"code": status},
    }


@pytest.mark.server
@pytest.mark.parametrize("header", ["Accept: application/xml", "Content-Type: application/xml"])
@pytest.mark.parametrize(
    ("start", "status"),
    [("GET /fault HTTP/1.1", 500), ("POST / HTTP/1.1\r\nContent-Length: 9\r\nConnection: close", 400)],
)
def test_refusals_of_the_server_come_in_the_format_of_answers(
    server: Server, header: str, start: str, status: int
) -> None:
    with server.connect() as connection:
        connection.sendall(f"{start}\r\nHost: x\r\n{header}\r\n\r\n<r/>".encode())
        connection.shutdown(socket.SHUT_WR)
        answer = read_answer(connection)
    assert (answer.status, answer.headers["content-type"]) == (status, "application/xml; charset=utf-8")
    assert read_xml(answer.content)["error"]["code"] == status


@pytest.mark.server
def test_request_line_of_eight_thousand_bytes_is_accepted(server: Server) -> None:
    answer = server.send(b"GET /?q=" + b"a" * 8000 + b" HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")

    assert (answer.status, len(answer.content["QUERY_STRING"])) == (200, 8002)


@pytest.mark.server
def test_chunked_body_arrives_whole_and_the_connection_serves_on(server: Server) -> None:
    body = os.urandom(LIMIT - 1)
    chunks = b"".join(
        b"%x\r\n%b\r\n" % (len(piece), piece) for piece in (body[n : n + 70_001] for n in range(0, len(body), 70_001))
    )
    with server.connect() as connection:
        connection.sendall(b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n" + chunks + b"0\r\n\r\n")
        first = read_answer(connection)
        connection.sendall(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}")
        second = read_answer(connection)

    assert (first.content["size"], first.content["sha256"]) == (len(body), hashlib.sha256(body).hexdigest())
    assert first.content["CONTENT_LENGTH"] == str(len(body))
    assert (second.status, second.content["size"]) == (200, 2)


@pytest.mark.server
def test_chunked_body_over_the_limit_is_seen_to_be_over_it(server: Server) -> None:
    body = b"%x\r\n" % (LIMIT + 10) + b"x" * (LIMIT + 10) + b"\r\n0\r\n\r\n"
    answer = server.send(b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n" + body)

    assert answer.content["CONTENT_LENGTH"] == str(LIMIT + 1)


@pytest.mark.server
@pytest.mark.parametrize(
    "start",
    [
        b'POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{"a":1}',
        b'POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n7\r\n{"a":1}\r\n',
        b'POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n9\r\n{"a":1}',
    ],
)
def test_half_a_body_is_a_bad_request(server: Server, start: bytes) -> None:
    with server.connect() as connection:
        connection.sendall(start)
        connection.shutdown(socket.SHUT_WR)
        answer = read_answer(connection)
        assert connection.recv(1) == b""

    assert (answer.status, answer.content["id"]) == (400, "bad-request")
    assert set(answer.content) == {"id", "code", "request-ip", "resource", "message", "error"}


@pytest.mark.server
@pytest.mark.parametrize(
    "start",
    [
        b"GET / HTTP/1.1\r\nHost:",
        b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{",
        b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{",
    ],
)
def test_request_that_trickles_in_is_cut_off_in_time(impatient: Server, start: bytes) -> None:
    began = time.monotonic()
    with impatient.connect() as connection:
        connection.sendall(start)
        for _ in range(3):
            time.sleep(0.25)
            connection.sendall(b" ")
        answer = read_answer(connection)

    assert (answer.status, answer.content["id"]) == (408, "request-timeout")
    assert 0.9 < time.monotonic() - began < 5


@pytest.mark.server
def test_slow_bodies_do_not_hold_the_threads(impatient: Server) -> None:
    slow = [impatient.connect() for _ in range(20)]
    try:
        for connection in slow:
            connection.sendall(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{")
        began = time.monotonic()
        assert impatient.get()["PATH_INFO"] == "/"
        assert time.monotonic() - began < 5
        assert [read_answer(connection).status for connection in slow] == [408] * 20
    finally:
        for connection in slow:
            connection.close()


@pytest.mark.server
def test_log_holds_no_key_of_a_refused_request(server: Server) -> None:
    server.send(b"GET /fault?api_key=Secret1 HTTP/1.1\r\nHost: x\r\n\r\n")
    server.send(b"BAD /?api_key=Secret2 HTTP/1.1 x\r\nHost: x\r\n\r\n")
    answer = server.send(b"GET / HTTP/1.1\r\nHost: x\r\nclient_secret: Secret3\x01\r\n\r\n")
    server.get("client_id: Secret4")

    log = server.log.read_text()
    assert "Secret" not in log
    assert f"Request {answer.headers['x-request-id']} refused: InvalidHeader" in log
    assert "a fault of the application" in log


def test_fewer_threads_than_slow_clients_can_hold_are_refused(tmp_path: Path) -> None:
    server = Server(tmp_path, WEB_THREADS="4")

    assert server.process.wait(timeout=20) != 0
    assert "WEB_THREADS is 4: it must be 16 or more." in server.log.read_text()


def test_reader_gives_bytes_until_its_deadline_and_then_raises() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        reader = DeadlineReader(ours)
        reader.begin(0.2)
        theirs.sendall(b"abc")
        assert reader.chunk() == b"abc"
        with pytest.raises(RequestTooSlow):
            reader.chunk()
        reader.begin(0.2)
        theirs.sendall(b"d")
        assert reader.chunk() == b"d"
        assert ours.gettimeout() is None


def test_reader_leaves_a_time_limit_of_gunicorns_own_alone() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        reader = DeadlineReader(ours)
        reader.begin(30)
        ours.settimeout(0.05)
        with pytest.raises(TimeoutError):
            reader.chunk()
        assert ours.gettimeout() == 0.05
