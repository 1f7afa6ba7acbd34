"""What a connection sends to prove who is calling; its secret was read before, so any thread may ask."""

import base64
import re
from collections.abc import Callable
from urllib.parse import urlsplit

from apps.core.redirects import Credentials, origin_of
from apps.flows.models import Connection, ConnectionKind

_ABSOLUTE = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")
SHORTEST_HIDDEN = 4
"""Shorter texts occur by chance."""
_DOTS = re.compile(r"(?:\.|%2e){1,2}", re.IGNORECASE)


class OutsideConnection(ValueError):
    """A URL that leads away from the connection's address."""


def url_at(connection: Connection, url: str) -> str:
    """The URL of a call: one without a scheme is appended to the connection's address.

    Raises OutsideConnection for another origin, and for a path that climbs out of the address.
    """
    if _ABSOLUTE.match(url):
        if origin_of(url) != origin_of(connection.base_url):
            raise OutsideConnection(f"The URL is not at the address of the connection {connection.name}.")
        return url
    path = urlsplit("/" + url.lstrip("/")).path
    if any(_DOTS.fullmatch(part) for part in re.split(r"[/\\]|%2f|%5c", path, flags=re.IGNORECASE)):
        raise OutsideConnection(f"The URL climbs out of the address of the connection {connection.name}.")
    return connection.base_url.rstrip("/") + "/" + url.lstrip("/")


def credentials_of(connection: Connection, token: str = "") -> Credentials:
    """The headers for a connection's origin; ``token`` is the OAuth 2 access token."""
    return Credentials(origin_of(connection.base_url), _HEADERS[ConnectionKind(connection.kind)](connection, token))


def secrets_of(connection: Connection, token: str = "") -> list[str]:
    """Texts that must not be kept when a service answers with what it was sent, the longest first."""
    if connection.kind == ConnectionKind.NONE:
        return []
    sent = credentials_of(connection, token).headers.values()
    texts = {connection.kept.secret, token, *sent, *(value.partition(" ")[2] for value in sent)}
    return sorted((text for text in texts if len(text) >= SHORTEST_HIDDEN), key=len, reverse=True)


def basic(username: str, password: str) -> str:
    """The value of an Authorization header."""
    return "Basic " + base64.b64encode(f"{username}:{password}".encode()).decode()


_HEADERS: dict[ConnectionKind, Callable[[Connection, str], dict[str, str]]] = {
    ConnectionKind.NONE: lambda connection, token: {},
    ConnectionKind.BASIC: lambda connection, token: {
        "Authorization": basic(connection.username, connection.kept.secret)
    },
    ConnectionKind.BEARER: lambda connection, token: {"Authorization": f"Bearer {connection.kept.secret}"},
    ConnectionKind.API_KEY: lambda connection, token: {connection.header: connection.kept.secret},
    ConnectionKind.OAUTH2: lambda connection, token: {"Authorization": f"Bearer {token}"},
}
