"""Which addresses are not on the public internet, spelt out because ``ipaddress`` calls several of them global."""

import socket
from ipaddress import IPv4Address, ip_address, ip_network

from apps.core.addresses import Address, Network

_NOT_PUBLIC: tuple[tuple[Network, str], ...] = tuple(
    (ip_network(network), what)
    for network, what in {
        "0.0.0.0/8": "unspecified",
        "10.0.0.0/8": "private",
        "100.64.0.0/10": "carrier-grade NAT",
        "127.0.0.0/8": "loopback",
        "168.63.129.16/32": "cloud metadata",
        "169.254.0.0/16": "link-local and cloud metadata",
        "172.16.0.0/12": "private",
        "192.0.0.0/24": "protocol assignments",
        "192.0.2.0/24": "documentation",
        "192.88.99.0/24": "6to4 relay",
        "192.168.0.0/16": "private",
        "198.18.0.0/15": "benchmarking",
        "198.51.100.0/24": "documentation",
        "203.0.113.0/24": "documentation",
        "224.0.0.0/4": "multicast",
        "240.0.0.0/4": "reserved",
        "::1/128": "loopback",
        "::/96": "unspecified and IPv4-compatible",
        "::ffff:0:0/96": "IPv4-mapped",
        "64:ff9b::/96": "NAT64",
        "64:ff9b:1::/48": "NAT64",
        "2001::/32": "Teredo",
        "2001::/23": "protocol assignments",
        "2001:db8::/32": "documentation",
        "2002::/16": "6to4",
        "3fff::/20": "documentation",
        "fc00::/7": "private",
        "fe80::/10": "link-local",
        "fec0::/10": "site-local",
        "ff00::/8": "multicast",
        # All that is left outside 2000::/3, the part of IPv6 that is in public use.
        "::/3": "reserved",
        "4000::/2": "reserved",
        "8000::/1": "reserved",
    }.items()
)


def not_public(address: Address) -> str | None:
    """What the address is reserved for, or None when it is public."""
    return next((what for network, what in _NOT_PUBLIC if address in network), None)


def literal_address(host: str) -> Address | None:
    """Read an address in any spelling that a system resolver takes for one: 127.1, 0x7f.1, 2130706433."""
    try:
        return ip_address(host)
    except ValueError:
        pass
    try:
        return IPv4Address(socket.inet_aton(host))
    except OSError:
        return None
