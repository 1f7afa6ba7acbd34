"""Calls of other services, with the credentials of a connection."""

import time
from dataclasses import replace

from apps.core.egress import EgressError, EgressErrorCode, EgressRequest, EgressResponse
from apps.core.egress_policy import installed_policy
from apps.core.redirects import follow
from apps.flows.access_tokens import current_token, new_token
from apps.flows.credentials import credentials_of, secrets_of
from apps.flows.models import Connection, ConnectionKind

_UNAUTHORIZED = 401


def call_service(
    request: EgressRequest, connection: Connection | None, redirects: int = 0
) -> tuple[EgressResponse, list[str]]:
    """Make a call within its timeout; also the texts that nobody must keep who keeps the answer.

    An OAuth 2 token that was kept and is refused with 401 is replaced once. The database is only asked when a token is
    needed. Raises EgressError and TokenRefused.
    """
    if connection is None:
        return follow(request, installed_policy(), most=redirects), []
    if connection.kind == ConnectionKind.OAUTH2:
        return _call_with_token(request, connection, redirects)
    response = follow(request, installed_policy(), most=redirects, credentials=credentials_of(connection))
    return response, secrets_of(connection)


def _call_with_token(
    request: EgressRequest, connection: Connection, redirects: int
) -> tuple[EgressResponse, list[str]]:
    end = time.monotonic() + request.timeout
    kept = current_token(connection.kept)

    def send(token: str) -> EgressResponse:
        credentials = credentials_of(connection, token)
        return follow(replace(request, timeout=_left(end)), installed_policy(), most=redirects, credentials=credentials)

    token = kept or new_token(connection, installed_policy(), _left(end))
    response = send(token)
    if response.status == _UNAUTHORIZED and kept:
        token = new_token(connection, installed_policy(), _left(end), refused=kept)
        response = send(token)
    return response, secrets_of(connection, token)


def _left(end: float) -> float:
    left = end - time.monotonic()
    if left <= 0:
        raise EgressError(EgressErrorCode.TIMEOUT, "Fetching the access token left no time for the call.")
    return left
