"""Triggers as services know callers: what they may do, and in whose name."""

from dataclasses import replace

from apps.accounts.models import Workspace
from apps.applications.caller import MAY_INSERT, Caller
from apps.applications.models import Application
from apps.applications.scopes import expand


def trigger_caller(workspace: Workspace, application: Application | None) -> Caller:
    """The caller that a trigger of ``workspace`` is: its application, or nobody who may insert records."""
    if application is None:
        return Caller.in_workspace(workspace, MAY_INSERT)
    caller = Caller.in_workspace(workspace, expand(application.scopes))
    return replace(caller, application_id=application.pk, default_flow=application.default_flow)
