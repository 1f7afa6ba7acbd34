"""What external apps do outside the house; no database is touched here, so that it may run in any thread."""

import base64
import json
import time
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlencode, urlsplit, urlunsplit

from django.conf import settings

from apps.core.egress import EgressError, EgressPolicy, EgressRequest, EgressResponse, fetch
from apps.core.errors import BadRequest
from apps.core.jsonio import read_json
from apps.flows.engine.apps import is_expected
from apps.flows.engine.results import AppError, AppResult
from apps.flows.engine.walk import Call
from apps.records.observing import note_call

MOST_TEXT = 100_000


def perform(call: Call) -> AppResult | AppError:
    """Carry out a call; whatever goes wrong comes back as an ``AppError``."""
    begun = time.monotonic()
    result = _attempt(call)
    note_call(call.app, time.monotonic() - begun, result.code if isinstance(result, AppError) else None)
    return result


def _attempt(call: Call) -> AppResult | AppError:
    try:
        return EFFECTS[call.app](call)
    except EgressError as error:
        return AppError(error.code, str(error))
    except ValueError as error:
        return AppError("bad_url", f"The URL cannot be read: {error}")


def call_http(call: Call) -> AppResult | AppError:
    """``core.http``: one request with the step's Idempotency-Key; the answer is ``{status, headers, body}``."""
    config = call.config
    request = EgressRequest(
        method=config["method"],
        url=_with_query(config["url"], config.get("query", {})),
        headers=_headers(config, call.idempotency_key),
        body=_body(config),
        timeout=call.timeout,
    )
    policy = EgressPolicy(allow=tuple(settings.EGRESS_ALLOW), max_response_bytes=settings.EGRESS_MAX_BYTES)
    response = fetch(request, policy)
    if not is_expected(config, response.status):
        return AppError(f"http.{response.status}", f"The service answered {response.status}.")
    answer = {"status": response.status, "headers": _kept_headers(response), "body": _answer_body(response)}
    save = {config["save_to"]: answer} if "save_to" in config else {}
    return AppResult("ok", answer, save)


EFFECTS: dict[str, Callable[[Call], AppResult | AppError]] = {"core.http": call_http}


def _with_query(url: str, query: Mapping[str, Any]) -> str:
    pairs = [(name, _texts(value)) for name, value in query.items() if value is not None]
    if not pairs:
        return url
    parts = urlsplit(url)
    return urlunsplit(parts._replace(query="&".join(filter(None, [parts.query, urlencode(pairs, doseq=True)]))))


def _headers(config: Mapping[str, Any], idempotency_key: str) -> dict[str, str]:
    headers = {"User-Agent": "Flowize", "Accept": "application/json, */*;q=0.5", "Idempotency-Key": idempotency_key}
    if "json" in config:
        headers["Content-Type"] = "application/json"
    elif "text" in config:
        headers["Content-Type"] = "text/plain; charset=utf-8"
    own = {name: _text(value) for name, value in config.get("headers", {}).items() if value is not None}
    replaced = {name.lower() for name in own}
    return {name: value for name, value in headers.items() if name.lower() not in replaced} | own


def _texts(value: Any) -> str | list[str]:
    return [_text(item) for item in value] if isinstance(value, list) else _text(value)


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _body(config: Mapping[str, Any]) -> bytes:
    if "json" in config:
        return json.dumps(config["json"], ensure_ascii=False, allow_nan=False).encode()
    return config["text"].encode() if "text" in config else b""


def _kept_headers(response: EgressResponse) -> dict[str, str]:
    """The headers flows have a use for; cookies and the like stay out of the trace."""
    kept = ("content-type", "location", "etag", "retry-after")
    return {name: value for name in kept if (value := response.header(name)) is not None}


def _answer_body(response: EgressResponse) -> Any:
    """JSON as a value, text as text, anything else as base64."""
    if not response.body:
        return None
    try:
        return read_json(response.body)
    except BadRequest:
        pass
    try:
        return response.body.decode().replace("\x00", "")[:MOST_TEXT]
    except UnicodeDecodeError:
        return base64.b64encode(response.body).decode()[:MOST_TEXT]
