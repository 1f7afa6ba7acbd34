"""Pages of environments."""

from apps.environments.admin.environments import EnvironmentAdmin

__all__ = ["EnvironmentAdmin"]
