"""What an environment may hold, and marking its workspaces when that is used up.

Callers carry the mark of their workspace, so that a call that would store more is refused with 507 before it begins.
"""

from apps.accounts.models import Workspace
from apps.environments.models import Environment, Measure
from apps.environments.packages import ADDON_GIGABYTES, GIGABYTE


def total_gigabytes(environment: Environment) -> int:
    """What was ordered: the package's storage and the additions."""
    return environment.package.storage + ADDON_GIGABYTES * environment.storage_addons


def total_bytes(environment: Environment) -> int:
    """The same in bytes."""
    return total_gigabytes(environment) * GIGABYTE


def judge(environment: Environment) -> bool:
    """Hold what was last measured against the quota, mark the workspaces, and return whether it is used up."""
    measure = Measure.objects.filter(environment=environment).first()
    full = measure is not None and measure.used >= total_bytes(environment)
    Measure.objects.filter(environment=environment).exclude(full=full).update(full=full)
    workspaces = Workspace.objects.filter(deployment__environment=environment)
    workspaces.exclude(storage_full=full).update(storage_full=full)
    return full
