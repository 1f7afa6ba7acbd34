"""Who is asking, once they have proven it."""

import zoneinfo
from dataclasses import dataclass
from typing import Self

from apps.accounts.models import Workspace
from apps.core.errors import MissingScope, StorageFull

MAY_INSERT = frozenset({"record"})  # what somebody may who only knows a secret address


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

    @classmethod
    def in_workspace(cls, workspace: Workspace, scopes: frozenset[str], address: str = "") -> Self:
        """Whoever acts in a workspace with those scopes; needs ``workspace.project`` at hand."""
        return cls(
            organization_id=workspace.project.organization_id,
            project_id=workspace.project_id,
            project_name=workspace.project.name,
            workspace_id=workspace.pk,
            time_zone=workspace.time_zone,
            address=address,
            scopes=scopes,
            storage_full=workspace.storage_full,
        )

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
