"""Which addresses of an environment's html host show what."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.db.models import OuterRef, Subquery
from django.utils import timezone

from apps.contents.models import HostedPage, Website
from apps.core.errors import BadRequest, Detail, NotFound
from apps.environments import orders
from apps.environments.callers import OrganizationCaller
from apps.environments.models import Deployment, Environment, MappingType, UrlMapping
from apps.environments.selectors import get_environment, row_number

MOST_ENTRIES = 500
MOST_MAPPINGS = 5_000
LONGEST_URL, LONGEST_NAME = 255, 128
_SEGMENT = re.compile(r"(?!\.{1,2}\Z)[A-Za-z0-9._~-]+")
# Addresses that mean something else on other hosts of the installation.
RESERVED = frozenset(
    {"v1", "o", "admin", "static", "healthz", "readyz", "metrics", ".well-known", "site", "page", "demo"}
)
MOST_SEGMENTS = 64


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of a call, read."""

    at: str
    project_id: int
    url: str
    type: MappingType
    name: str = ""


@dataclass(frozen=True, slots=True)
class Target:
    """What an address shows; ``rest`` is the path inside a website, ``bare`` says that the slash after it lacks."""

    workspace_id: int
    type: str
    name: str
    rest: str
    bare: bool


def list_urls(caller: OrganizationCaller, environment_id: str | int) -> tuple[Environment, list[UrlMapping]]:
    """The environment with all its addresses, in order."""
    environment = get_environment(caller.organization_id, environment_id)
    return environment, list(environment.url_mappings.all())


def map_urls(caller: OrganizationCaller, environment_id: str | int, body: Any) -> tuple[Environment, list[UrlMapping]]:
    """Map addresses, or map them to something else: all that are named, or none.

    Raises ``BadRequest`` listing every entry that cannot be read, ``NotFound`` for a project that is not in the
    environment or a website or page that the project does not have.
    """
    entries = _read(body, named=True)
    with orders.changing(caller, environment_id) as environment:
        for entry in entries:
            _require_target(environment, entry)
        for entry in entries:
            UrlMapping.objects.update_or_create(
                environment=environment,
                url=entry.url,
                defaults={"project_id": entry.project_id, "type": entry.type, "name": entry.name},
            )
        if environment.url_mappings.count() > MOST_MAPPINGS:
            raise BadRequest(f"An environment has at most {MOST_MAPPINGS} addresses.")
        _touch(environment)
    return environment, list(environment.url_mappings.all())


def unmap_urls(
    caller: OrganizationCaller, environment_id: str | int, body: Any
) -> tuple[Environment, list[UrlMapping]]:
    """Remove addresses: all that are named, or none; raises ``NotFound`` for one that is not mapped like that."""
    entries = _read(body, named=False)
    with orders.changing(caller, environment_id) as environment:
        for entry in entries:
            removed, _ = environment.url_mappings.filter(
                url=entry.url, project=entry.project_id, type=entry.type
            ).delete()
            if not removed:
                raise NotFound(f"The address {entry.url} is not mapped to that.")
        _touch(environment)
    return environment, list(environment.url_mappings.all())


def find_target(environment_id: int, path: str) -> Target | None:
    """What the html host of an environment shows at a path: the longest mapped address that it begins with."""
    segments = path[1:].removesuffix("/").split("/", MOST_SEGMENTS)[:MOST_SEGMENTS]
    ways = ["/" + "".join(f"{segment}/" for segment in segments[:number]) for number in range(len(segments) + 1)]
    here = Deployment.objects.filter(environment=OuterRef("environment"), project=OuterRef("project"))
    rows = UrlMapping.objects.filter(environment=environment_id, url__in=[way for way in ways if "\0" not in way])
    for row in sorted(rows.annotate(workspace=Subquery(here.values("workspace"))), key=lambda row: -len(row.url)):
        target = Target(row.workspace, row.type, row.name, path[len(row.url) :], path == row.url[:-1] != "")
        if row.workspace and (row.type == MappingType.WEBSITE or not target.rest):
            return target
    return None


def read_url(value: Any) -> str:
    """An address in its one spelling, with a slash at both ends; raises ``ValueError`` with what is wrong."""
    text = value.strip() if isinstance(value, str) else ""
    if not text.startswith("/") or len(text) > LONGEST_URL - 1:
        raise ValueError(f"Must be a path that begins with / and has at most {LONGEST_URL - 1} characters.")
    segments = text.strip("/").split("/") if text.strip("/") else []
    if text.startswith("//") or not all(map(_SEGMENT.fullmatch, segments)):
        raise ValueError("Must be a path of letters, digits, hyphens, dots, underscores and tildes.")
    if segments and segments[0].lower() in RESERVED:
        raise ValueError(f"Must not begin with /{segments[0]}.")
    return "/" + "".join(f"{segment}/" for segment in segments)


def _read(body: Any, *, named: bool) -> list[Entry]:
    if not isinstance(body, list) or not 0 < len(body) <= MOST_ENTRIES:
        raise BadRequest(f"The body must be a list of 1 to {MOST_ENTRIES} entries.")
    faults: list[Detail] = []
    entries = [_entry(item, f"/{number}", named, faults) for number, item in enumerate(body)]
    urls = [entry.url for entry in entries if entry]
    faults += [
        Detail(f"{entry.at}/url", "Is named twice.")
        for entry in entries
        if entry and urls.count(entry.url) > 1 and entry.at != f"/{urls.index(entry.url)}"
    ]
    if faults:
        raise BadRequest("The entries cannot be read.", details=faults)
    return [entry for entry in entries if entry]


def _entry(item: Any, at: str, named: bool, faults: list[Detail]) -> Entry | None:
    if not isinstance(item, dict):
        faults.append(Detail(at, "Must be an object."))
        return None
    before = len(faults)
    project = _part(item, "project_id", at, faults, _project_id)
    url = _part(item, "url", at, faults, read_url)
    kind = _part(item, "type", at, faults, _type)
    name = _part(item, "name", at, faults, _name) if named else ""
    return Entry(at, project, url, kind, name) if len(faults) == before else None


def _part(item: dict[str, Any], name: str, at: str, faults: list[Detail], read: Callable[[Any], Any]) -> Any:
    try:
        return read(item.get(name))
    except ValueError as error:
        faults.append(Detail(f"{at}/{name}", str(error)))
        return None


def _type(value: Any) -> MappingType:
    try:
        return MappingType(value.strip().lower() if isinstance(value, str) else value)
    except ValueError:
        raise ValueError("Must be website or hostedpage.") from None


def _project_id(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int | str) or not row_number(value):
        raise ValueError("Must be the id of a project.")
    return row_number(value)


def _name(value: Any) -> str:
    if not isinstance(value, str) or not value.strip() or len(value) > LONGEST_NAME:
        raise ValueError(f"Must be a text of 1 to {LONGEST_NAME} characters.")
    return value.strip()


def _require_target(environment: Environment, entry: Entry) -> None:
    deployment = environment.deployments.filter(project=entry.project_id).first()
    if deployment is None:
        raise NotFound(f"{entry.at}/project_id: the project is not in this environment.")
    if entry.type == MappingType.WEBSITE:
        there = Website.objects.in_workspace(deployment.workspace_id).filter(slug=entry.name).exists()
    else:
        there = HostedPage.objects.in_workspace(deployment.workspace_id).filter(name=entry.name).exists()
    if not there:
        kind = MappingType(entry.type).label.lower()
        raise NotFound(f"{entry.at}/name: the project has no {kind} {entry.name} in this environment.")


def _touch(environment: Environment) -> None:
    environment.date_updated = timezone.now()
    environment.save(update_fields=["date_updated"])
