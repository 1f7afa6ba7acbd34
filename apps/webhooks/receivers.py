"""From the uri of a delivery to its webhook: one query, remembered for a moment.

A webhook that is replaced, switched off or removed takes no more within ``CREDENTIAL_CACHE_SECONDS``.
"""

import zoneinfo
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network
from typing import Self

from django.conf import settings
from django.db.models import Exists, OuterRef, Q

from apps.accounts.hosts import is_environment_host
from apps.accounts.models import Workspace
from apps.applications.caller import Caller
from apps.core import addresses, tokens
from apps.core.errors import AddressNotAllowed, NotFound
from apps.core.timed_cache import TimedCache
from apps.webhooks.models import Webhook


@dataclass(frozen=True, slots=True)
class Receiver:
    """A webhook as deliveries meet it."""

    webhook_id: int
    workspace_id: int
    project_id: int
    project_name: str
    organization_id: int
    time_zone: str
    identifier_path: str
    status_path: str
    batch: bool
    flow: str
    networks: tuple[IPv4Network | IPv6Network, ...]
    rate_limit: int
    storage_full: bool

    @classmethod
    def of(cls, webhook: Webhook) -> Self:
        """That of a row with its workspace and project at hand."""
        workspace = webhook.workspace
        return cls(
            webhook_id=webhook.pk,
            workspace_id=workspace.pk,
            project_id=workspace.project_id,
            project_name=workspace.project.name,
            organization_id=workspace.project.organization_id,
            time_zone=workspace.time_zone,
            identifier_path=webhook.identifier_path,
            status_path=webhook.status_path,
            batch=webhook.batch,
            flow=webhook.flow,
            networks=addresses.parse_allowlist(webhook.addresses),
            rate_limit=webhook.rate_limit,
            storage_full=workspace.storage_full,
        )

    @property
    def zone(self) -> zoneinfo.ZoneInfo:
        """The zone that dates are rendered in."""
        return zoneinfo.ZoneInfo(self.time_zone)

    def caller(self, address: str) -> Caller:
        """The sender as services know callers: it may insert records and nothing else."""
        return Caller(
            organization_id=self.organization_id,
            project_id=self.project_id,
            project_name=self.project_name,
            workspace_id=self.workspace_id,
            time_zone=self.time_zone,
            address=address,
            scopes=frozenset({"record"}),
            storage_full=self.storage_full,
        )


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
    """The copy in the workspace that ``host`` serves; on hosts of no environment else that in the Designer's."""
    served = Workspace.objects.filter(project=OuterRef("workspace__project"), api_host=host)
    here = Q(workspace__api_host=host)
    if not is_environment_host(host):
        here = here | Q(~Exists(served), workspace__api_host="")
    rows = Webhook.objects.filter(here, uri_hash=uri_hash, active=True).select_related("workspace__project")
    webhook = rows.first()
    if webhook is None:
        raise NotFound
    return Receiver.of(webhook)
