"""Setting up the connections of a workspace, and trying them."""

import re
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import F

from apps.applications.caller import Caller
from apps.core.crypto import Undecipherable
from apps.core.egress import EgressError, EgressRequest, check_url, is_free_header
from apps.core.errors import BadRequest, Conflict, Detail, NotFound
from apps.core.redirects import origin_of
from apps.flows.access_tokens import TokenRefused
from apps.flows.calling import call_service
from apps.flows.credentials import OutsideConnection, url_at
from apps.flows.models import CONNECTION_NAME, NAME_RULE, Connection, ConnectionKind, ConnectionSecret
from apps.flows.selectors import NoSecret, has_secret, with_secret

Faults = Iterator[tuple[str, str]]

_PRINTABLE = re.compile(r"[\x20-\x7e]*")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_LONGEST_SECRET = 8000
# What each kind cannot do without, beside its secret.
_NEEDED: dict[str, tuple[str, ...]] = {
    ConnectionKind.BASIC: ("username",),
    ConnectionKind.API_KEY: ("header",),
    ConnectionKind.OAUTH2: ("token_url", "client_id"),
}
_SETTINGS = ("description", "base_url", "kind", "username", "header", "token_url", "client_id", "scope", "client_auth")


def save_connection(caller: Caller, connection: Connection, secret: str = "") -> Connection:
    """Keep a new or changed connection; without ``secret`` it keeps the one it has. A name once kept stays.

    Raises ``BadRequest`` with the fields at fault, ``Conflict`` when the name is taken.
    """
    caller.require("flowdiagram")
    with transaction.atomic():
        before = _locked(caller, connection) if connection.pk else None
        faults = [Detail(field, message) for field, message in connection_faults(connection, secret, before)]
        if faults:
            raise BadRequest("The connection cannot be saved.", details=faults)
        kept = _create(caller, connection) if before is None else _change(before, connection)
        keep_secret(kept, secret)
    return kept


@dataclass(frozen=True, slots=True)
class Trial:
    """How a connection was answered: a status and the milliseconds it took, or else what went wrong."""

    status: int | None
    ms: int
    problem: str = ""


def try_connection(caller: Caller, connection: Connection, path: str = "/", timeout: float = 10.0) -> Trial:
    """GET a path of a connection's address with its credentials, as a flow would."""
    caller.require("flowdiagram")
    kept = Connection.objects.in_workspace(caller.workspace_id).filter(pk=connection.pk)
    begun = time.monotonic()
    status, problem = None, ""
    try:
        found = with_secret(kept, "There is no such connection.")
        response, _ = call_service(EgressRequest("GET", url_at(found, path), {}, timeout=timeout), found)
        status = response.status
    except Undecipherable:
        problem = "The stored secret cannot be read any more: enter it again."
    except (EgressError, TokenRefused, OutsideConnection, NoSecret) as error:
        problem = str(error)
    return Trial(status, round((time.monotonic() - begun) * 1000), problem)


def connection_faults(connection: Connection, secret: str, before: Connection | None = None) -> Faults:
    """What is wrong, as field and message; ``before`` is the row as it is kept."""
    if not CONNECTION_NAME.match(connection.name):
        yield "name", NAME_RULE
    yield from _url_faults("base_url", connection.base_url)
    for field in _NEEDED.get(connection.kind, ()):
        if not getattr(connection, field):
            yield field, "This kind of credentials needs it."
    for field in ("username", "client_id", "scope"):
        if _CONTROL.search(getattr(connection, field)):
            yield field, "Control characters cannot be sent."
    yield from _kind_faults(connection)
    if connection.kind != ConnectionKind.NONE:
        yield from _secret_faults(connection, secret, before)


def _url_faults(field: str, url: str) -> Faults:
    try:
        check_url(url)
    except EgressError as error:
        yield field, error.message
        return
    if "?" in url or "#" in url:
        yield field, "The address must end before any ? or #."
    elif not origin_of(url):
        yield field, "The address must begin with http:// or https:// and name a host."


def _kind_faults(connection: Connection) -> Faults:
    if connection.kind == ConnectionKind.BASIC and ":" in connection.username:
        yield "username", "A user name cannot hold a colon."
    if connection.kind == ConnectionKind.API_KEY and connection.header and not is_free_header(connection.header):
        yield "header", "This is not a header that can be chosen."
    if connection.kind == ConnectionKind.OAUTH2 and connection.token_url:
        yield from _url_faults("token_url", connection.token_url)


def _secret_faults(connection: Connection, secret: str, before: Connection | None) -> Faults:
    if secret:
        in_header = connection.kind in (ConnectionKind.BEARER, ConnectionKind.API_KEY)
        if _CONTROL.search(secret) or (in_header and (not _PRINTABLE.fullmatch(secret) or secret != secret.strip())):
            yield "secret", "It holds characters that cannot be sent."
        elif len(secret) > _LONGEST_SECRET:
            yield "secret", f"It is longer than {_LONGEST_SECRET:,} characters."
    elif before is None or not has_secret(before):
        yield "secret", "This kind of credentials needs it."
    elif _audience(before) != _audience(connection):
        # Else whoever may change a connection could have its secret sent to a place of their own.
        yield "secret", "Enter it again: it was given for other credentials or another address."


def _audience(connection: Connection) -> tuple[str, ...]:
    """What a secret was given for: a change of this needs the secret again."""
    tokens = connection.token_url if connection.kind == ConnectionKind.OAUTH2 else ""
    return (connection.kind, origin_of(connection.base_url), tokens)


def _create(caller: Caller, connection: Connection) -> Connection:
    connection.workspace_id = caller.workspace_id
    try:
        with transaction.atomic():
            connection.save(force_insert=True)
    except IntegrityError:
        raise Conflict(f"There is a connection named {connection.name} already.") from None
    return connection


def _change(kept: Connection, wanted: Connection) -> Connection:
    for field in _SETTINGS:
        setattr(kept, field, getattr(wanted, field))
    kept.save(update_fields=[*_SETTINGS, "date_modified"])
    return kept


def keep_secret(connection: Connection, secret: str) -> None:
    """The secret when there is a new one; a token that was bought with the old settings is forgotten."""
    rows = ConnectionSecret.objects.filter(connection=connection)
    if connection.kind == ConnectionKind.NONE:
        rows.delete()
        return
    changes: dict[str, Any] = {"secret": secret} if secret else {}
    kept = rows.update(token="", token_expires_at=None, revision=F("revision") + 1, **changes)
    if secret and not kept:
        ConnectionSecret.objects.create(connection=connection, secret=secret)


def _locked(caller: Caller, connection: Connection) -> Connection:
    rows = Connection.objects.in_workspace(caller.workspace_id)
    locked = rows.select_for_update().filter(pk=connection.pk).first()
    if locked is None:
        raise NotFound("There is no such connection.")
    return locked
