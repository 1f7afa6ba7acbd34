"""What an environment can be ordered as: packages, regions, additions to its storage."""

from dataclasses import dataclass

from apps.core.errors import BadRequest

GIGABYTE = 10**9
ADDON_GIGABYTES = 100


@dataclass(frozen=True, slots=True)
class Package:
    """A size of environment: ``storage`` in gigabytes, ``concurrency`` as records that run at once."""

    code: str
    name: str
    storage: int
    concurrency: int


PACKAGES = {
    package.code: package
    for package in (
        Package("SS-A", "Single Server A", storage=20, concurrency=8),
        Package("SS-B", "Single Server B", storage=40, concurrency=16),
        Package("SS-C", "Single Server C", storage=80, concurrency=32),
        Package("SS-D", "Single Server D", storage=160, concurrency=64),
    )
}
REGIONS = ("amsterdam", "frankfurt", "london", "new york", "san francisco", "toronto", "bangalore", "singapore")


def read_package(code: object) -> Package:
    """The package of a code, in any case; raises ``BadRequest`` naming those there are."""
    found = PACKAGES.get(code.strip().upper()) if isinstance(code, str) else None
    if found is None:
        raise BadRequest(f"package must be one of {', '.join(PACKAGES)}.")
    return found


def read_region(name: object) -> str:
    """The name of a region in lower case; raises ``BadRequest`` naming those there are."""
    region = " ".join(name.lower().split()) if isinstance(name, str) else ""
    if region not in REGIONS:
        raise BadRequest(f"region must be one of {', '.join(REGIONS)}.")
    return region


def read_addon(storage: object) -> int:
    """The gigabytes to add, as number or digits; raises ``BadRequest`` for anything but ``ADDON_GIGABYTES``."""
    if isinstance(storage, bool) or str(storage).strip() != str(ADDON_GIGABYTES):
        raise BadRequest(f"storage must be {ADDON_GIGABYTES}: it grows by {ADDON_GIGABYTES} GB at a time.")
    return ADDON_GIGABYTES
