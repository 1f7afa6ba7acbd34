"""What a flow may ask of the workspace it runs in: its clock, its zone, its options, its schema."""

import json
import random
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from apps.accounts.models import Workspace
from apps.contents.models import StaticData
from apps.core.errors import NotFound
from apps.core.jsonio import StoredJSONDecoder
from apps.core.timed_cache import TimedCache
from apps.flows.engine.host import Host, Options
from apps.keystores.models import fault_of_key
from apps.keystores.selectors import find_item
from apps.schemas.selectors import current, problems


@dataclass(frozen=True, slots=True)
class Surroundings:
    """The workspace of a record, its project, and the schema in force as (id, version)."""

    project_id: int
    project_name: str
    organization_id: int
    time_zone: str
    options: Options
    schema: tuple[int, int] | None


_surroundings: TimedCache[int, Surroundings] = TimedCache(lambda: 1.0, size=1000)
forget_hosts = _surroundings.clear


def surroundings_of(workspace_id: int) -> Surroundings:
    """Those of records of a workspace; they may be a second old."""
    return _surroundings.get_or_make(workspace_id, lambda: _load(workspace_id))


def host_of(workspace_id: int, ahead: timedelta) -> Host:
    """The world of records of a workspace; its options may be a second old.

    ``ahead`` is how far the database's clock is before ours: due times of all workers are set by that one clock.
    """
    around = surroundings_of(workspace_id)
    return Host(
        now=lambda: datetime.now(UTC) + ahead,
        monotonic=time.monotonic,
        random=random.random,
        validate=lambda data: _faults(around.schema, data),
        options=around.options,
        timezone=ZoneInfo(around.time_zone),
        keystore=lambda keystore, key: _kept(workspace_id, keystore, key),
        static=lambda: _static(workspace_id),
    )


def _faults(schema: tuple[int, int] | None, data: Any) -> list[dict[str, str]]:
    return [{"path": detail.path, "message": detail.message} for detail in problems(schema, data)]


def _kept(workspace_id: int, keystore: str, key: str) -> Any:
    """What is kept under a key at this moment; nothing where there is no such key, which stays so."""
    if fault_of_key(key):
        return None
    try:
        item = find_item(workspace_id, keystore, key)
    except NotFound:
        return None
    return None if item is None else json.loads(item.data, cls=StoredJSONDecoder)


def _static(workspace_id: int) -> Any:
    found = StaticData.objects.in_workspace(workspace_id).values_list("data", flat=True).first()
    return {} if found is None else found


def _load(workspace_id: int) -> Surroundings:
    workspace = Workspace.objects.select_related("project").get(pk=workspace_id)
    project = workspace.project
    return Surroundings(
        project_id=project.pk,
        project_name=project.name,
        organization_id=project.organization_id,
        time_zone=workspace.time_zone,
        options=Options(
            retries=project.retries,
            retry_delay=timedelta(minutes=project.retry_minutes),
            max_executions=project.max_executions,
        ),
        schema=current(workspace_id),
    )
