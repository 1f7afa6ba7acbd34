"""Ordering, changing and deleting environments: each order is checked at once and carried out by a job."""

import zoneinfo
from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.db import transaction

from apps.core.errors import BadRequest
from apps.environments import orders, provisioning, releases
from apps.environments.callers import OrganizationCaller
from apps.environments.models import Environment, EnvironmentJob, JobKind, Status
from apps.environments.packages import ADDON_GIGABYTES, PACKAGES, read_addon, read_package, read_region

LONGEST_NAME, LONGEST_DESCRIPTION = 128, 512
MOST_ADDONS = 100


def create_environment(
    caller: OrganizationCaller, *, name: Any, package: Any, region: Any, time_zone: Any = None, description: Any = None
) -> Environment:
    """Order an environment; it is ``creating`` until its job has made it ready.

    Raises ``BadRequest`` naming the value that cannot be read.
    """
    caller.require_manager()
    environment = Environment(
        organization_id=caller.organization_id,
        name=read_name(name),
        description=read_description(description),
        package_code=read_package(package).code,
        region=_served_region(region),
        time_zone=read_time_zone(time_zone),
        driver=settings.ENVIRONMENT_DRIVER,
        status=Status.CREATING,
    )
    with transaction.atomic():
        environment.version = releases.newest()
        environment.save()
        orders.begin(caller, environment, JobKind.CREATE, {})
    return environment


def upgrade_environment(
    caller: OrganizationCaller, environment_id: str | int, *, package: Any = None, storage: Any = None
) -> Environment:
    """Order a larger package, or 100 GB more; with a package ``storage`` is not even read."""
    with orders.changing(caller, environment_id) as environment:
        ordered = _size(environment, package, storage)
        orders.begin(caller, environment, JobKind.UPGRADE, ordered)
        # The answer shows what was ordered; the job notes it when it has come so far.
        environment.package_code, environment.storage_addons = ordered["package"], ordered["addons"]
    return environment


def update_version(caller: OrganizationCaller, environment_id: str | int) -> Environment:
    """Order the newest release of the platform."""
    with orders.changing(caller, environment_id) as environment:
        orders.begin(caller, environment, JobKind.UPDATE_VERSION, {})
    return environment


def optimize_environment(caller: OrganizationCaller, environment_id: str | int) -> Environment:
    """Order that space is given back."""
    with orders.changing(caller, environment_id) as environment:
        orders.begin(caller, environment, JobKind.OPTIMIZE, {})
    return environment


def delete_environment(caller: OrganizationCaller, environment_id: str | int) -> Environment:
    """Order the end of an environment and of everything in it."""
    with orders.changing(caller, environment_id) as environment:
        orders.begin(caller, environment, JobKind.DELETE, {})
    return environment


def retry(caller: OrganizationCaller, environment_id: str | int) -> EnvironmentJob:
    """Let the job that failed go on at the step where it failed; raises ``Conflict`` when none has."""
    with orders.changing(caller, environment_id) as environment:
        return orders.resume(environment)


def read_name(value: Any) -> str:
    """The name of an environment: a line of printable text; raises ``BadRequest``."""
    return _printable("name", value, LONGEST_NAME, required=True)


def read_description(value: Any) -> str:
    """The description of an environment, which may have lines; raises ``BadRequest``."""
    return _printable("description", value, LONGEST_DESCRIPTION, beside="\n\t")


def _printable(name: str, value: Any, longest: int, *, required: bool = False, beside: str = "") -> str:
    if value is None and not required:
        return ""
    text = value.strip().replace("\r\n", "\n") if isinstance(value, str) else None
    if text is None or (required and not text):
        raise BadRequest(f"{name} must be a text" + (" that is not empty." if required else "."))
    if len(text) > longest:
        raise BadRequest(f"{name} must be at most {longest} characters long.")
    if not all(character.isprintable() or character in beside for character in text):
        raise BadRequest(f"{name} holds characters that cannot be printed.")
    return text


def read_time_zone(name: Any) -> str:
    """A zone of the tz database, the installation's when none is named; raises ``BadRequest``."""
    if name is None or name == "":
        return settings.DEFAULT_TIME_ZONE
    if not isinstance(name, str) or name not in zoneinfo.available_timezones():
        raise BadRequest("timezone must be a name of the tz database, such as Europe/Amsterdam.")
    return name


def _served_region(name: Any) -> str:
    region = read_region(name)
    served = provisioning.DRIVERS[settings.ENVIRONMENT_DRIVER]().regions()
    if region not in served:
        raise BadRequest(f"This installation serves the regions {', '.join(sorted(served))}.")
    return region


def _size(environment: Environment, package: Any, storage: Any) -> Mapping[str, Any]:
    if package not in (None, ""):
        chosen = read_package(package)
        if list(PACKAGES).index(chosen.code) <= list(PACKAGES).index(environment.package_code):
            raise BadRequest(f"package must be larger than {environment.package_code}.")
        return {"package": chosen.code, "addons": environment.storage_addons}
    if storage in (None, ""):
        raise BadRequest("Send a package, or storage.")
    addons = environment.storage_addons + read_addon(storage) // ADDON_GIGABYTES
    if addons > MOST_ADDONS:
        raise BadRequest(f"storage can be added {MOST_ADDONS} times.")
    return {"package": environment.package_code, "addons": addons}
