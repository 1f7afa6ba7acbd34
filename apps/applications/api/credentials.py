"""Where a request carries its credentials: seven documented styles, one identity a request."""

import re
from collections.abc import Iterator

from rest_framework.request import Request

from apps.applications.authentication import BearerToken, ClientCredentials, Credentials, Keys, ProjectKey
from apps.core.errors import BadRequest, WrongCredentials
from apps.core.http.parameters import header_text, one_of

_BEARER = re.compile(r"bearer +(\S+)\s*", re.IGNORECASE)
CARRIERS = ("Authorization", "Authentication", "Client-Id", "Client-Secret", "X-Apikey", "X-App")


def credentials_of(request: Request) -> Credentials:
    """The one set of credentials a request carries.

    Raises ``WrongCredentials`` when there are none and ``BadRequest`` when it carries two that differ.
    """
    found = {_identity(item): item for item in _all(request)}
    if not found:
        raise WrongCredentials
    if len(found) > 1:
        raise BadRequest("The request carries more than one identity: send one set of credentials.")
    return next(iter(found.values()))


def carries_credentials(request: Request) -> bool:
    """Whether the request says who is calling, rightly or not."""
    in_header = any(name in request.headers for name in CARRIERS)
    return in_header or not {"api_key", "app_key"}.isdisjoint(request.query_params)


def scopes_of(request: Request) -> list[str] | None:
    """The scopes the request asks for (``X-Scopes``, ``scopes`` as header or parameter), or none when it names none."""
    text = one_of(request, headers=("X-Scopes", "scopes"), parameters=("scopes",))
    return None if text is None else re.split(r"[\s,]+", text.strip(" ,\t{}"))


def _identity(credentials: Credentials) -> tuple[object, ...]:
    """What makes credentials the same, whichever way they came."""
    match credentials:
        case Keys(api_key, app_key) | ClientCredentials(api_key, app_key):
            return (type(credentials), api_key, app_key)
        case ProjectKey(api_key):
            return (ProjectKey, api_key)
        case BearerToken(token):
            return (BearerToken, token)
    raise AssertionError(credentials)


def _all(request: Request) -> Iterator[Credentials]:
    yield from _authorization(request)
    yield from _client_headers(request)
    yield from _keys(_header(request, "X-Apikey"), _header(request, "X-App"), in_url=False)
    yield from _keys(_single(request, "api_key"), _single(request, "app_key"), in_url=True)


def _authorization(request: Request) -> Iterator[Credentials]:
    """The Authorization header; ``Authentication`` is an alias that published client code uses."""
    for name in ("Authorization", "Authentication"):
        value = request.headers.get(name)
        if value is None:
            continue
        if bearer := _BEARER.fullmatch(value):
            yield BearerToken(bearer[1])
        elif value[:6].lower() == "basic ":
            yield ClientCredentials.from_basic(value[6:])
        else:
            raise WrongCredentials


def _client_headers(request: Request) -> Iterator[Credentials]:
    """``client_id`` and ``client_secret``; with the hyphenated spelling beside it the server joins both by a comma."""
    client_id, secret = request.headers.get("Client-Id"), request.headers.get("Client-Secret")
    if client_id is None and secret is None:
        return
    if not client_id or not secret or "," in client_id + secret:
        raise WrongCredentials
    yield ClientCredentials(client_id, secret)


def _keys(api_key: str | None, app_key: str | None, *, in_url: bool) -> Iterator[Credentials]:
    if api_key is None and app_key is None:
        return
    if not api_key:
        raise WrongCredentials
    yield Keys(api_key, app_key, in_url) if app_key else ProjectKey(api_key, in_url)


def _header(request: Request, name: str) -> str | None:
    """Names of applications, which may stand for their keys, need not be ASCII."""
    value = request.headers.get(name)
    return None if value is None else header_text(value)


def _single(request: Request, name: str) -> str | None:
    values = request.query_params.getlist(name)
    if len(values) > 1:
        raise BadRequest(f"The parameter {name} is given more than once.")
    return values[0] if values else None
