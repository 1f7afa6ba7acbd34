"""Client addresses: reading an allowlist, matching against it, and finding who is behind the trusted proxies."""

import re
from collections.abc import Iterator, Sequence
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import TypeAlias

from apps.core.errors import BadRequest, Detail

Address: TypeAlias = IPv4Address | IPv6Address
Network: TypeAlias = IPv4Network | IPv6Network

_MAPPED = IPv6Network("::ffff:0:0/96")
_MOST_DETAILS = 50
_LONGEST_SHOWN = 60
_ENTRY = re.compile(r"[0-9A-Fa-f.:]+(?:/[0-9]{1,3})?")
_HOP = re.compile(r"(?P<ipv4>[0-9.]+)(?::[0-9]{1,5})?|\[(?P<bracketed>[0-9A-Fa-f:.]+)\](?::[0-9]{1,5})?|(?P<ipv6>.+)")


def parse_allowlist(text: str) -> tuple[Network, ...]:
    """Read addresses and CIDR networks separated by commas, spaces or line breaks; empty text is an empty list.

    Raises BadRequest with one detail a bad value, naming its line.
    """
    networks: list[Network] = []
    details: list[Detail] = []
    for line, entry in _entries(text):
        try:
            networks.append(_network(entry))
        except ValueError as error:
            shown = entry if len(entry) <= _LONGEST_SHOWN else entry[:_LONGEST_SHOWN] + "…"
            details.append(Detail(f"line {line}", f"Line {line}: {shown!r} {error}."))
    if details:
        raise BadRequest("The address list is not valid.", details=details[:_MOST_DETAILS])
    return tuple(networks)


def allows(networks: Sequence[Network], address: str) -> bool:
    """Whether the address lies in one of the networks; never for an empty address or one that cannot be read."""
    parsed = _parse(address)
    return parsed is not None and any(parsed in network for network in networks)


def client_address(
    peer: str, forwarded_for: str | None, trusted: Sequence[Network], *, trusted_unix: bool = False
) -> str:
    """The address a request came from: the peer, or the last hop of X-Forwarded-For that no trusted proxy vouches past.

    ``forwarded_for`` is the joined header value; ``peer`` is "" on a unix socket. An entry that cannot be read ends the
    walk at the hop before it, since whoever wrote it may have written the rest too.
    """
    parsed = _parse(peer)
    current = str(parsed) if parsed else peer
    if not (trusted_unix if peer == "" else allows(trusted, peer)):
        return current
    for entry in reversed((forwarded_for or "").split(",")):
        hop = _hop(entry.strip())
        if hop is None:
            break
        current = str(hop)
        if not any(hop in network for network in trusted):
            break
    return current


def _entries(text: str) -> Iterator[tuple[int, str]]:
    for number, line in enumerate(text.splitlines(), start=1):
        for entry in re.split(r"[,\s]+", line):
            if entry:
                yield number, entry


def _network(entry: str) -> Network:
    if not _ENTRY.fullmatch(entry):
        raise ValueError("is neither an address nor a CIDR network")
    try:
        network = ip_network(entry, strict=False)
    except ValueError:
        raise ValueError("is neither an address nor a CIDR network") from None
    written = ip_address(entry.partition("/")[0])
    if written != network.network_address:
        raise ValueError(f"has bits set beyond its prefix; the network is {network}")
    return _unmapped_network(network)


def _unmapped_network(network: Network) -> Network:
    if isinstance(network, IPv4Network) or not network.subnet_of(_MAPPED):
        return network
    mapped = network.network_address.ipv4_mapped
    return IPv4Network(f"{mapped}/{network.prefixlen - _MAPPED.prefixlen}")


@lru_cache(maxsize=4096)
def _parse(text: str) -> Address | None:
    """Read an address; a zone id only names the receiving interface, so it is dropped."""
    try:
        return _unmapped(ip_address(text.partition("%")[0]))
    except ValueError:
        return None


def _unmapped(address: Address) -> Address:
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        return address.ipv4_mapped
    return address


def _hop(entry: str) -> Address | None:
    """Read one entry of X-Forwarded-For, with or without a port; a zone id means nothing to another host."""
    found = _HOP.fullmatch(entry)
    if found is None or "%" in entry:
        return None
    return _parse(found["ipv4"] or found["bracketed"] or found["ipv6"])
