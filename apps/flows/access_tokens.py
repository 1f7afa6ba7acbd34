"""OAuth 2 access tokens of connections, bought with client credentials (RFC 6749, 4.4).

A token is kept encrypted beside its connection until shortly before it ends, so that all workers use one. Asking for
one takes a connection to the database for two short statements, none while the token address is waited for.
"""

import re
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import quote_plus, urlencode
from weakref import WeakValueDictionary

from django.db import connection as database
from django.db.models import QuerySet
from django.utils import timezone

from apps.core.crypto import Undecipherable
from apps.core.egress import EgressError, EgressErrorCode, EgressPolicy, EgressRequest, EgressResponse, fetch
from apps.core.errors import BadRequest
from apps.core.jsonio import read_json
from apps.flows.credentials import basic
from apps.flows.models import ClientAuth, Connection, ConnectionSecret

UNKNOWN_LIFE = 300
LONGEST_LIFE = 7 * 24 * 3600
_TOKEN = re.compile(r"[\x21-\x7e]{1,8000}")
# What RFC 6749, 5.2 lets a token address say; anything else might repeat what it was sent.
_ERRORS = frozenset(
    {
        "invalid_request",
        "invalid_client",
        "invalid_grant",
        "unauthorized_client",
        "unsupported_grant_type",
        "invalid_scope",
    }
)


class TokenRefused(Exception):
    """The token address gave no token; ``code`` is that of the step's error."""

    def __init__(self, code: str, message: str) -> None:
        self.code = code
        super().__init__(message)


@dataclass(frozen=True, slots=True)
class Issued:
    """A token and the last moment it is used."""

    token: str
    expires_at: datetime


def current_token(kept: ConnectionSecret) -> str:
    """The token as it was read, "" when there is none that lasts."""
    lasts = kept.token_expires_at is not None and kept.token_expires_at > timezone.now()
    return kept.token if lasts else ""


def new_token(connection: Connection, policy: EgressPolicy, timeout: float, refused: str = "") -> str:
    """A token other than ``refused``: one that somebody else has fetched meanwhile, else a fresh one.

    ``timeout`` in seconds. Raises TokenRefused and EgressError.
    """
    end = time.monotonic() + timeout
    with _one_at_a_time(connection.pk, timeout):
        rows = ConnectionSecret.objects.filter(pk=connection.pk, revision=connection.kept.revision)
        with _database():
            token = _kept_token(rows)
        if token and token != refused:
            return token
        issued = fetch_token(connection, policy, max(end - time.monotonic(), 0.001))
        with _database():
            rows.update(token=issued.token, token_expires_at=issued.expires_at)
        return issued.token


def _kept_token(rows: QuerySet[ConnectionSecret]) -> str:
    try:
        kept = rows.only("token", "token_expires_at").first()
    except Undecipherable:  # written with a key that is gone
        return ""
    return current_token(kept) if kept else ""


def fetch_token(connection: Connection, policy: EgressPolicy, timeout: float) -> Issued:
    """Buy a token; raises TokenRefused and EgressError."""
    form = {"grant_type": "client_credentials"}
    headers = {"Content-Type": "application/x-www-form-urlencoded", "Accept": "application/json"}
    if connection.scope:
        form["scope"] = connection.scope
    if connection.client_auth == ClientAuth.BODY:
        form |= {"client_id": connection.client_id, "client_secret": connection.kept.secret}
    else:
        headers["Authorization"] = basic(quote_plus(connection.client_id), quote_plus(connection.kept.secret))
    request = EgressRequest("POST", connection.token_url, headers, urlencode(form).encode(), timeout)
    return _read(fetch(request, policy))


def _read(response: EgressResponse) -> Issued:
    try:
        answer = read_json(response.body)
    except BadRequest:
        answer = None
    answer = answer if isinstance(answer, dict) else {}
    if response.status != 200:
        _refuse(response.status, answer.get("error"))
    token, life = answer.get("access_token"), answer.get("expires_in")
    kind = answer.get("token_type", "bearer")
    if not (isinstance(token, str) and _TOKEN.fullmatch(token) and isinstance(kind, str) and kind.lower() == "bearer"):
        raise TokenRefused("auth", "The token address answered without a bearer token.")
    return Issued(token, timezone.now() + timedelta(seconds=_usable(life)))


def _refuse(status: int, error: object) -> None:
    reason = f" ({error})" if isinstance(error, str) and error in _ERRORS else ""
    code = f"http.{status}" if status >= 500 or status == 429 else "auth"
    raise TokenRefused(code, f"The token address answered {status}{reason}.")


def _usable(life: Any) -> float:
    """For how long to use a token that lives so many seconds, a number or its text: not to the very end."""
    try:
        seconds = float(life)
    except (TypeError, ValueError):
        seconds = UNKNOWN_LIFE
    seconds = min(max(seconds, 0.0), LONGEST_LIFE) if seconds == seconds else UNKNOWN_LIFE
    return seconds - min(60.0, seconds / 4)


# Each connection has its own, for as long as anybody has a hold of it: strangers never wait for one another.
_locks: WeakValueDictionary[int, threading.Lock] = WeakValueDictionary()
_finding = threading.Lock()


def _lock_of(connection_id: int) -> threading.Lock:
    with _finding:
        return _locks.setdefault(connection_id, threading.Lock())


@contextmanager
def _one_at_a_time(connection_id: int, timeout: float) -> Iterator[None]:
    """The calls of a process wait for one token instead of each fetching its own."""
    lock = _lock_of(connection_id)
    if not lock.acquire(timeout=timeout):
        raise EgressError(EgressErrorCode.TIMEOUT, "The token address did not answer in time.")
    try:
        yield
    finally:
        lock.release()


@contextmanager
def _database() -> Iterator[None]:
    """A thread of calls keeps no connection to the database beyond the statement."""
    borrowed = database.connection is not None
    try:
        yield
    finally:
        if not borrowed:
            database.close()
