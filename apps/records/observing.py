"""What the execution of flows tells the metrics."""

import re
from collections.abc import Sequence
from typing import Any

from apps.core import metrics
from apps.flows.diagram.looks import LOOKS
from apps.records.models import Status

ENDED = {Status.FINISHED: "finished", Status.HANDLED: "handled", Status.FAILED: "failed"}
# Codes are words of the platform and its apps; only statuses of other services come from outside, as http.404.
_STATUS, _CODE = re.compile(r"http\.([1-5])\d\d"), re.compile(r"[a-z_]{1,40}(\.[a-z_]{1,20})?")


def note_claim(claimed: int, *, expired: bool) -> None:
    """A look for due records, or for one whose lease has ``expired``, and how many it found."""
    if not expired:
        metrics.count("claims", "yes" if claimed else "no")
    metrics.count("records_claimed", by=claimed)
    metrics.count("lease_expiries", by=claimed if expired else 0)


def note_checkpoint(kept: bool, status: Status, error_code: str, steps: Sequence[Any]) -> None:
    """A checkpoint with the steps it wrote down; when it was not ``kept`` nothing was written."""
    if not kept:
        metrics.count("leases_lost")
        return
    if status in ENDED:
        metrics.count("records_ended", ENDED[status])
    elif status is Status.SCHEDULED and error_code:
        metrics.count("retries")
    for step in steps:
        kind = step.type if step.type in LOOKS else "other"
        metrics.observe("object_seconds", step.ms / 1000, kind)
        if step.error:
            metrics.count("object_errors", kind, error_class(step.error.get("code", "")))


def note_call(app: str, seconds: float, error: str | None) -> None:
    """A call to another service, its error code when it failed."""
    metrics.count("external_calls", app, "ok" if error is None else error_class(error))
    metrics.observe("external_call_seconds", seconds, app)


def error_class(code: str) -> str:
    """An error code as a label: statuses of other services by their first digit, what is no code as ``other``."""
    if status := _STATUS.fullmatch(code):
        return f"http.{status[1]}xx"
    return code if _CODE.fullmatch(code) else "other"
