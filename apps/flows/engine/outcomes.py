"""How a walk ends: what the host has to do with the record next."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal, TypedDict


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
class Call:
    """An app that is not pure is to be carried out; hand its result to ``complete`` in the same process.

    ``kind`` is the app's: an internal one belongs in the transaction of the checkpoint that follows it. ``config`` is
    rendered and fits the app's schema; read it, do not change it. ``timeout`` in seconds; ``idempotency_key`` stays the
    same over retries and crashes. ``started`` is the monotonic clock's ``started_at``. ``scope`` has the roots that the
    object's expressions can read.
    """

    object: str
    app: str
    kind: Literal["internal", "external"]
    config: dict[str, Any]
    timeout: float
    idempotency_key: str
    started_at: datetime
    started: float
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


Outcome = Finished | Waiting | Stopped | Call | Retry | Failed
