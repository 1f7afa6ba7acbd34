"""From the secret of a call to its URL trigger: one query, remembered for a moment.

A trigger that is changed, switched off or removed takes no more as it was within ``CREDENTIAL_CACHE_SECONDS``.
"""

import zoneinfo
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network
from typing import Self

from django.conf import settings
from django.db.models import Q

from apps.accounts.copies import reached_on
from apps.applications.caller import Caller
from apps.core import addresses, tokens
from apps.core.errors import AddressNotAllowed, NotFound
from apps.core.timed_cache import TimedCache
from apps.triggers.callers import trigger_caller
from apps.triggers.models import UrlKind, UrlTrigger
from apps.webhooks.models import Webhook
from apps.webhooks.receivers import Receiver


@dataclass(frozen=True, slots=True)
class Entrance:
    """A URL trigger as calls meet it; ``caller`` lacks only the address, ``receiver`` is a Dynamic one's webhook."""

    trigger_id: int
    kind: str
    flow: str
    batch: bool
    seconds: int
    receiver: Receiver | None
    networks: tuple[IPv4Network | IPv6Network, ...]
    rate_limit: int
    caller: Caller

    @classmethod
    def of(cls, trigger: UrlTrigger) -> Self:
        """That of a row with its workspace, project and application at hand."""
        return cls(
            trigger_id=trigger.pk,
            kind=trigger.kind,
            flow=trigger.flow,
            batch=trigger.batch,
            seconds=trigger.seconds,
            receiver=_receiver_of(trigger),
            networks=addresses.parse_allowlist(trigger.addresses),
            rate_limit=trigger.rate_limit,
            caller=trigger_caller(trigger.workspace, trigger.application),
        )

    @property
    def workspace_id(self) -> int:
        """Whose records it makes."""
        return self.caller.workspace_id

    @property
    def zone(self) -> zoneinfo.ZoneInfo:
        """The zone that dates are rendered in."""
        return self.caller.zone


_entrances: TimedCache[tuple[str, str], Entrance] = TimedCache(lambda: settings.CREDENTIAL_CACHE_SECONDS)
forget_entrances = _entrances.clear


def find_entrance(secret: str, *, host: str, address: str) -> Entrance:
    """The active URL trigger that a call from ``address`` to ``secret`` on ``host`` reaches.

    Raises ``NotFound`` for an unknown secret and a trigger that is off, itself or by its application, which all look
    alike, and ``AddressNotAllowed``.
    """
    key = tokens.digest(secret)
    entrance = _entrances.get_or_make((key, host), lambda: _resolve(key, host))
    if not addresses.allows(entrance.networks, address):
        raise AddressNotAllowed
    return entrance


def _resolve(secret_hash: str, host: str) -> Entrance:
    on = Q(application=None) | Q(application__active=True, application__scopes__contains=["record"])
    rows = UrlTrigger.objects.filter(reached_on(host), on, secret_hash=secret_hash, active=True)
    trigger = rows.select_related("workspace__project", "application").first()
    if trigger is None:
        raise NotFound
    return Entrance.of(trigger)


def _receiver_of(trigger: UrlTrigger) -> Receiver | None:
    """The webhook that a Dynamic URL names, on or off: it is asked for its paths and those who listen."""
    if trigger.kind != UrlKind.DYNAMIC:
        return None
    rows = Webhook.objects.in_workspace(trigger.workspace_id).select_related("workspace__project")
    webhook = rows.filter(name=trigger.webhook).first()
    return Receiver.of(webhook) if webhook else None
