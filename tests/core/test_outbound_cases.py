"""The catalogue of addresses that outbound calls must not reach, whatever they are written as or hidden behind.

Every case goes the way of a flow: with redirects allowed, past a resolver that is not the system's, and with a server
on this machine that must not be reached.
"""

import gzip
import time
from collections.abc import Callable, Sequence
from ipaddress import ip_network

import pytest

from apps.core.egress import EgressError, EgressPolicy, EgressRequest, EgressResponse
from apps.core.redirects import follow
from tests.core.scripted import OK, dripping, endless, serving

NAMES = {
    "inside.test": ["127.0.0.1"],
    "mixed.test": ["93.184.215.14", "127.0.0.1"],
    "mapped.test": ["::ffff:127.0.0.1"],
    "metadata.test": ["169.254.169.254"],
}


def resolver(host: str, port: int) -> Sequence[str]:
    return NAMES[host.rstrip(".")]


def call(
    url: str, policy: EgressPolicy | None = None, timeout: float = 5.0, names: Callable[..., Sequence[str]] = resolver
) -> EgressResponse:
    return follow(EgressRequest("POST", url, {}, b"x", timeout), policy or EgressPolicy(), most=5, resolver=names)


@pytest.mark.parametrize(
    ("url", "code"),
    [
        pytest.param("http://127.1:{port}/", "refused_address", id="OUT-002"),
        pytest.param("http://2130706433:{port}/", "refused_address", id="OUT-003"),
        pytest.param("http://0177.0.0.1:{port}/", "refused_address", id="OUT-005"),
        pytest.param("http://0:{port}/", "refused_address", id="OUT-006"),
        pytest.param("http://[::1]:{port}/", "refused_address", id="OUT-007"),
        pytest.param("http://[::ffff:127.0.0.1]:{port}/", "refused_address", id="OUT-008"),
        pytest.param("http://[64:ff9b::7f00:1]:{port}/", "refused_address", id="OUT-009"),
        pytest.param("http://[2002:7f00:1::]:{port}/", "refused_address", id="OUT-010"),
        pytest.param("http://①②⑦.0.0.1:{port}/", "refused_address", id="OUT-012"),
        pytest.param("http://169.254.169.254/latest/meta-data/", "refused_address", id="OUT-013"),
        pytest.param("http://100.64.0.1:{port}/", "refused_address", id="OUT-014"),
        pytest.param("http://224.0.0.1:{port}/", "refused_address", id="OUT-015"),
        pytest.param("http://user:pass@127.0.0.1:{port}/", "bad_url", id="OUT-018"),
        pytest.param("http://allowed.test@127.0.0.1:{port}/", "bad_url", id="OUT-019"),
        pytest.param("file:///etc/passwd", "bad_url", id="OUT-021"),
        pytest.param("http://inside.test:{port}/", "refused_address", id="name"),
        pytest.param("http://INSIDE.test.:{port}/", "refused_address", id="name-with-dot"),
        pytest.param("http://mixed.test:{port}/", "refused_address", id="name-of-two"),
        pytest.param("http://mapped.test:{port}/", "refused_address", id="name-mapped"),
        pytest.param("http://metadata.test/", "refused_address", id="name-metadata"),
        pytest.param("http://[fd00:ec2::254]/", "refused_address", id="metadata-v6"),
        pytest.param("http://100.100.100.200/", "refused_address", id="metadata-nat"),
        pytest.param("http://[::ffff:0:7f00:1]/", "refused_address", id="translated"),
        pytest.param("http://[2001:0:7f00:1::]/", "refused_address", id="teredo"),
        pytest.param("http://0x7f000001:{port}/", "refused_address", id="hexadecimal"),
        pytest.param("http://127.0.0.1%00.public.test:{port}/", "bad_url", id="nul"),
        pytest.param("http://127.0.0.1%2f.public.test:{port}/", "bad_url", id="escaped"),
    ],
)
def test_an_address_inside_is_not_reached(url: str, code: str) -> None:
    with serving(OK) as sink:
        with pytest.raises(EgressError) as caught:
            call(url.format(port=sink.port))
        assert caught.value.code == code
    assert sink.connections == 0


def test_out_017_a_name_that_changes_its_address_is_called_at_the_one_that_was_judged() -> None:
    answers = [["127.0.0.2"], ["127.0.0.1"]]
    policy = EgressPolicy(allow=(ip_network("127.0.0.2/32"),))
    with serving(OK) as sink:
        with pytest.raises(EgressError) as caught:
            call(f"http://rebind.test:{sink.port}/", policy, names=lambda host, port: answers.pop(0))
        assert caught.value.code == "connection"
    assert sink.connections == 0
    assert answers == [["127.0.0.1"]]


def test_out_024_each_hop_of_a_redirect_is_looked_up_and_judged() -> None:
    policy = EgressPolicy(allow=(ip_network("127.0.0.1/32"),))
    lookups: list[str] = []

    def names(host: str, port: int) -> Sequence[str]:
        lookups.append(host)
        return ["127.0.0.1"] if host == "public.test" else ["127.0.0.2"]

    with serving(OK) as inside:
        hop = f"HTTP/1.1 307 See\r\nLocation: http://inside.test:{inside.port}/\r\nContent-Length: 0\r\n\r\n".encode()
        with serving(hop) as sink, pytest.raises(EgressError) as caught:
            call(f"http://public.test:{sink.port}/redirect", policy, names=names)
    assert caught.value.code == "refused_address"
    assert lookups == ["public.test", "inside.test"]
    assert inside.connections == 0


LOCAL = EgressPolicy(allow=(ip_network("127.0.0.0/8"),), max_response_bytes=100_000)


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (endless, "too_large"),
        (dripping(b"HTTP/1.1 200 OK\r\nContent-Length: 50000\r\n\r\n"), "timeout"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 10000000000\r\n\r\n", "too_large"),
        (dripping(*[b"HTTP/1.1 100 Continue\r\n\r\n"] * 3), "timeout"),
    ],
    ids=["endless", "slow", "huge", "never-begun"],
)
def test_out_025_an_answer_without_end_is_left(answer: object, code: str) -> None:
    with serving(answer) as sink, pytest.raises(EgressError) as caught:  # type: ignore[arg-type]
        call(f"http://127.0.0.1:{sink.port}/", LOCAL, timeout=0.4)
    assert caught.value.code == code


def test_out_025_what_is_compressed_stays_so() -> None:
    bomb = gzip.compress(bytes(50_000_000))
    head = f"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: {len(bomb)}\r\n\r\n".encode()
    with serving(head + bomb) as sink:
        assert call(f"http://127.0.0.1:{sink.port}/", LOCAL).body == bomb
    assert b"Accept-Encoding: identity\r\n" in sink.requests[0]


def test_out_025_redirects_share_one_deadline() -> None:
    def slowly(connection: object) -> None:
        time.sleep(0.15)
        connection.sendall(b"HTTP/1.1 302 See\r\nLocation: /\r\nContent-Length: 0\r\n\r\n")  # type: ignore[attr-defined]

    with serving(slowly) as sink, pytest.raises(EgressError) as caught:
        call(f"http://127.0.0.1:{sink.port}/", LOCAL, timeout=0.4)
    assert caught.value.code == "timeout"
    assert sink.connections <= 4
