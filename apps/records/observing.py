"""What the execution of flows tells the metrics."""

from collections.abc import Sequence
from typing import Any

from apps.core import metrics
from apps.flows.diagram.looks import LOOKS
from apps.records.models import Status

ENDED = {Status.FINISHED: "finished", Status.HANDLED: "handled", Status.FAILED: "failed"}
# Error codes of flows come from the platform, from apps and, as http.404, from other services.
_CODES = frozenset(
    {
        "timeout", "connection", "dns", "tls", "too_large", "refused_address", "bad_url",
        "bad_request", "expression", "template", "config", "set", "wait", "app",
        "output", "max_steps", "loop_guard", "unknown_object", "crash_loop", "defect",
    }
)  # fmt: skip


def note_claim(claimed: int, *, expired: bool) -> None:
    """A claim that found records; ``expired`` when their leases had run out."""
    if claimed:
        metrics.count("claims")
        metrics.count("records_claimed", by=claimed)
        if expired:
            metrics.count("lease_expiries", by=claimed)


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
    """An error code as a label: statuses of other services by their first digit, what we do not know as ``other``."""
    if code.startswith("http.") and code[5:6] in "12345" and len(code) == 8:
        return f"http.{code[5]}xx"
    return code if code in _CODES else "other"
