"""How a walk ends: what the host has to do with the record next."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal, TypedDict

from .values import JSON


class Error(TypedDict):
    """Why an object failed: a code that a retry's ``on`` can name, and a sentence for people."""

    code: str
    message: str


@dataclass(frozen=True, slots=True)
class Finished:
    """The record reached an end; ``handled`` when an error was handled on the way."""

    handled: bool


@dataclass(frozen=True, slots=True)
class Waiting:
    """The record waits and goes on when ``until`` has come."""

    until: datetime


@dataclass(frozen=True, slots=True)
class Stopped:
    """The record is held until somebody resumes it, or until its timeout when it has one."""

    until: datetime | None


@dataclass(frozen=True, slots=True)
class Held:
    """The record waits for something that the host will tell it of, until ``until`` when that is given."""

    until: datetime | None


@dataclass(frozen=True, slots=True)
class Moved:
    """The record leaves for another flow, where it begins anew."""

    flow: str


@dataclass(frozen=True, slots=True)
class Request:
    """What only the host can do for an object; hand what comes of it to ``complete`` in the same process.

    ``started`` is the monotonic clock's ``started_at``.
    """

    object: str
    started_at: datetime
    started: float


@dataclass(frozen=True, slots=True)
class Listen(Request):
    """The oldest event of the webhook with that identifier which the record has not heard yet, as an ``Event``.

    Only events since ``since`` count, by default those since the run began. Answer nothing when there is none: the
    record is then held, and asks again when it is woken or ``until`` has come.
    """

    webhook: str
    identifier: str
    since: datetime | None


@dataclass(frozen=True, slots=True)
class Launch(Request):
    """A new record in another flow, as a ``Child``; asked for again, with the same ``key``, it is the same record.

    ``input`` is its document, nothing when it must be there already. With ``wait`` answer nothing until the child is
    finished or has failed; the record is held and asks again when it is woken.
    """

    flow: str
    input: JSON
    wait: bool
    key: str


@dataclass(frozen=True, slots=True)
class Move(Request):
    """The record is to begin anew in another flow: answer an ``AppResult`` when it can, else why it cannot."""

    flow: str


@dataclass(frozen=True, slots=True)
class Call(Request):
    """An app that is not pure is to be carried out.

    ``kind`` is the app's: an internal one belongs in the transaction of the checkpoint that follows it. ``config`` is
    rendered and fits the app's schema; read it, do not change it. ``timeout`` in seconds; ``idempotency_key`` stays the
    same over retries and crashes. ``once`` calls must never be made twice: see ``walk.note_intent``. ``scope`` has the
    roots that the object's expressions can read.
    """

    app: str
    kind: Literal["internal", "external"]
    config: dict[str, Any]
    timeout: float
    idempotency_key: str
    once: bool = False
    scope: Mapping[str, Any] = field(default_factory=dict, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Retry:
    """The object failed and is tried again at ``until``."""

    until: datetime
    error: Error


@dataclass(frozen=True, slots=True)
class Failed:
    """The record stays at the object that failed; nothing handles the error."""

    error: Error


Outcome = Finished | Waiting | Stopped | Held | Moved | Request | Retry | Failed
