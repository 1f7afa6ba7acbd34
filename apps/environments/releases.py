"""Releases of the platform, and what each asks of an environment's data."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from apps.environments.models import Environment, PlatformVersion

Upgrade = Callable[[Environment], None]


@dataclass(frozen=True, slots=True)
class Release:
    """A release: ``upgrades`` change the data of an environment's workspaces, in one transaction, once, in order."""

    version: str
    date: datetime
    blocking: bool = True
    changelog: str = ""
    upgrades: tuple[Upgrade, ...] = ()


# Oldest first; each becomes a row when it is first needed.
RELEASES: tuple[Release, ...] = (Release("v.0.1.0", datetime(2026, 11, 28, tzinfo=UTC)),)


def newest() -> PlatformVersion:
    """The release that new environments begin with."""
    return _row(RELEASES[-1])


def after(version: PlatformVersion) -> list[tuple[Release, PlatformVersion]]:
    """The releases that came later with their rows, oldest first; all of them when that one is not known any more."""
    names = [release.version for release in RELEASES]
    begin = names.index(version.version) + 1 if version.version in names else 0
    return [(release, _row(release)) for release in RELEASES[begin:]]


def upgrade(environment: Environment, release: Release) -> None:
    """Do what a release asks for."""
    for act in release.upgrades:
        act(environment)


def _row(release: Release) -> PlatformVersion:
    row, _ = PlatformVersion.objects.get_or_create(
        version=release.version,
        defaults={
            "date_created": release.date,
            "blocking_update": release.blocking,
            "changelog": release.changelog,
        },
    )
    return row
