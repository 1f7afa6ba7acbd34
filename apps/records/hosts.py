"""What a flow may ask of the workspace it runs in: its clock, its zone, its options, its schema."""

import random
import time
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from apps.accounts.models import Workspace
from apps.core.timed_cache import TimedCache
from apps.flows.engine.host import Host, Options
from apps.schemas.selectors import current, problems

_settings: TimedCache[int, tuple[Options, ZoneInfo, tuple[int, int] | None]] = TimedCache(lambda: 1.0, size=1000)
forget_hosts = _settings.clear


def host_of(workspace_id: int, ahead: timedelta) -> Host:
    """The world of records of a workspace; its options may be a second old.

    ``ahead`` is how far the database's clock is before ours: due times of all workers are set by that one clock.
    """
    options, zone, schema = _settings.get_or_make(workspace_id, lambda: _load(workspace_id))
    return Host(
        now=lambda: datetime.now(UTC) + ahead,
        monotonic=time.monotonic,
        random=random.random,
        validate=lambda data: _faults(schema, data),
        options=options,
        timezone=zone,
    )


def _faults(schema: tuple[int, int] | None, data: Any) -> list[dict[str, str]]:
    return [{"path": detail.path, "message": detail.message} for detail in problems(schema, data)]


def _load(workspace_id: int) -> tuple[Options, ZoneInfo, tuple[int, int] | None]:
    workspace = Workspace.objects.select_related("project").get(pk=workspace_id)
    project = workspace.project
    options = Options(
        retries=project.retries,
        retry_delay=timedelta(minutes=project.retry_minutes),
        max_executions=project.max_executions,
    )
    return options, workspace.zone, current(workspace_id)
