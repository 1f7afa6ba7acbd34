"""What an app answers: a result that leaves by a port, or an error that is retried or handled."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from .values import JSON


@dataclass(frozen=True, slots=True)
class AppResult:
    """The app is done and the record leaves by ``port``.

    ``output`` goes to the journal, ``save`` holds values to keep in ``vars`` by name, ``data`` is the record's new data
    (None leaves it as it is).
    """

    port: str
    output: JSON = None
    save: Mapping[str, JSON] = field(default_factory=dict)
    data: JSON = None


@dataclass(frozen=True, slots=True)
class AppError:
    """The app failed; ``code`` is what a retry's ``on`` matches: timeout, connection, http.404, ..."""

    code: str
    message: str


@dataclass(frozen=True, slots=True)
class Event:
    """What a webhook received: its id for the journal, its status, "" without one, and the payload."""

    id: str
    status: str
    payload: JSON


@dataclass(frozen=True, slots=True)
class Child:
    """A record that was launched: ``status`` is the number callers see, ``error`` is ``{code, message}`` or nothing.

    ``code`` is empty unless the child came to a bad end; then it is the error of the object that launched it.
    """

    uuid: str
    status: int
    data: JSON = None
    error: JSON = None
    code: str = ""


Answer = AppResult | AppError | Event | Child | None


def code_matches(code: str, patterns: tuple[str, ...]) -> bool:
    """Whether an error code is one of the patterns; ``http.5xx`` stands for every code from http.500 to http.599."""
    return code in patterns or (code.startswith("http.") and f"{code[:6]}xx" in patterns)
