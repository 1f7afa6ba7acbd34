"""A record's trace as callers and the admin read it."""

import zoneinfo
from typing import Any

from apps.core import dates
from apps.flows.selectors import program
from apps.records.models import Record, Status
from apps.records.selectors import Step

DONE, FAILED, CURRENT = "Finished", "Failed", "Waiting"


def trace_of(record: Record, steps: list[Step], zone: zoneinfo.ZoneInfo) -> list[dict[str, Any]]:
    """One entry for each passed object and failed attempt, and one for the object the record stands on."""
    passed = [_entry(step, zone) for step in steps]
    if record.at and record.entered_at and record.status in (Status.NOT_RUNNING, Status.PROCESSING, Status.SCHEDULED):
        passed.append(_current(record, zone))
    return passed


def _entry(step: Step, zone: zoneinfo.ZoneInfo) -> dict[str, Any]:
    return {
        "id": step.object,
        "type": step.type,
        "text": step.text,
        "status": FAILED if step.error else DONE,
        "date_started": dates.render(step.started_at, zone),
        "date_finished": dates.render(step.finished_at, zone),
        "attempt": step.attempt,
        "error": step.error,
    }


def _current(record: Record, zone: zoneinfo.ZoneInfo) -> dict[str, Any]:
    node = program(record.flow_version_id).nodes.get(record.at)
    return {
        "id": record.at,
        "type": node.type if node else "",
        "text": node.text if node else record.at,
        "status": CURRENT,
        "date_started": dates.render(record.entered_at, zone),
        "date_finished": "",
        "attempt": record.attempt,
        "error": None,
    }
