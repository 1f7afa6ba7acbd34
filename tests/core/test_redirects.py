"""Following redirects: how many, as what, where to, and what is not taken along."""

from collections.abc import Iterator
from contextlib import ExitStack
from ipaddress import ip_network

import pytest

from apps.core.egress import EgressError, EgressPolicy, EgressRequest, EgressResponse
from apps.core.redirects import Credentials, follow, origin_of
from tests.core.scripted import OK, Sink, serving

LOCAL = EgressPolicy(allow=(ip_network("127.0.0.0/8"),))
HEADERS = {"X-Api-Key": "k", "Authorization": "Own", "Accept": "application/json", "Idempotency-Key": "r-1:1:2"}


def redirect(location: str, status: int = 302) -> bytes:
    return f"HTTP/1.1 {status} Found\r\nLocation: {location}\r\nContent-Length: 0\r\n\r\n".encode()


@pytest.fixture
def servers() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


def names(request: bytes) -> set[str]:
    return {line.split(b":")[0].decode().lower() for line in request.split(b"\r\n\r\n")[0].split(b"\r\n")[1:]}


def call(sink: Sink, most: int, method: str = "GET", body: bytes = b"", **credentials: str) -> EgressResponse:
    request = EgressRequest(method, f"http://127.0.0.1:{sink.port}/a", HEADERS, body, timeout=5)
    secret = Credentials(f"http://127.0.0.1:{sink.port}", {"Authorization": "Bearer secret"})
    return follow(request, LOCAL, most=most, credentials=secret)


def test_nothing_is_followed_unless_asked(servers: ExitStack) -> None:
    inside = servers.enter_context(serving(OK))
    sink = servers.enter_context(serving(redirect(f"http://127.0.0.1:{inside.port}/")))
    assert call(sink, 0).status == 302
    assert inside.connections == 0


def test_no_more_are_followed_than_asked(servers: ExitStack) -> None:
    sink = servers.enter_context(serving(redirect("/again")))
    response = call(sink, 3)
    assert (response.status, sink.connections) == (302, 4)
    assert [request.split()[1] for request in sink.requests] == [b"/a", b"/again", b"/again", b"/again"]


def test_the_credentials_replace_the_flow_s_own_header_at_home(servers: ExitStack) -> None:
    sink = servers.enter_context(serving(OK))
    call(sink, 0)
    assert b"Authorization: Bearer secret\r\n" in sink.requests[0]
    assert b"Own" not in sink.requests[0]
    assert b"X-Api-Key: k\r\n" in sink.requests[0]


def test_credentials_are_not_sent_to_an_origin_that_is_not_theirs(servers: ExitStack) -> None:
    sink = servers.enter_context(serving(OK))
    request = EgressRequest("GET", f"http://127.0.0.1:{sink.port}/", {}, timeout=5)
    follow(request, LOCAL, credentials=Credentials("https://crm.test:443", {"Authorization": "Bearer secret"}))
    assert b"secret" not in sink.requests[0]


def test_another_origin_learns_neither_credentials_nor_own_headers(servers: ExitStack) -> None:
    other = servers.enter_context(serving(OK))
    sink = servers.enter_context(serving(redirect(f"http://127.0.0.1:{other.port}/")))
    assert call(sink, 1).body == b"ok"
    assert "authorization" in names(sink.requests[0])
    assert names(other.requests[0]) == {
        "host",
        "user-agent",
        "accept",
        "accept-encoding",
        "idempotency-key",
        "connection",
    }


def test_credentials_stay_away_when_the_call_comes_home_again(servers: ExitStack) -> None:
    answers: list[bytes] = []
    home = servers.enter_context(serving(lambda connection: connection.sendall(answers.pop(0))))
    away = servers.enter_context(serving(redirect(f"http://127.0.0.1:{home.port}/delete-all")))
    answers += [redirect(f"http://127.0.0.1:{away.port}/"), OK]
    assert call(home, 5).body == b"ok"
    assert ["authorization" in names(request) for request in home.requests] == [True, False]


@pytest.mark.parametrize(
    ("status", "method", "then"),
    [
        (301, "POST", b"GET"),
        (302, "POST", b"GET"),
        (303, "POST", b"GET"),
        (303, "PUT", b"GET"),
        (303, "HEAD", b"HEAD"),
        (302, "PUT", b"PUT"),
        (307, "POST", b"POST"),
        (308, "POST", b"POST"),
    ],
)
def test_what_the_next_call_is(servers: ExitStack, status: int, method: str, then: bytes) -> None:
    other = servers.enter_context(serving(OK))
    sink = servers.enter_context(serving(redirect(f"http://127.0.0.1:{other.port}/b", status)))
    call(sink, 1, method, b"" if method == "HEAD" else b"body")
    assert other.requests[0].split()[0] == then
    assert other.requests[0].endswith(b"body") is (then == method.encode() and method != "HEAD")


@pytest.mark.parametrize("target", ["http://10.0.0.1/", "http://[::1]/", "http://169.254.169.254/latest/meta-data/"])
def test_every_hop_is_judged(servers: ExitStack, target: str) -> None:
    sink = servers.enter_context(serving(redirect(target)))
    with pytest.raises(EgressError) as caught:
        call(sink, 5)
    assert caught.value.code == "refused_address"


@pytest.mark.parametrize(
    "target", ["file:///etc/passwd", "gopher://127.0.0.1/", "http://u:p@127.0.0.1/", "javascript:1"]
)
def test_a_redirect_to_no_usable_url_is_an_error(servers: ExitStack, target: str) -> None:
    sink = servers.enter_context(serving(redirect(target)))
    with pytest.raises(EgressError) as caught:
        call(sink, 5)
    assert caught.value.code == "bad_url"
    assert sink.connections == 1


@pytest.mark.parametrize("target", ["http://[::1", ""])
def test_a_redirect_that_leads_nowhere_is_the_answer(servers: ExitStack, target: str) -> None:
    sink = servers.enter_context(serving(redirect(target)))
    assert call(sink, 5).status == 302


@pytest.mark.parametrize(
    ("url", "origin"),
    [
        ("https://CRM.Example.com/x", "https://crm.example.com:443"),
        ("http://crm.example.com.:8080", "http://crm.example.com:8080"),
        ("https://bücher.example/", "https://xn--bcher-kva.example:443"),
        ("http://[::1]:80/", "http://::1:80"),
        ("ftp://a.test/", ""),
        ("/relative", ""),
        ("http://a.test:x/", ""),
    ],
)
def test_origins_are_compared_in_one_spelling(url: str, origin: str) -> None:
    assert origin_of(url) == origin
