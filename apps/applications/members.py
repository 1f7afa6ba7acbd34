"""Members as callers: what each role may do in the admin, in the words of scopes."""

from apps.accounts.models import Role, Workspace
from apps.applications.caller import Caller
from apps.applications.scopes import SCOPES

_READS = frozenset(name for name in SCOPES if name.endswith(".read"))
ROLE_SCOPES: dict[Role, frozenset[str]] = {
    Role.OWNER: frozenset(SCOPES),
    Role.DEVELOPER: frozenset(SCOPES),
    Role.OPERATOR: _READS | {"record", "record.delete", "webhook", "batch"},
    Role.VIEWER: _READS,
}


def member_caller(workspace: Workspace, role: Role, address: str = "") -> Caller:
    """The caller a member of ``role`` is when acting on a workspace; needs ``workspace.project`` at hand."""
    return Caller.in_workspace(workspace, ROLE_SCOPES[role], address)
