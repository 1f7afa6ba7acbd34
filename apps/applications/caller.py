"""Who is asking, once they have proven it."""

import zoneinfo
from dataclasses import dataclass

from apps.core.errors import MissingScope, StorageFull


@dataclass(frozen=True, slots=True)
class Caller:
    """The tenant, the application and the rights behind one call; the same for REST, SOAP and the admin.

    ``application_id`` is ``None`` for the project key alone and for people in the admin.
    """

    organization_id: int
    project_id: int
    project_name: str
    workspace_id: int
    time_zone: str
    address: str
    scopes: frozenset[str]
    application_id: int | None = None
    default_flow: str = ""
    rate_limit: int = 0
    storage_full: bool = False

    def require(self, scope: str) -> None:
        """Raise ``MissingScope`` unless the caller holds ``scope``, directly or by implication."""
        if scope not in self.scopes:
            raise MissingScope

    def require_room(self) -> None:
        """Raise ``StorageFull`` when the workspace's environment takes nothing more; asked before storing anything."""
        if self.storage_full:
            raise StorageFull

    @property
    def zone(self) -> zoneinfo.ZoneInfo:
        """The zone that dates are rendered in."""
        return zoneinfo.ZoneInfo(self.time_zone)

    @property
    def rate_key(self) -> str:
        """The counter of this caller's rate limit."""
        return f"application:{self.application_id}" if self.application_id else f"project:{self.project_id}"
