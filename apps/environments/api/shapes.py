"""Environments as the API shows them."""

from collections.abc import Sequence
from typing import Any

from apps.core import dates
from apps.environments.models import Deployment, Environment, PlatformVersion, Status, UrlMapping
from apps.environments.packages import ADDON_GIGABYTES
from apps.environments.quota import total_gigabytes
from apps.environments.selectors import certificate_of
from apps.environments.statistics import Statistics, statistics_of, statistics_of_all, storage_of


def shown(environment: Environment, *, stats: bool = True, certificate: bool = False) -> dict[str, Any]:
    """An environment; ``stats`` and ``ssl_certificate`` where the call has them, once there is something to measure."""
    data = _described(environment)
    if stats and environment.provisioned_at:
        data["stats"] = _stats(statistics_of(environment))
    if certificate:
        found = certificate_of(environment)
        data["ssl_certificate"] = found.parsed if found else None
    return data


def shown_all(environments: Sequence[Environment]) -> list[dict[str, Any]]:
    """A list of them, with ``stats``."""
    stats = statistics_of_all(environments)
    return [_described(one) | ({"stats": _stats(stats[one.pk])} if one.provisioned_at else {}) for one in environments]


def _described(environment: Environment) -> dict[str, Any]:
    storage = storage_of(environment)
    return {
        "id": str(environment.pk),
        "name": environment.name,
        "description": environment.description,
        "date_created": dates.render(environment.date_created, environment.zone),
        "date_updated": dates.render(environment.date_updated, environment.zone),
        "info": _info(environment),
        "status": environment.status,
        "projects": [str(row.project_id) for row in environment.deployments.all()],
        "package": {"name": environment.package.name, "code": environment.package.code},
        "software": {"current_version": _version(environment.version, environment)},
        "base_storage": environment.package.storage,
        "total_storage": total_gigabytes(environment),
        "storage_addons": [ADDON_GIGABYTES] * environment.storage_addons,
        "storage_info": {
            "used": storage.used,
            "total": storage.total,
            "used_percentage": storage.used_percentage,
            "available_percentage": storage.available_percentage,
        },
        "active": int(environment.status not in (Status.DELETING, Status.DELETED)),
        "ip": environment.address or "",
    }


def _info(environment: Environment) -> dict[str, str]:
    """The hosts, which are empty until they answer."""
    answers = environment.provisioned_at is not None
    return {
        "frontend_url": (environment.www_host or "") if answers else "",
        "api_url": (environment.api_host or "") if answers else "",
        "html_url": (environment.web_host or "") if answers else "",
        "timezone": environment.time_zone,
    }


def _version(version: PlatformVersion, environment: Environment) -> dict[str, Any]:
    return {
        "version": version.version,
        "date_created": dates.render(version.date_created, environment.zone),
        "blocking_update": int(version.blocking_update),
        "changelog": version.changelog,
    }


def _stats(found: Statistics) -> dict[str, Any]:
    return {
        "status": found.status,
        "current_storage": found.storage.used,
        **found.counts,
        "avg_performance": found.avg_performance,
        "peak_performance": found.peak_performance,
    }


def project_shown(deployment: Deployment, environment: Environment) -> dict[str, Any]:
    """A project in an environment."""
    return {
        "id": str(deployment.project_id),
        "name": deployment.project.name,
        "version": deployment.version,
        "date_created": dates.render(deployment.date_created, environment.zone),
        "date_updated": dates.render(deployment.date_updated, environment.zone),
    }


def url_shown(mapping: UrlMapping, environment: Environment) -> dict[str, Any]:
    """An address of the html host."""
    return {
        "url": mapping.url,
        "project_id": mapping.project_id,
        "name": mapping.name,
        "type": mapping.type,
        "date_created": dates.render(mapping.date_created, environment.zone),
        "date_updated": dates.render(mapping.date_updated, environment.zone),
    }
