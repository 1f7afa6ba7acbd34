"""Releases of the platform, and what each asks of an environment's data."""

from collections.abc import Callable

from apps.environments.models import Environment, PlatformVersion

Upgrade = Callable[[Environment], None]

# By release: functions that change the data of an environment's workspaces. They run in one transaction, once, and in
# this order; a release without an entry asks for nothing.
UPGRADES: dict[str, tuple[Upgrade, ...]] = {}


def newest() -> PlatformVersion:
    """The release that new environments begin with."""
    return PlatformVersion.objects.all()[0]


def after(version: PlatformVersion) -> list[PlatformVersion]:
    """The releases that came later, oldest first."""
    return list(PlatformVersion.objects.filter(date_created__gt=version.date_created).order_by("date_created", "id"))


def upgrade(environment: Environment, release: PlatformVersion) -> None:
    """Do what a release asks for."""
    for act in UPGRADES.get(release.version, ()):
        act(environment)
