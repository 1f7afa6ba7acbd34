"""``core.http``: one call of another service, with the credentials of a connection when the flow names one."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import quote, urlsplit, urlunsplit

from apps.core.crypto import Undecipherable
from apps.core.egress import EgressRequest, EgressResponse
from apps.flows.access_tokens import TokenRefused
from apps.flows.calling import call_service
from apps.flows.credentials import OutsideConnection, url_at
from apps.flows.engine.apps import is_expected
from apps.flows.engine.mapping import mapped
from apps.flows.engine.results import AppError, AppResult
from apps.flows.engine.values import to_text
from apps.flows.engine.walk import Call
from apps.flows.selectors import NoSecret, find_connection
from apps.records.effects.bodies import BadAnswer, encode_pairs, read_answer, write_body
from apps.records.effects.unsendable import Unsendable
from apps.records.place import Place

HIDDEN = "•••"
# What a header carries as it is; the uuid in an Idempotency-Key may hold more.
VISIBLE = "".join(map(chr, range(0x21, 0x7F)))


def prepare_http(place: Place, call: Call) -> Call | AppError:
    """The call with the connection that the flow names in place of its name; raises ``NotFound``."""
    if "auth" not in call.config:
        return call
    try:
        connection = find_connection(place.workspace_id, call.config["auth"]["connection"])
    except Undecipherable:
        return AppError("auth", "The stored secret cannot be read any more: enter it again.")
    except NoSecret as fault:
        return AppError("auth", str(fault))
    return replace(call, config={**call.config, "auth": connection})


def call_http(call: Call) -> AppResult | AppError:
    """One request with the step's Idempotency-Key; the answer is ``{status, headers, body}``.

    Raises Unsendable and EgressError.
    """
    config = call.config
    try:
        response, secrets = call_service(_request(call), config.get("auth"), config.get("redirects", 0))
    except TokenRefused as refusal:
        return AppError(refusal.code, str(refusal))
    if not is_expected(config, response.status):
        message = f"The service answered {response.status}."
        return AppError(f"http.{response.status}", message, _retry_after(response.header("retry-after")))
    try:
        body = read_answer(response.header("content-type"), response.body)
    except BadAnswer as fault:
        # What is quoted of an answer is cut, so a secret in it could not be found.
        return AppError("bad_answer", fault.message if secrets else f"{fault.message} {fault.detail}".strip())
    answer = {"status": response.status, "headers": _kept_headers(response), "body": body}
    return mapped(config, without(secrets, answer), call.scope)


def _request(call: Call) -> EgressRequest:
    config, connection = call.config, call.config.get("auth")
    try:
        url = url_at(connection, config["url"]) if connection else config["url"]
        url = _with_query(url, config.get("query", {}))
    except (OutsideConnection, ValueError) as fault:
        raise Unsendable("bad_url", str(fault)) from None
    body, content_type = write_body(config)
    headers = _headers(config, content_type, call.idempotency_key)
    return EgressRequest(config["method"], url, headers, body, call.timeout)


def without(secrets: list[str], value: Any) -> Any:
    """The value with every occurrence of a secret blotted out: some services answer what they were sent."""
    if not secrets:
        return value
    if isinstance(value, str):
        for secret in secrets:
            value = value.replace(secret, HIDDEN)
        return value
    if isinstance(value, list):
        return [without(secrets, item) for item in value]
    if isinstance(value, dict):
        return {str(without(secrets, key)): without(secrets, item) for key, item in value.items()}
    return value


def _retry_after(header: str | None) -> float | None:
    """The seconds of a ``Retry-After``, which may also be a date; nothing for anything else."""
    text = (header or "").strip()
    if text.isascii() and text.isdecimal():
        return float(text[:9])
    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, OverflowError):
        return None
    return max((moment.replace(tzinfo=moment.tzinfo or UTC) - datetime.now(UTC)).total_seconds(), 0.0)


def _with_query(url: str, query: Mapping[str, Any]) -> str:
    pairs = encode_pairs(query)
    if not pairs:
        return url
    try:
        parts = urlsplit(url)
    except ValueError as error:
        raise ValueError(f"The URL cannot be read: {error}") from None
    return urlunsplit(parts._replace(query="&".join(filter(None, [parts.query, pairs]))))


def _headers(config: Mapping[str, Any], content_type: str, idempotency_key: str) -> dict[str, str]:
    headers = {
        "User-Agent": "Flowize",
        "Accept": "application/json, */*;q=0.5",
        "Idempotency-Key": quote(idempotency_key, safe=VISIBLE),
        **({"Content-Type": content_type} if content_type else {}),
    }
    own = {name: to_text(value) for name, value in config.get("headers", {}).items() if value is not None}
    replaced = {name.lower() for name in own}
    return {name: value for name, value in headers.items() if name.lower() not in replaced} | own


def _kept_headers(response: EgressResponse) -> dict[str, str]:
    """The headers flows have a use for; cookies and the like stay out of the trace."""
    kept = ("content-type", "location", "etag", "retry-after")
    return {name: value for name in kept if (value := response.header(name)) is not None}
