"""``Idempotency-Key``: what makes two requests the same, and the answer of the first for the second."""

import hashlib
import json
import re
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qsl

from django.http import HttpRequest
from rest_framework.request import Request
from rest_framework.response import Response

from apps.applications.idempotency import HEADER, REPLAYED, Answer, answer_once
from apps.core.jsonio import write_json

# Headers that say what to do. Others say who is calling, or were added on the way and differ from try to try.
TELLING = re.compile(
    r"content-type|uuid|if-.*|x-(?:uuid|status|executiontime|flow.*|queue-.*|movetoflow-.*|datarecord.*)", re.IGNORECASE
)
_SHORTEST_BOUNDARY = 8  # a shorter one may well be a part of what is sent
CREDENTIALS = {"api_key", "app_key"}


def answered_once(
    caller: Any, request: Request, act: Callable[[], Response], once: Callable[..., tuple[Answer, bool]] = answer_once
) -> Response:
    """The answer of ``act``, or the first answer to the same request with the same key, which ``once`` keeps."""
    made: list[Response] = []

    def answer() -> Answer:
        made.append(act())
        return Answer(made[0].status_code, write_json(made[0].data).decode())

    given, replayed = once(caller, request.headers[HEADER], fingerprint_of(request), answer)
    return _again(given) if replayed else made[0]


def fingerprint_of(request: Request) -> str:
    """What tells requests of one caller apart: method, path, parameters, telling headers and body."""
    plain = request._request
    parameters = parse_qsl(plain.META.get("QUERY_STRING", ""), keep_blank_values=True)
    said = [
        plain.method or "",
        plain.path_info.rstrip("/"),
        *(f"{name}={value}" for name, value in sorted(parameters) if name not in CREDENTIALS),
        *(f"{name.lower()}: {value}" for name, value in sorted(plain.headers.items()) if TELLING.fullmatch(name)),
    ]
    return hashlib.sha256(_without_boundary(plain, write_json(list(said)) + b"\n" + plain.body)).hexdigest()


def _without_boundary(plain: HttpRequest, said: bytes) -> bytes:
    """A form says the same whatever stands between its parts, which clients choose anew for each try."""
    boundary = plain.content_params.get("boundary", "") if plain.content_params else ""
    return said.replace(boundary.encode(), b"") if len(boundary) >= _SHORTEST_BOUNDARY else said


def _again(given: Answer) -> Response:
    response = Response(json.loads(given.document), status=given.status, headers={REPLAYED: "true"})
    response.encoded = given.document.encode()  # type: ignore[attr-defined]
    return response
