"""The record as the walker sees it, and the journal of its steps."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from .outcomes import Error
from .values import JSON, encode

MAX_OUTPUT = 8192
PREVIEW = 2000


@dataclass(slots=True)
class Token:
    """Where a record stands in its flow, and what it carries.

    ``at`` is an object's id, "" before the start; ``seq`` counts the objects left in this run, ``attempt`` those at the
    current one, from 1. ``entered_at`` is set while the record waits at it, ``began`` is when the run began. ``state``
    is kept for the walker: ``executions`` by object, ``handled``, ``error`` as the last one handled, ``intent`` as the
    call that must not be made twice, ``moves`` from flow to flow. ``changed`` says that data, vars or state are no
    longer those that were loaded. The walker replaces these three, it never changes them in place.
    """

    uuid: str
    flow_name: str
    run_no: int
    at: str = ""
    seq: int = 0
    attempt: int = 1
    entered_at: datetime | None = None
    began: datetime | None = None
    data: JSON = field(default_factory=dict)
    vars: dict[str, Any] = field(default_factory=dict)
    state: dict[str, Any] = field(default_factory=dict)
    changed: bool = False


@dataclass(frozen=True, slots=True)
class StepDone:
    """One line of the journal: an attempt at an object.

    ``seq`` counts from 1 without gaps, failed attempts of one visit share it and differ by ``attempt``. ``port`` is the
    one the record left by, "" when it left by none. ``ms`` in milliseconds. ``output`` is at most 8 kB as JSON.
    """

    seq: int
    attempt: int
    object: str
    type: str
    text: str
    port: str
    started_at: datetime
    ms: int
    error: Error | None = None
    output: JSON = None


def bounded_output(output: JSON) -> JSON:
    """The output itself, or a marker with its size and its beginning when it is over 8 kB."""
    if output is None:
        return None
    text = encode(output)
    size = len(text) if text.isascii() else len(text.encode())
    if size <= MAX_OUTPUT:
        return output
    return {"truncated": True, "size": size, "preview": text[:PREVIEW]}
