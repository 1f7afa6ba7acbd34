"""Triggers as services know callers: what they may do, and in whose name."""

from apps.accounts.models import Workspace
from apps.applications.caller import Caller
from apps.applications.models import Application
from apps.applications.scopes import expand


def trigger_caller(workspace: Workspace, application: Application | None) -> Caller:
    """The caller that a trigger of ``workspace`` is: its application, or nobody who may insert records."""
    return Caller(
        organization_id=workspace.project.organization_id,
        project_id=workspace.project_id,
        project_name=workspace.project.name,
        workspace_id=workspace.pk,
        time_zone=workspace.time_zone,
        address="",
        scopes=expand(application.scopes) if application else frozenset({"record"}),
        application_id=application.pk if application else None,
        default_flow=application.default_flow if application else "",
        storage_full=workspace.storage_full,
    )
