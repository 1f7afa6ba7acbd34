"""Which records a request names: one, a list with commas, or those in the body."""

from typing import Any

from rest_framework.request import Request

from apps.core.errors import BadRequest
from apps.core.http.parameters import one_of


def one_uuid(request: Request, in_path: str | None) -> str:
    """The record in the path or in ``X-Uuid``; raises ``BadRequest`` without one, and for two that differ."""
    named = one_of(request, headers=("X-Uuid", "uuid"), parameters=("uuid",))
    if in_path and named and in_path != named:
        raise BadRequest("The path and X-Uuid name different data records.")
    uuid = in_path or named
    if not uuid:
        raise BadRequest("X-Uuid is missing.")
    return uuid


def listed_uuids(request: Request) -> list[str]:
    """The records in ``X-Queue-Uuids`` (``queue_uuids``), with commas, or in the body: an array, or ``{"uuids": …}``.

    Raises ``BadRequest`` when header and body name different ones.
    """
    text = one_of(request, headers=("X-Queue-Uuids",), parameters=("queue_uuids",))
    named = split(text or "")
    body = _in_body(request)
    if named and body and set(named) != set(body):
        raise BadRequest("X-Queue-Uuids and the body name different data records.")
    return body or named


def split(text: str) -> list[str]:
    """The parts of a list with commas."""
    return [part for part in (item.strip() for item in text.split(",")) if part]


def _in_body(request: Request) -> list[str]:
    if not int(request.META.get("CONTENT_LENGTH") or 0):
        return []
    body: Any = request.data
    if isinstance(body, dict):
        body = body.get("uuids")
        body = [body] if isinstance(body, str) else body  # XML cannot tell a list of one from a text
    if not isinstance(body, list) or not all(isinstance(uuid, str) for uuid in body):
        raise BadRequest('The body must be an array of uuids, or {"uuids": [...]}.')
    return body
