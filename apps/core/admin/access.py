"""What one person may see and do, organization by organization."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast

from django.http import HttpRequest

# Each role includes those before it; the same words as accounts.Role, which this layer may not import, and above them
# those who run the installation.
LADDER = ("viewer", "operator", "developer", "owner", "superuser")
OWNER = "owner"
_KEPT = "_flowize_access"


@dataclass(frozen=True, slots=True)
class Access:
    """The roles of one person: ``roles`` by organization id, ``everything`` for superusers."""

    everything: bool
    roles: Mapping[int, str]

    def organizations(self, least: str) -> frozenset[int]:
        """The organizations in which the person's role is ``least`` or more."""
        return frozenset(key for key, role in self.roles.items() if LADDER.index(role) >= LADDER.index(least))

    def allows(self, least: str, organization_id: int | None = None) -> bool:
        """Whether the role is ``least`` or more in that organization, or in any when none is named."""
        if self.everything:
            return True
        allowed = self.organizations(least)
        return bool(allowed) if organization_id is None else organization_id in allowed

    def role(self, organization_id: int) -> str:
        """The role in an organization the person is known to belong to; superusers are owners everywhere."""
        return OWNER if self.everything else self.roles[organization_id]


def access_of(request: HttpRequest) -> Access:
    """The access of the person behind a request, read once for each request."""
    known = getattr(request, _KEPT, None)
    if known is None:
        known = _read(request.user)
        setattr(request, _KEPT, known)
    return cast(Access, known)


def _read(user: Any) -> Access:
    if not (user.is_active and user.is_staff):
        return Access(everything=False, roles={})
    if user.is_superuser:
        return Access(everything=True, roles={})
    return Access(everything=False, roles=dict(user.memberships.values_list("organization_id", "role")))
