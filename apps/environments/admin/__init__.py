"""Pages of environments and of the versions of projects."""

from apps.environments.admin.environments import EnvironmentAdmin
from apps.environments.admin.project_versions import ProjectVersionAdmin

__all__ = ["EnvironmentAdmin", "ProjectVersionAdmin"]
