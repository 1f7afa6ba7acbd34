"""Who sends a call: the same credentials as in REST, which SOAP also carries in its own places."""

from collections.abc import Iterator, Sequence

from django.http import HttpRequest

from apps.applications.authentication import BearerToken, Credentials, Keys, ProjectKey, authenticate
from apps.applications.caller import Caller
from apps.applications.carriers import credentials_in, host_of, scopes_in, the_one
from apps.core.errors import BadRequest, WrongCredentials
from apps.core.http.client import address_of
from apps.soap.acts import Given

VERSION = "1"


def caller_of(request: HttpRequest, tokens: Sequence[str], given: Given) -> Caller:
    """The caller behind the credentials of a request and its message, which must all be the same.

    Raises as ``authenticate`` does, and ``BadRequest`` for two that differ: whoever sends a token that does not hold
    shall not pass by other keys.
    """
    in_message = [*(BearerToken(token) for token in tokens), *_keys(given)]
    credentials = the_one([*credentials_in(request), *in_message])
    return authenticate(credentials, host=host_of(request), address=address_of(request), scopes=scopes_in(request))


def _keys(given: Given) -> Iterator[Credentials]:
    """Those of the AuthenticationObject."""
    api_key, app_key = given.text("Apikey"), given.text("Appkey")
    if not api_key and not app_key:
        return
    if given.text("Version") != VERSION:
        raise BadRequest(f"AuthenticationObject/Version must be {VERSION}.")
    if not api_key:
        raise WrongCredentials
    yield Keys(api_key, app_key) if app_key else ProjectKey(api_key)
