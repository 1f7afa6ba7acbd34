from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.core.addresses import allows, client_address, parse_allowlist
from apps.core.errors import BadRequest, Detail

PROXIES = parse_allowlist("10.0.0.0/8 fd00::/8")


def test_empty_text_is_an_empty_list_that_allows_nobody() -> None:
    assert parse_allowlist("") == ()
    assert parse_allowlist(" \n , \r\n") == ()
    assert not allows((), "192.0.2.1")


def test_commas_spaces_and_line_breaks_separate() -> None:
    assert parse_allowlist("192.0.2.1, 198.51.100.0/24\n2001:db8::/32\t::1\r\n0.0.0.0/0") == (
        IPv4Network("192.0.2.1/32"),
        IPv4Network("198.51.100.0/24"),
        IPv6Network("2001:db8::/32"),
        IPv6Network("::1/128"),
        IPv4Network("0.0.0.0/0"),
    )


def test_mapped_entries_become_their_ipv4_form() -> None:
    assert parse_allowlist("::ffff:192.0.2.1 ::ffff:10.0.0.0/104 ::ffff:0:0/96 ::/0") == (
        IPv4Network("192.0.2.1/32"),
        IPv4Network("10.0.0.0/8"),
        IPv4Network("0.0.0.0/0"),
        IPv6Network("::/0"),
    )


def test_every_bad_value_is_named_with_its_line() -> None:
    with pytest.raises(BadRequest) as refusal:
        parse_allowlist("192.0.2.1\n10.0.0.1/8, example.com\n\n2001:db8::1/64")
    nothing = "is neither an address nor a CIDR network."
    assert refusal.value.details == (
        Detail("line 2", "Line 2: '10.0.0.1/8' has bits set beyond its prefix; the network is 10.0.0.0/8."),
        Detail("line 2", f"Line 2: 'example.com' {nothing}"),
        Detail("line 4", "Line 4: '2001:db8::1/64' has bits set beyond its prefix; the network is 2001:db8::/64."),
    )


@pytest.mark.parametrize(
    "entry",
    [
        "10.0.0.0/33",
        "::/129",
        "10.0.0.0/255.0.0.0",
        "010.0.0.1",
        "127.1",
        "2130706433",
        "0x7f000001",
        "fe80::1%eth0",
        "10.0.0.0/",
        "/8",
        "1.2.3.4:80",
        "[::1]",
        "*",
        "①.2.3.4",
        "10.0.0.0/٨",
        "1.2.3.4\x00",
    ],
)
def test_what_is_no_address_is_refused(entry: str) -> None:
    with pytest.raises(BadRequest) as refusal:
        parse_allowlist(f"192.0.2.1 {entry}")
    assert [detail.path for detail in refusal.value.details] == ["line 1"]


def test_long_garbage_is_shown_shortened_and_the_details_are_bounded() -> None:
    with pytest.raises(BadRequest) as refusal:
        parse_allowlist(("x" * 10_000 + "\n") * 200)
    assert len(refusal.value.details) == 50
    assert all(len(detail.message) < 150 for detail in refusal.value.details)


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("10.1.2.3", True),
        ("::ffff:10.1.2.3", True),
        ("::ffff:0a01:0203", True),
        ("11.0.0.1", False),
        ("fd00::1", True),
        ("fd00::1%eth0", True),
        ("fe80::1%eth0", False),
        ("", False),
        ("unknown", False),
        ("10.1.2.3:443", False),
        ("10.1.2.3 ", False),
        ("010.1.2.3", False),
        ("%eth0", False),
    ],
)
def test_matching(address: str, expected: bool) -> None:
    assert allows(PROXIES, address) is expected


def test_the_families_do_not_cover_one_another() -> None:
    assert not allows(parse_allowlist("0.0.0.0/0"), "2001:db8::1")
    assert not allows(parse_allowlist("::/0"), "192.0.2.1")
    assert not allows(parse_allowlist("::/0"), "::ffff:192.0.2.1")


@pytest.mark.parametrize(
    ("peer", "forwarded_for", "expected"),
    [
        ("203.0.113.9", None, "203.0.113.9"),
        ("203.0.113.9", "192.0.2.1", "203.0.113.9"),
        ("::ffff:203.0.113.9", None, "203.0.113.9"),
        ("10.0.0.1", None, "10.0.0.1"),
        ("10.0.0.1", "", "10.0.0.1"),
        ("10.0.0.1", "192.0.2.1", "192.0.2.1"),
        ("::ffff:10.0.0.1", "192.0.2.1", "192.0.2.1"),
        ("10.0.0.1", "198.51.100.7, 192.0.2.1", "192.0.2.1"),
        ("10.0.0.1", "198.51.100.7, 192.0.2.1, 10.9.9.9", "192.0.2.1"),
        ("10.0.0.1", "10.0.0.3,10.0.0.2", "10.0.0.3"),
        ("10.0.0.1", "192.0.2.1, unknown", "10.0.0.1"),
        ("10.0.0.1", "192.0.2.1, unknown, 10.0.0.2", "10.0.0.2"),
        ("10.0.0.1", "192.0.2.1,,10.0.0.2", "10.0.0.2"),
        ("10.0.0.1", "192.0.2.1:443", "192.0.2.1"),
        ("10.0.0.1", "[2001:db8::1]:443", "2001:db8::1"),
        ("10.0.0.1", "[2001:db8::1]", "2001:db8::1"),
        ("10.0.0.1", "2001:DB8::1", "2001:db8::1"),
        ("10.0.0.1", "::ffff:192.0.2.1", "192.0.2.1"),
        ("10.0.0.1", "fe80::1%eth0", "10.0.0.1"),
        ("10.0.0.1", "192.0.2.1:x", "10.0.0.1"),
        ("fd00::1%eth0", "192.0.2.1", "192.0.2.1"),
        ("testserver", "192.0.2.1", "testserver"),
    ],
)
def test_the_client_is_the_last_hop_not_vouched_past(peer: str, forwarded_for: str | None, expected: str) -> None:
    assert client_address(peer, forwarded_for, PROXIES) == expected


def test_without_trusted_proxies_the_header_counts_for_nothing() -> None:
    assert client_address("10.0.0.1", "192.0.2.1", ()) == "10.0.0.1"


def test_a_unix_socket_is_trusted_only_when_told() -> None:
    assert client_address("", "192.0.2.1", PROXIES) == ""
    assert client_address("", "192.0.2.1", PROXIES, trusted_unix=True) == "192.0.2.1"
    assert client_address("", "192.0.2.1, 10.0.0.2", PROXIES, trusted_unix=True) == "192.0.2.1"
    assert client_address("", "garbage", PROXIES, trusted_unix=True) == ""
    assert client_address("", None, PROXIES, trusted_unix=True) == ""


@given(st.ip_addresses())
def test_an_address_allows_itself_and_nobody_else(address: object) -> None:
    networks = parse_allowlist(str(address))
    assert allows(networks, str(address))
    neighbour = str(ip_address(int(networks[0].network_address) ^ 1)) if networks[0].version == 4 else "::2:3"
    assert allows(networks, neighbour) is (ip_address(neighbour) in networks[0])


@given(st.ip_addresses(), st.integers(0, 32))
def test_a_network_survives_being_written(address: object, prefix: int) -> None:
    network = ip_network(f"{address}/{prefix}", strict=False)
    assert parse_allowlist(str(network)) == (network,)


@given(st.text(), st.one_of(st.none(), st.text()))
def test_no_header_makes_the_walk_fail_or_invents_an_address(peer: str, forwarded_for: str | None) -> None:
    assert isinstance(client_address(peer, forwarded_for, PROXIES, trusted_unix=True), str)
    assert client_address("203.0.113.9", forwarded_for, PROXIES) == "203.0.113.9"
