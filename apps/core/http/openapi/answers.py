"""Answers as the document describes them: the envelope around a resource, and every error."""

import http
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from apps.core import errors
from apps.core.errors import FlowizeError
from apps.core.http import envelope
from apps.core.http.openapi.operation import TEXT, Answer, Schema, shape

ADDRESS = "203.0.113.7"  # of the range that documentation may use
BRIEF = "Brief"  # what the names of answers with two keys end with
JSON, PLAIN, SVG = "application/json", "text/plain", "image/svg+xml"

HEADERS: dict[str, dict[str, Any]] = {
    "X-Request-Id": {"description": "Names this request in the logs.", "schema": TEXT},
    "X-RateLimit-Limit": {"description": "Requests allowed in a window.", "schema": {"type": "integer"}},
    "X-RateLimit-Remaining": {"description": "What is left of them.", "schema": {"type": "integer"}},
    "X-RateLimit-Reset": {"description": "Seconds until the window ends.", "schema": {"type": "integer"}},
    "Retry-After": {"description": "Seconds to wait before the next attempt.", "schema": {"type": "integer"}},
    "WWW-Authenticate": {"description": "What kind of credentials is asked for (RFC 6750).", "schema": TEXT},
    "Idempotency-Replayed": {"description": "`true` on the first answer given again.", "schema": TEXT},
    "ETag": {"description": "Names this state of the resource, for `If-None-Match` and `If-Match`.", "schema": TEXT},
    "Last-Modified": {"description": "When the resource was changed last, where that is known.", "schema": TEXT},
}
RATE = ("X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Reset")

NOT_MODIFIED = {
    "description": "The client has the present state already.",
    "headers": {name: {"$ref": f"#/components/headers/{name}"} for name in ("X-Request-Id", "ETag")},
}

ERROR: Schema = shape(
    {
        "code": {"type": "integer", "description": "The status, or a number of its own such as 436 and 437."},
        "message": {"type": "string", "description": "What was wrong, for people."},
    },
    {
        "details": {
            "type": "array",
            "description": "Every fault of a document: a JSON Pointer, or the name of a parameter, and what is wrong.",
            "items": shape({"path": TEXT, "message": TEXT}),
        }
    },
)


def headers(names: Iterable[str]) -> dict[str, Any]:
    """The headers of an answer, by reference."""
    return {name: {"$ref": f"#/components/headers/{name}"} for name in names}


def enveloped(answer: Answer) -> Schema:
    """The schema of the envelope around a resource."""
    return shape(
        {
            "id": {"const": envelope.slug(answer.status)},
            "code": {"const": answer.status},
            "request-ip": TEXT,
            "resource": answer.resource,
            "message": TEXT,
            "error": {"type": "null"},
        }
    )


def shown(answer: Answer) -> dict[str, Any]:
    """The examples of an answer, in their envelopes."""
    return {
        title: {
            "value": resource
            if answer.message is None
            else envelope.success(answer.status, ADDRESS, resource, answer.message)
        }
        for title, resource in answer.examples.items()
    }


def failures() -> dict[int, list[type[FlowizeError]]]:
    """The errors that answer each status."""
    found: dict[int, list[type[FlowizeError]]] = {}
    for kind in family():
        found.setdefault(kind.status, []).append(kind)
    return found


def family(kind: type[FlowizeError] = FlowizeError) -> list[type[FlowizeError]]:
    """Every error of the published table."""
    members = [member for member in kind.__subclasses__() if member.__module__ == errors.__name__]
    return [found for member in members for found in (member, *family(member))]


def name_of(status: int) -> str:
    """The name of an error's answer among the components."""
    return http.HTTPStatus(status).phrase.title().replace(" ", "").replace("-", "")


def failure(status: int, kinds: Sequence[type[FlowizeError]], media_types: Iterable[str]) -> dict[str, Any]:
    """The answer with that status: one example for each error it stands for."""
    schema = shape(
        {
            "id": {"const": envelope.slug(status)},
            "code": {"const": status},
            "request-ip": TEXT,
            "resource": {"type": "array", "maxItems": 0},
            "message": {"type": "null"},
            "error": {"$ref": "#/components/schemas/Error"},
        }
    )
    content: dict[str, dict[str, Any]] = {media_type: {"schema": schema} for media_type in media_types}
    content[PLAIN] = {"schema": TEXT}
    content[JSON]["examples"] = {kind.__name__: _example(kind) for kind in kinds}
    return {
        "description": " ".join(kind.default_message for kind in kinds),
        "headers": headers(_headers_of(status)),
        "content": content,
    }


def brief_failure(status: int, kinds: Sequence[type[FlowizeError]], media_types: Iterable[str]) -> dict[str, Any]:
    """The same as ``failure`` where answers have two keys only."""
    whole = failure(status, kinds, media_types)
    schema = shape({"code": {"const": status}, "error": {"$ref": "#/components/schemas/Error"}})
    content: dict[str, dict[str, Any]] = {media_type: {"schema": schema} for media_type in media_types}
    content[JSON]["examples"] = {
        kind.__name__: {"summary": meaning(kind), "value": envelope.brief_failure(kind())} for kind in kinds
    }
    return whole | {"content": content}


def meaning(kind: type[FlowizeError]) -> str:
    """When an error is answered, in Markdown."""
    return " ".join((kind.__doc__ or "").split()).replace("``", "`")


def _example(kind: type[FlowizeError]) -> Mapping[str, Any]:
    return {"summary": meaning(kind), "value": envelope.failure(kind(), ADDRESS)}


def _headers_of(status: int) -> tuple[str, ...]:
    always = ("X-Request-Id",)
    special = {401: ("WWW-Authenticate",), 403: ("WWW-Authenticate",), 429: (*RATE, "Retry-After")}
    return always + special.get(status, ("Retry-After",) if status == errors.ServiceUnavailable.status else ())
