"""Where a request carries its credentials, in headers and URL: one identity a request, whichever way in it takes."""

import re
from collections.abc import Iterable, Iterator

from django.http.request import HttpRequest, split_domain_port

from apps.applications.authentication import BearerToken, ClientCredentials, Credentials, Keys, ProjectKey
from apps.core.errors import BadRequest, WrongCredentials
from apps.core.http.parameters import header_text, one_of

_BEARER = re.compile(r"bearer +(\S+)\s*", re.IGNORECASE)
CARRIERS = ("Authorization", "Authentication", "Client-Id", "Client-Secret", "X-Apikey", "X-App")


Styles = tuple[type, ...]
# The key styles and tokens serve every endpoint; an endpoint that takes more says so.
USUAL: Styles = (BearerToken, Keys)


def credentials_in(request: HttpRequest) -> Iterator[Credentials]:
    """Every set of credentials in the headers and the URL of a request."""
    yield from _authorization(request)
    yield from _client_headers(request)
    yield from _keys(_header(request, "X-Apikey"), _header(request, "X-App"), in_url=False)
    yield from _keys(_single(request, "api_key"), _single(request, "app_key"), in_url=True)


def the_one(found: Iterable[Credentials], styles: Styles = USUAL) -> Credentials:
    """The one set of credentials among those found, when it is of one of the styles.

    Raises ``WrongCredentials`` when there are none and ``BadRequest`` when two differ.
    """
    distinct = {_identity(item): item for item in found}
    if len(distinct) > 1:
        raise BadRequest("The request carries more than one identity: send one set of credentials.")
    for credentials in distinct.values():
        if isinstance(credentials, styles):
            return credentials
    raise WrongCredentials


def host_of(request: HttpRequest) -> str:
    """The request's host without its port, which picks the workspace."""
    return split_domain_port(request.get_host())[0]


def carries_credentials(request: HttpRequest) -> bool:
    """Whether the request says who is calling, rightly or not."""
    in_header = any(name in request.headers for name in CARRIERS)
    return in_header or not {"api_key", "app_key"}.isdisjoint(request.GET)


def scopes_in(request: HttpRequest) -> list[str] | None:
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


def _authorization(request: HttpRequest) -> Iterator[Credentials]:
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


def _client_headers(request: HttpRequest) -> Iterator[Credentials]:
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


def _header(request: HttpRequest, name: str) -> str | None:
    """Names of applications, which may stand for their keys, need not be ASCII."""
    value = request.headers.get(name)
    return None if value is None else header_text(value)


def _single(request: HttpRequest, name: str) -> str | None:
    values = request.GET.getlist(name)
    if len(values) > 1:
        raise BadRequest(f"The parameter {name} is given more than once.")
    return values[0] if values else None
