from ipaddress import ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.core.public_addresses import literal_address, not_public


@pytest.mark.parametrize(
    ("address", "what"),
    [
        ("0.0.0.0", "unspecified"),
        ("10.255.255.255", "private"),
        ("100.64.0.1", "carrier-grade NAT"),
        ("127.0.0.1", "loopback"),
        ("168.63.129.16", "cloud metadata"),
        ("169.254.169.254", "link-local and cloud metadata"),
        ("172.31.0.1", "private"),
        ("192.0.0.8", "protocol assignments"),
        ("192.0.2.1", "documentation"),
        ("192.168.1.1", "private"),
        ("198.19.0.1", "benchmarking"),
        ("224.0.0.1", "multicast"),
        ("255.255.255.255", "reserved"),
        ("::", "unspecified and IPv4-compatible"),
        ("::1", "loopback"),
        ("::127.0.0.1", "unspecified and IPv4-compatible"),
        ("::ffff:127.0.0.1", "IPv4-mapped"),
        ("::ffff:8.8.8.8", "IPv4-mapped"),
        ("64:ff9b::7f00:1", "NAT64"),
        ("64:ff9b:1::1", "NAT64"),
        ("2001:0:1::1", "Teredo"),
        ("2001:db8::1", "documentation"),
        ("2002:7f00:1::", "6to4"),
        ("3fff::1", "documentation"),
        ("fc00::1", "private"),
        ("fd12::1", "private"),
        ("fe80::1", "link-local"),
        ("fec0::1", "site-local"),
        ("ff02::1", "multicast"),
        ("100::1", "reserved"),
        ("4000::1", "reserved"),
        ("5f00::1", "reserved"),
        ("a000::1", "reserved"),
    ],
)
def test_what_is_not_public_says_what_it_is(address: str, what: str) -> None:
    assert not_public(ip_address(address)) == what


@pytest.mark.parametrize("address", ["1.1.1.1", "172.32.0.1", "100.128.0.1", "2606:4700::1111", "2001:4860:4860::8888"])
def test_public_addresses_are_public(address: str) -> None:
    assert not_public(ip_address(address)) is None


@given(st.ip_addresses())
def test_whatever_the_standard_library_calls_private_is_not_public(address: object) -> None:
    parsed = ip_address(str(address))
    if not parsed.is_global or parsed.is_multicast or parsed.is_reserved:
        assert not_public(parsed) is not None


@pytest.mark.parametrize(
    ("host", "address"),
    [
        ("127.0.0.1", "127.0.0.1"),
        ("127.1", "127.0.0.1"),
        ("0x7f.1", "127.0.0.1"),
        ("0177.0.0.1", "127.0.0.1"),
        ("2130706433", "127.0.0.1"),
        ("0", "0.0.0.0"),
        ("::1", "::1"),
        ("example.com", None),
        ("1.2.3.4.5", None),
        ("", None),
    ],
)
def test_every_spelling_of_an_address_is_read_as_one(host: str, address: str | None) -> None:
    assert literal_address(host) == (ip_address(address) if address else None)
