"""Calls out of the house: what is sent, whom it may reach, and what is read."""

import socket
import threading
import time
from collections.abc import Sequence
from ipaddress import ip_network

import pytest

from apps.core.egress import EgressPolicy, EgressResponse, resolve
from tests.core.scripted import (
    OK,
    Answer,
    call,
    dripping,
    endless,
    failure,
    named,
    nobody,
    serving,
)


def test_a_call_sends_what_it_was_given_and_returns_the_answer() -> None:
    answer = b"HTTP/1.1 201 Created\r\nX-One: 1\r\nx-one: 2\r\nContent-Length: 5\r\n\r\nhello"
    with serving(answer) as sink:
        response = call(
            f"http://127.0.0.1:{sink.port}/a/é b?x=1&y=[2]#fragment".replace(" ", "%20"),
            method="post",
            headers={"X-Key": "s3cret", "User-Agent": "Test"},
            body=b'{"a":1}',
        )
    assert response == EgressResponse(201, (("X-One", "1"), ("x-one", "2"), ("Content-Length", "5")), b"hello")
    assert response.header("X-ONE") == "1"
    assert response.header("missing") is None
    assert sink.requests == [
        b"POST /a/%C3%A9%20b?x=1&y=[2] HTTP/1.1\r\n"
        b"Host: 127.0.0.1:" + str(sink.port).encode() + b"\r\n"
        b"Accept: */*\r\nAccept-Encoding: identity\r\nX-Key: s3cret\r\nUser-Agent: Test\r\n"
        b'Content-Length: 7\r\nConnection: close\r\n\r\n{"a":1}'
    ]


def test_bodies_are_framed_by_the_method() -> None:
    with serving(OK) as sink:
        for method in ("GET", "DELETE", "PUT"):
            call(f"http://127.0.0.1:{sink.port}", method=method)
    assert [b"Content-Length: 0" in request for request in sink.requests] == [False, False, True]


def test_a_large_body_is_sent_whole() -> None:
    body = bytes(range(256)) * 8192
    with serving(OK) as sink:
        assert call(f"http://127.0.0.1:{sink.port}/", method="PUT", body=body).status == 200
    assert sink.requests[0].endswith(b"\r\n\r\n" + body)


@pytest.mark.parametrize(
    ("answer", "status", "body"),
    [
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n1\r\nc\r\n0\r\n\r\n", 200, b"abc"),
        (b"HTTP/1.0 200 OK\r\n\r\nuntil the end", 200, b"until the end"),
        (b"HTTP/1.1 204 No Content\r\n\r\n", 204, b""),
        (b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", 200, b""),
        (b"HTTP/1.1 500 Oops\r\nContent-Length: 1\r\n\r\nx", 500, b"x"),
        (b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 3\r\n\r\n\x1f\x8b\x08", 200, b"\x1f\x8b\x08"),
    ],
)
def test_every_framing_of_an_answer_is_read(answer: bytes, status: int, body: bytes) -> None:
    with serving(answer) as sink:
        response = call(f"http://127.0.0.1:{sink.port}/")
    assert (response.status, response.body) == (status, body)


def test_the_length_of_a_head_answer_is_no_body() -> None:
    with serving(b"HTTP/1.1 200 OK\r\nContent-Length: 99999999\r\n\r\n") as sink:
        assert call(f"http://127.0.0.1:{sink.port}/", method="HEAD").body == b""


def test_redirects_are_answers_and_not_followed() -> None:
    with serving(OK) as inside:
        location = f"http://127.0.0.1:{inside.port}/"
        with serving(f"HTTP/1.1 302 Found\r\nLocation: {location}\r\nContent-Length: 0\r\n\r\n".encode()) as sink:
            response = call(f"http://127.0.0.1:{sink.port}/")
    assert (response.status, response.header("location")) == (302, location)
    assert inside.connections == 0


def test_the_environment_s_proxies_are_ignored(monkeypatch: pytest.MonkeyPatch) -> None:
    with serving(OK) as proxy, serving(OK) as sink:
        monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{proxy.port}")
        monkeypatch.setenv("ALL_PROXY", f"http://127.0.0.1:{proxy.port}")
        call(f"http://127.0.0.1:{sink.port}/")
    assert (proxy.connections, sink.connections) == (0, 1)


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "127.1",
        "0x7f.1",
        "0177.0.0.1",
        "2130706433",
        "0",
        "0.0.0.0",
        "①②⑦.0.0.1",
        "127。0。0。1",
        "[::1]",
        "[::]",
        "[::127.0.0.1]",
        "[::ffff:127.0.0.1]",
        "[::ffff:7f00:1]",
        "[64:ff9b::7f00:1]",
        "[2002:7f00:1::]",
        "169.254.169.254",
        "100.64.0.1",
        "224.0.0.1",
        "10.0.0.1",
        "[fe80::1]",
        "[fd00::1]",
    ],
)
def test_addresses_inside_are_refused_in_every_spelling(host: str) -> None:
    with serving(OK) as sink:
        error = failure(f"http://{host}:{sink.port}/", EgressPolicy(), resolver=nobody)
    assert error.code == "refused_address"
    assert sink.connections == 0


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST.", "127.0.0.1."])
def test_names_of_this_machine_are_refused(host: str) -> None:
    with serving(OK) as sink:
        assert failure(f"http://{host}:{sink.port}/", EgressPolicy()).code in ("refused_address", "dns")
    assert sink.connections == 0


@pytest.mark.parametrize(
    "addresses",
    [("127.0.0.1",), ("93.184.215.14", "127.0.0.1"), ("2606:2800:21f::1", "::1"), ("fe80::1%eth0",), ("10.0.0.1",)],
)
def test_a_name_with_any_address_inside_is_refused(addresses: tuple[str, ...]) -> None:
    with serving(OK) as sink:
        error = failure(f"http://rebind.test:{sink.port}/", EgressPolicy(), resolver=named(*addresses))
    assert error.code == "refused_address"
    assert "rebind.test" in error.message
    assert not any(address in error.message for address in addresses)
    assert sink.connections == 0


def test_a_name_is_looked_up_once_and_the_judged_address_is_called() -> None:
    lookups: list[tuple[str, int]] = []

    def rebinding(host: str, port: int) -> Sequence[str]:
        lookups.append((host, port))
        return ["127.0.0.1"] if len(lookups) == 1 else ["10.0.0.1"]

    with serving(OK) as sink:
        assert call(f"http://rebind.test:{sink.port}/", resolver=rebinding).body == b"ok"
    assert lookups == [("rebind.test", sink.port)]
    assert f"Host: rebind.test:{sink.port}\r\n".encode() in sink.requests[0]


def test_the_operator_s_networks_are_exempt_and_no_others() -> None:
    narrow = EgressPolicy(allow=(ip_network("127.0.0.1/32"),))
    with serving(OK) as sink:
        assert call(f"http://127.0.0.1:{sink.port}/", narrow).status == 200
        assert failure(f"http://127.0.0.2:{sink.port}/", narrow).code == "refused_address"
        assert failure(f"http://[::ffff:127.0.0.1]:{sink.port}/", narrow).code == "refused_address"


def test_the_next_address_is_tried_when_one_does_not_answer() -> None:
    with serving(OK) as sink:
        answer = call(f"http://sink.test:{sink.port}/", resolver=named("127.0.0.2", "127.0.0.1"))
    assert answer.status == 200


@pytest.mark.parametrize(
    "url",
    [
        "",
        "127.0.0.1",
        "//127.0.0.1/",
        "file:///etc/passwd",
        "ftp://127.0.0.1/",
        "gopher://127.0.0.1/",
        "javascript:alert(1)",
        "http://",
        "http:///x",
        "http://user:pass@127.0.0.1/",
        "http://allowed.test@127.0.0.1/",
        "http://@127.0.0.1/",
        "http://127.0.0.1:0/",
        "http://127.0.0.1:99999/",
        "http://127.0.0.1:x/",
        "http://[::1/",
        "http://[fe80::1%25eth0]/",
        "http://[v1.x]/",
        "http://a..b/",
        "http://%31%32%37.0.0.1/",
        "http://a.test\\@127.0.0.1/",
        "http://a.test/\r\nX: 1",
        "http://a.test/a b",
        " http://a.test/",
        "http://a.test/\ud800",
        "http://" + "a" * 254 + "/",
        "http://" + "é." * 4000,
        "http://a.test/" + "x" * 8192,
    ],
)
def test_what_is_no_usable_url_is_refused_before_anything_else(url: str) -> None:
    assert failure(url, resolver=nobody).code == "bad_url"


@pytest.mark.parametrize(
    ("method", "headers", "timeout"),
    [
        ("GE T", {}, 5),
        ("GET\r\nX: 1", {}, 5),
        ("", {}, 5),
        ("CONNECT", {}, 5),
        ("GET", {"X-A": "1\r\nX-B: 2"}, 5),
        ("GET", {"X-A": "1\n"}, 5),
        ("GET", {"X-A": "€"}, 5),
        ("GET", {"X-A\r\n": "1"}, 5),
        ("GET", {"X A": "1"}, 5),
        ("GET", {"": "1"}, 5),
        ("GET", {"Host": "other.test"}, 5),
        ("GET", {"content-length": "5"}, 5),
        ("GET", {"Transfer-Encoding": "chunked"}, 5),
        ("GET", {}, 0),
        ("GET", {}, float("nan")),
        ("GET", {}, float("inf")),
    ],
)
def test_what_cannot_be_sent_safely_is_refused(method: str, headers: dict[str, str], timeout: float) -> None:
    error = failure("http://a.test/", method=method, headers=headers, timeout=timeout, resolver=nobody)
    assert error.code == "bad_request"


def test_an_unknown_name_has_no_address() -> None:
    def unknown(host: str, port: int) -> Sequence[str]:
        raise socket.gaierror(socket.EAI_NONAME, "unknown")

    assert failure("http://nowhere.test/", resolver=unknown).code == "dns"
    assert failure("http://nowhere.test/", resolver=named()).code == "dns"
    assert failure("http://nowhere.test/", resolver=named("garbage")).code == "dns"


def test_the_system_s_resolver_answers_addresses_or_an_error() -> None:
    assert "127.0.0.1" in resolve("localhost", 80) or "::1" in resolve("localhost", 80)
    with pytest.raises(OSError):
        resolve("nowhere.invalid", 80)


def test_a_closed_port_is_a_connection_error() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    error = failure(f"http://127.0.0.1:{port}/secret?key=1")
    assert (error.code, error.message) == ("connection", "The connection to 127.0.0.1 failed: connection refused.")


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"garbage\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nshort",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nab",
        b"HTTP/1.1 200 OK\r\n" + b"X: 1\r\n" * 200 + b"\r\n",
        b"HTTP/1.1 200 OK\r\nX: " + b"x" * 100_000 + b"\r\n\r\n",
    ],
)
def test_an_answer_that_is_not_whole_http_is_a_connection_error(answer: bytes) -> None:
    with serving(answer) as sink:
        assert failure(f"http://127.0.0.1:{sink.port}/").code == "connection"


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 100001\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * 100_001,
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n186a1\r\n" + b"x" * 100_001 + b"\r\n0\r\n\r\n",
        endless,
    ],
)
def test_an_answer_over_the_limit_is_not_read_to_the_end(answer: Answer) -> None:
    with serving(answer) as sink:
        error = failure(f"http://127.0.0.1:{sink.port}/")
    assert (error.code, error.message) == ("too_large", "The answer of 127.0.0.1 is larger than 100000 bytes.")


def test_an_answer_of_exactly_the_limit_is_read() -> None:
    with serving(b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * 100_000) as sink:
        assert call(f"http://127.0.0.1:{sink.port}/").body == b"x" * 100_000


@pytest.mark.parametrize(
    "answer",
    [
        lambda connection: time.sleep(1),
        dripping(),
        dripping(b"HTTP/1.1 200 OK\r\nX: "),
        dripping(b"HTTP/1.1 200 OK\r\n\r\n"),
        dripping(b"HTTP/1.1 200 OK\r\nContent-Length: 50000\r\n\r\n"),
    ],
)
def test_the_deadline_covers_the_whole_answer_however_it_drips(answer: Answer) -> None:
    with serving(answer) as sink:
        started = time.monotonic()
        error = failure(f"http://127.0.0.1:{sink.port}/", timeout=0.4)
        took = time.monotonic() - started
    assert (error.code, error.message) == ("timeout", "127.0.0.1 did not answer within 0.4 seconds.")
    assert 0.3 < took < 1.5


def test_the_deadline_covers_the_lookup() -> None:
    released = threading.Event()

    def slow(host: str, port: int) -> Sequence[str]:
        released.wait(5)
        return ["127.0.0.1"]

    started = time.monotonic()
    error = failure("http://slow.test/", timeout=0.2, resolver=slow)
    took = time.monotonic() - started
    released.set()
    assert error.code == "timeout"
    assert took < 1.5


def test_the_deadline_covers_sending() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        started = time.monotonic()
        url = f"http://127.0.0.1:{listener.getsockname()[1]}/"
        assert failure(url, method="PUT", body=bytes(50_000_000), timeout=0.4).code == "timeout"
    assert time.monotonic() - started < 2
