"""From the uri of a delivery to its webhook: one query, remembered for a moment.

A webhook that is replaced, switched off or removed takes no more within ``CREDENTIAL_CACHE_SECONDS``.
"""

import zoneinfo
from dataclasses import dataclass, replace
from ipaddress import IPv4Network, IPv6Network
from typing import Self

from django.conf import settings

from apps.accounts.copies import reached_on
from apps.applications.caller import MAY_INSERT, Caller
from apps.core import addresses, tokens
from apps.core.errors import AddressNotAllowed, NotFound
from apps.core.timed_cache import TimedCache
from apps.webhooks.models import Webhook


@dataclass(frozen=True, slots=True)
class Receiver:
    """A webhook as deliveries meet it; ``sender`` lacks only the address."""

    webhook_id: int
    identifier_path: str
    status_path: str
    batch: bool
    flow: str
    networks: tuple[IPv4Network | IPv6Network, ...]
    rate_limit: int
    sender: Caller

    @classmethod
    def of(cls, webhook: Webhook) -> Self:
        """That of a row with its workspace and project at hand."""
        return cls(
            webhook_id=webhook.pk,
            identifier_path=webhook.identifier_path,
            status_path=webhook.status_path,
            batch=webhook.batch,
            flow=webhook.flow,
            networks=addresses.parse_allowlist(webhook.addresses),
            rate_limit=webhook.rate_limit,
            sender=Caller.in_workspace(webhook.workspace, MAY_INSERT),
        )

    @property
    def workspace_id(self) -> int:
        """Where its events are stored."""
        return self.sender.workspace_id

    @property
    def zone(self) -> zoneinfo.ZoneInfo:
        """The zone that dates are rendered in."""
        return self.sender.zone

    def caller(self, address: str) -> Caller:
        """The sender as services know callers: it may insert records and nothing else."""
        return replace(self.sender, address=address)


_receivers: TimedCache[tuple[str, str], Receiver] = TimedCache(lambda: settings.CREDENTIAL_CACHE_SECONDS)
forget_receivers = _receivers.clear


def find_receiver(uri: str, *, host: str, address: str) -> Receiver:
    """The active webhook that deliveries from ``address`` to ``uri`` on ``host`` reach.

    Raises ``NotFound`` for an unknown uri and a webhook that is off, which look alike, and ``AddressNotAllowed``.
    """
    key = tokens.digest(uri)
    receiver = _receivers.get_or_make((key, host), lambda: _resolve(key, host))
    if not addresses.allows(receiver.networks, address):
        raise AddressNotAllowed
    return receiver


def _resolve(uri_hash: str, host: str) -> Receiver:
    rows = Webhook.objects.filter(reached_on(host), uri_hash=uri_hash, active=True)
    webhook = rows.select_related("workspace__project").first()
    if webhook is None:
        raise NotFound
    return Receiver.of(webhook)
