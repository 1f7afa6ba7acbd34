"""The record an app works for, as it is known inside the house."""

from dataclasses import dataclass

from apps.applications.caller import Caller
from apps.applications.scopes import SCOPES


@dataclass(frozen=True, slots=True)
class Place:
    """The record an app works for, and the tenant it belongs to; ``run_no`` counts its runs from 1."""

    workspace_id: int
    project_id: int
    project_name: str
    organization_id: int
    time_zone: str
    record_id: int
    uuid: str
    flow_id: int
    flow_name: str
    run_no: int
    application_id: int | None

    def caller(self) -> Caller:
        """The flow as services know callers: whoever may publish a flow may have it do everything in its workspace."""
        return Caller(
            organization_id=self.organization_id,
            project_id=self.project_id,
            project_name=self.project_name,
            workspace_id=self.workspace_id,
            time_zone=self.time_zone,
            address="",
            scopes=frozenset(SCOPES),
            application_id=self.application_id,
        )
