"""How many records may be in workers' hands at once: by flow, and by the host that serves their workspaces."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from django.db import connection

from apps.core.timed_cache import TimedCache

_LIMITED_FLOWS = "SELECT id FROM flows_flow WHERE status = 'running' AND concurrency > 0 ORDER BY id"
# The workspaces of one host share its limit; those of the Designer, which have no host, have each their own.
_LIMITED_HOSTS = """
SELECT CASE api_host WHEN '' THEN 'workspace:' || id ELSE api_host END, max(concurrency), array_agg(id ORDER BY id)
FROM accounts_workspace GROUP BY 1 HAVING max(concurrency) > 0 ORDER BY 1
"""
# Two claims that count at once would both find room for the same: whoever gets the lock counts, the other one passes
# over what it did not get. A statement of its own, so that the one that counts sees what the last holder has claimed.
_TAKE = "SELECT name FROM unnest(%s::text[], %s::bigint[]) AS t (name, key) WHERE pg_try_advisory_xact_lock(key)"


@dataclass(frozen=True, slots=True)
class Host:
    """Workspaces that share a limit."""

    name: str
    most: int
    workspaces: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Limits:
    """The flows and hosts that have a limit."""

    flows: tuple[int, ...] = ()
    hosts: tuple[Host, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.flows or self.hosts)


_known: TimedCache[str, Limits] = TimedCache(lambda: 1.0, size=1)
forget_limits = _known.clear


def known_limits() -> Limits:
    """The limits in force, which may be a second old."""
    return _known.get_or_make("", _read)


def _read() -> Limits:
    with connection.cursor() as cursor:
        cursor.execute(_LIMITED_FLOWS)
        flows = tuple(key for (key,) in cursor.fetchall())
        cursor.execute(_LIMITED_HOSTS)
        return Limits(flows, tuple(Host(name, most, tuple(members)) for name, most, members in cursor.fetchall()))


def take(limits: Limits) -> Limits:
    """Those of the limits that this transaction may count against until it ends."""
    names = [*(f"flow:{flow}" for flow in limits.flows), *(f"host:{host.name}" for host in limits.hosts)]
    with connection.cursor() as cursor:
        cursor.execute(_TAKE, [names, [_lock_key(name) for name in names]])
        held = {name for (name,) in cursor.fetchall()}
    return Limits(
        tuple(flow for flow in limits.flows if f"flow:{flow}" in held),
        tuple(host for host in limits.hosts if f"host:{host.name}" in held),
    )


def members(limits: Limits, held: Limits) -> tuple[Sequence[int], Sequence[int]]:
    """Each workspace of a limited host and the number of its pool: its place in ``held`` from 1, or -1."""
    places = {host.name: number for number, host in enumerate(held.hosts, 1)}
    pairs = [(key, places.get(host.name, -1)) for host in limits.hosts for key in host.workspaces]
    return [key for key, _ in pairs], [pool for _, pool in pairs]


def _lock_key(name: str) -> int:
    return int.from_bytes(hashlib.sha256(f"limit:{name}".encode()).digest()[:8], signed=True)
