"""From credentials to a Caller: one query, remembered for a moment.

A revoked credential stops working within ``CREDENTIAL_CACHE_SECONDS`` in every process.
"""

import base64
import binascii
import hmac
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import IPv4Network, IPv6Network
from typing import Any, Self

from django.conf import settings
from django.contrib.auth.hashers import get_hasher
from django.utils import timezone

from apps.accounts.hosts import is_environment_host
from apps.accounts.models import Workspace
from apps.applications.caller import Caller
from apps.applications.scopes import expand
from apps.core import addresses, tokens
from apps.core.errors import AddressNotAllowed, Forbidden, InvalidToken, MissingScope, WrongCredentials
from apps.core.timed_cache import TimedCache

MOST_CHARACTERS = 512
_NO_SECRET = get_hasher("random-secret-sha256").encode("nobody's secret", "-")


@dataclass(frozen=True, slots=True)
class BearerToken:
    """An access token of an application with OAuth 2."""

    token: str


@dataclass(frozen=True, slots=True)
class ClientCredentials:
    """The client id and secret of an application with OAuth 2."""

    client_id: str
    client_secret: str

    @classmethod
    def from_basic(cls, encoded: str) -> Self:
        """Those of an HTTP Basic header's value (RFC 7617); raises ``WrongCredentials`` when it cannot be read."""
        try:
            client_id, separator, secret = base64.b64decode(encoded.strip(), validate=True).decode().partition(":")
        except (binascii.Error, UnicodeDecodeError):
            raise WrongCredentials from None
        if not separator:
            raise WrongCredentials
        return cls(client_id, secret)


@dataclass(frozen=True, slots=True)
class Keys:
    """The project's key with an application's key or name, for applications without OAuth 2."""

    api_key: str
    app_key: str
    in_url: bool = False


@dataclass(frozen=True, slots=True)
class ProjectKey:
    """The project's key alone."""

    api_key: str
    in_url: bool = False


Credentials = BearerToken | ClientCredentials | Keys | ProjectKey


@dataclass(frozen=True, slots=True)
class Registration:
    """What the database knows of one application, in the workspace the host asks for."""

    organization_id: int
    project_id: int
    project_name: str
    workspace_id: int
    time_zone: str
    storage_full: bool
    application_id: int
    oauth2: bool
    url_keys: bool
    default_flow: str
    networks: tuple[IPv4Network | IPv6Network, ...]
    scopes: frozenset[str]
    rate_limit: int
    active: bool


_registrations: TimedCache[tuple[str, str], tuple[Registration, ...]] = TimedCache(
    lambda: settings.CREDENTIAL_CACHE_SECONDS
)
forget_credentials = _registrations.clear


def authenticate(
    credentials: Credentials,
    *,
    host: str,
    address: str,
    scopes: Sequence[str] | None = None,
    fresh: bool = False,
) -> Caller:
    """The caller behind credentials that were sent from ``address`` to ``host``.

    ``scopes`` narrows the grant to those the request names; ``fresh`` asks the database even for credentials that were
    proven a moment ago. Raises ``WrongCredentials``, ``InvalidToken``,
    ``AddressNotAllowed``, ``MissingScope`` for a scope that is not granted, and ``Forbidden`` for keys in a URL
    that the application does not allow.
    """
    if not _is_plausible(credentials):
        raise InvalidToken if isinstance(credentials, BearerToken) else WrongCredentials
    if fresh:
        found = _resolve(credentials, host)
    else:
        found = _registrations.get_or_make((_key(credentials), host), lambda: _resolve(credentials, host))
    permitting = [registration for registration in found if addresses.allows(registration.networks, address)]
    if not permitting:
        raise AddressNotAllowed
    return _caller(permitting, address, scopes, alone=isinstance(credentials, ProjectKey))


def _key(credentials: Credentials) -> str:
    """What credentials are remembered by: never the secret itself."""
    return tokens.digest(repr(credentials))


def _is_plausible(credentials: Credentials) -> bool:
    """Whether every part is visible ASCII of a sensible length; nothing else can have been issued.

    Application names, which may stand for the application key, may be any printable text.
    """
    for name in credentials.__slots__:
        value = getattr(credentials, name)
        if not isinstance(value, str):
            continue
        well_formed = value.isprintable() and (name == "app_key" or value.isascii())
        if not value or len(value) > MOST_CHARACTERS or not well_formed:
            return False
    return True


def _resolve(credentials: Credentials, host: str) -> tuple[Registration, ...]:
    match credentials:
        case BearerToken(token):
            return (_by_token(token, host),)
        case ClientCredentials(client_id, client_secret):
            return (by_client(client_id, client_secret, host),)
        case Keys(api_key, app_key, in_url):
            return (_by_keys(api_key, app_key, host, in_url),)
        case ProjectKey(api_key, in_url):
            return _by_project_key(api_key, host, in_url)


def _by_token(token: str, host: str) -> Registration:
    lookup = {"project__applications__accesstoken__token_checksum": tokens.digest(token)}
    rows = _rows(host, lookup, extra=("expires", "scope"), through="project__applications__accesstoken__")
    usable = [row for row in rows if row["oauth2"] and row["active"] and row["expires"] > timezone.now()]
    if not usable:
        raise InvalidToken
    granted = expand(usable[0]["scope"].split())
    return _registration(usable[0], expand(usable[0]["scopes"]) & granted)


def by_client(client_id: str, client_secret: str, host: str) -> Registration:
    """The application of a client id and secret; the work is the same whether the id is known or not."""
    rows = _rows(host, {"project__applications__client_id": client_id}, extra=("client_secret",))
    stored = rows[0]["client_secret"] if rows else _NO_SECRET
    proven = get_hasher("random-secret-sha256").verify(client_secret, stored)
    if not (proven and rows and rows[0]["active"] and rows[0]["oauth2"]):
        raise WrongCredentials
    return _registration(rows[0])


def _by_keys(api_key: str, app_key: str, host: str, in_url: bool) -> Registration:
    rows = _project_rows(api_key, host)
    named = [row for row in rows if hmac.compare_digest(row["app_key"].encode(), app_key.encode())]
    named = named or [row for row in rows if row["name"] == app_key]
    if not named or not named[0]["active"] or named[0]["oauth2"]:
        raise WrongCredentials
    if in_url and not named[0]["url_keys"]:
        raise Forbidden("This application does not allow keys in the URL.")
    return _registration(named[0])


def _by_project_key(api_key: str, host: str, in_url: bool) -> tuple[Registration, ...]:
    rows = [row for row in _project_rows(api_key, host) if row["active"] and not row["oauth2"]]
    if not rows:
        raise WrongCredentials
    permitting = [row for row in rows if row["url_keys"] or not in_url]
    if not permitting:
        raise Forbidden("No application of this project allows keys in the URL.")
    return tuple(_registration(row) for row in permitting)


def _project_rows(api_key: str, host: str) -> list[dict[str, Any]]:
    return _rows(host, {"project__api_key_hash": tokens.digest(api_key)})


_APPLICATION = "project__applications__"
_FIELDS = {
    "organization_id": "project__organization_id",
    "project_name": "project__name",
    "application_id": f"{_APPLICATION}id",
    **{
        name: f"{_APPLICATION}{name}"
        for name in (
            "oauth2", "url_keys", "default_flow", "addresses", "scopes", "rate_limit", "active", "app_key", "name",
        )
    },
}  # fmt: skip


def _rows(
    host: str, lookup: dict[str, str], extra: Sequence[str] = (), through: str = _APPLICATION
) -> list[dict[str, Any]]:
    """Rows of applications in the workspace that ``host`` serves; on hosts of no environment also the Designer's."""
    fields = _FIELDS | {name: f"{through}{name}" for name in extra}
    hosts = {host} if is_environment_host(host) else {"", host}
    query = (
        Workspace.objects.filter(api_host__in=hosts, **lookup, project__applications__isnull=False)
        .order_by("-api_host")
        .values_list("id", "time_zone", "storage_full", "project_id", *fields.values(), named=False)
    )
    names = ("workspace_id", "time_zone", "storage_full", "project_id", *fields)
    rows = [dict(zip(names, values, strict=True)) for values in query]
    return [row for row in rows if row["workspace_id"] == rows[0]["workspace_id"]]


def _registration(row: dict[str, Any], scopes: frozenset[str] | None = None) -> Registration:
    copied = {name: row[name] for name in Registration.__slots__ if name in row and name != "scopes"}
    return Registration(
        **copied,
        networks=_networks(row["addresses"]),
        scopes=expand(row["scopes"]) if scopes is None else scopes,
    )


@lru_cache(maxsize=1024)
def _networks(text: str) -> tuple[IPv4Network | IPv6Network, ...]:
    return addresses.parse_allowlist(text)


def _caller(permitting: Sequence[Registration], address: str, asked: Sequence[str] | None, *, alone: bool) -> Caller:
    first = permitting[0]
    granted = frozenset().union(*(registration.scopes for registration in permitting))
    return Caller(
        organization_id=first.organization_id,
        project_id=first.project_id,
        project_name=first.project_name,
        workspace_id=first.workspace_id,
        time_zone=first.time_zone,
        address=address,
        scopes=_narrow(granted, asked),
        application_id=None if alone else first.application_id,
        default_flow="" if alone else first.default_flow,
        rate_limit=_most_generous(permitting),
        storage_full=first.storage_full,
    )


def _narrow(granted: frozenset[str], asked: Sequence[str] | None) -> frozenset[str]:
    if asked is None:
        return granted
    if not asked or not set(asked) <= granted:
        raise MissingScope
    return expand(asked)


def _most_generous(registrations: Sequence[Registration]) -> int:
    """The highest limit; 0 stands for none."""
    limits = [registration.rate_limit for registration in registrations]
    return 0 if 0 in limits else max(limits)
