"""What a record does under acts, time, drains and deaths, told again in a few lines; hours instead of timestamps.

Flows are lists of objects: ``wait`` for WAIT hours, ``tell`` the world outside, ``stop`` until somebody resumes it or
for STOP hours, ``set`` something, ``end``.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace

NEW, PROCESSING, FINISHED, FAILED, SCHEDULED, REVIEWED = 0, 1, 2, 3, 4, 5
NONE, PAUSED, STOPPED, ERROR = 0, 1, 2, 4  # holds
WAIT, STOP, RETRY, LEASE = 2.0, 5.0, 1.0, 0.5
RETRIES, MOST_CLAIMS = 1, 3


@dataclass(frozen=True)
class Model:
    """A record; ``wake``, ``saved`` and ``entered`` are hours of the model's clock."""

    flow: str
    objects: tuple[str, ...]
    version: int
    nonce: int
    wake: float | None
    status: int = NEW
    hold: int = NONE
    at: str = ""
    seq: int = 0
    run: int = 1
    attempt: int = 1
    claims: int = 0
    saved: float | None = None
    entered: float | None = None
    leased: bool = False
    error: str = ""


def is_due(record: Model, now: float, running: set[str]) -> bool:
    """Whether the next drain takes it."""
    return record.flow in running and record.wake is not None and record.wake <= now


def walk(record: Model, now: float, answers: bool) -> Iterator[Model]:
    """What is written down of a due record on its way, from its claim to where it comes to rest."""
    record = replace(record, status=PROCESSING, hold=NONE, leased=True, claims=record.claims + 1, wake=now + LEASE)
    if record.claims > MOST_CLAIMS:
        yield _rest(record, status=FAILED, hold=ERROR, error="crash_loop")
        return
    yield record
    if not record.at:
        record = replace(record, at="start")
    before = record.seq
    while True:
        if record.at == "tell" and (record.seq > before or record.claims > 1):
            record = replace(record, claims=1 if record.seq > before else record.claims, error="")
            yield record
        left = _execute(record, now, answers)
        if left.status != PROCESSING:
            yield _rest(left)
            return
        record = replace(left, seq=left.seq + 1, at=_next(left), attempt=1, entered=None)


def _next(record: Model) -> str:
    return record.objects[record.objects.index(record.at) + 1]


def _execute(record: Model, now: float, answers: bool) -> Model:
    """The record as the object leaves it: still being processed, or at rest."""
    match record.at:
        case "wait" if record.entered is None:
            return replace(record, status=SCHEDULED, wake=now + WAIT, entered=now, error="")
        case "stop" if record.entered is None:
            return replace(record, status=NEW, hold=STOPPED, wake=now + STOP, entered=now, error="")
        case "tell" if not answers and record.attempt <= RETRIES:
            return replace(record, status=SCHEDULED, wake=now + RETRY, attempt=record.attempt + 1, error="http.500")
        case "tell" if not answers:
            return replace(record, status=FAILED, hold=ERROR, seq=record.seq + 1, wake=None, error="http.500")
        case "end":
            return replace(record, status=FINISHED, seq=record.seq + 1, wake=None, error="")
    return record


def _rest(record: Model, **changes: object) -> Model:
    held = {"wake": None} if changes else {}
    return replace(record, leased=False, claims=0, **(held | changes))  # type: ignore[arg-type]


def place(record: Model, now: float) -> str:
    """Where it stands in the queue."""
    if record.status == PROCESSING:
        return "new" if record.wake is not None and record.wake <= now else "processing"
    if record.hold:
        return {PAUSED: "paused", STOPPED: "waiting", ERROR: "error"}[record.hold]
    if record.wake is None:
        return "none"
    return "scheduled" if record.status == SCHEDULED else "new"


ALLOWED = {
    "pause": {"new", "scheduled", "waiting"},
    "resume": {"paused"},
    "execute": {"new", "scheduled", "paused", "waiting"},
    "dequeue": {"new", "error", "scheduled", "paused", "waiting"},
    "continue": {"error"},
    "review": {"error"},
    "move": {"new", "error", "scheduled", "paused", "waiting", "none"},
    "update": {"new", "error", "scheduled", "paused", "waiting", "none"},
    "delete": {"new", "error", "scheduled", "paused", "waiting", "none"},
}


def act(record: Model, name: str, now: float) -> Model:
    """The record after a queue act that is allowed for it."""
    free = replace(record, leased=False)
    match name:
        case "pause":
            return replace(free, status=NEW, hold=PAUSED, saved=record.wake, wake=None)
        case "resume":
            later = record.saved is not None and record.saved > now
            return replace(
                free,
                status=SCHEDULED if later else NEW,
                hold=NONE,
                wake=record.saved if later else now,
                saved=None,
                entered=record.entered if record.saved is not None else None,
            )
        case "execute":
            return replace(free, status=NEW, hold=NONE, wake=now, saved=None)
        case "dequeue":
            status = NEW if record.status == PROCESSING else record.status
            return replace(free, status=status, hold=NONE, wake=None, saved=None)
        case "review":
            return replace(free, status=REVIEWED, hold=NONE, wake=None, saved=None)
    assert name == "continue"
    tried = record.error == "crash_loop" and record.attempt > 1  # its trace has an attempt at this step already
    entered = {"entered": None, "attempt": 1, "claims": 0, "error": "", "seq": record.seq + tried}
    return replace(free, status=NEW, hold=NONE, wake=now, saved=None, **entered)  # type: ignore[arg-type]


def moved(record: Model, flow: str, objects: tuple[str, ...], version: int, now: float) -> Model:
    """The record as it begins anew in another flow."""
    return Model(flow, objects, version, record.nonce, wake=now, run=record.run + 1)


def updated(record: Model, nonce: int) -> Model:
    """The record with another document; a lease that ran out is over."""
    return replace(record, nonce=nonce, leased=False, status=NEW if record.status == PROCESSING else record.status)
