"""What flows answer the synchronous calls that made their records: ``core.respond``, and reading it back."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.utils import timezone

from apps.core.errors import NotFound
from apps.core.jsonio import write_json
from apps.core.xmlio import write_xml
from apps.flows.engine.results import AppError, AppResult
from apps.flows.engine.walk import Call
from apps.records.models import Record, RecordAnswer, Status
from apps.records.place import Place

MOST_BYTES = 2_000_000
WITHOUT_BODY = (204, 205, 304)
# Kinds of content that a browser would run are left out: the answer comes from the host of the admin.
TYPES = {
    "json": re.compile(r"application/([\w.-]+\+)?json", re.ASCII),
    "text": re.compile(r"text/(plain|csv)"),
    "xml": re.compile(r"(application|text)/xml|application/(?!xhtml\+|svg\+|mathml\+|xslt\+)[\w.-]+\+xml", re.ASCII),
}
USUAL = {"json": "application/json", "text": "text/plain; charset=utf-8", "xml": "application/xml; charset=utf-8"}


def respond(place: Place, call: Call) -> AppResult | AppError:
    """``core.respond``: keep the answer beside the record; a later one takes its place."""
    config = call.config
    kind = next((name for name in TYPES if name in config), "")
    headers = {name: _text(value) for name, value in config.get("headers", {}).items() if value is not None}
    content_type, fault = _content_type(headers, kind)
    status = int(config.get("status", 200))
    body = _written(kind, config.get(kind)) if kind else b""
    if kind and status in WITHOUT_BODY:
        fault = f"An answer with status {status} has no body."
    if fault:
        return AppError("config", fault)
    if len(body) > MOST_BYTES:
        return AppError("too_large", f"The answer is larger than {MOST_BYTES} bytes.")
    RecordAnswer.objects.update_or_create(
        record_id=place.record_id,
        defaults={
            "status": status,
            "headers": headers,
            "content_type": content_type,
            "body": body.decode(),
            "date_created": timezone.now(),
        },
    )
    return AppResult("ok", {"status": status})


def _content_type(headers: dict[str, str], kind: str) -> tuple[str, str]:
    """The Content-Type of the answer, taken out of its headers, and what is wrong with it."""
    names = [name for name in headers if name.lower() == "content-type"]
    given = [headers.pop(name) for name in names]
    if not given:
        return USUAL.get(kind, ""), ""
    media_type = given[0].partition(";")[0].strip().lower()
    if len(given) > 1 or not kind or not TYPES[kind].fullmatch(media_type):
        return "", f"headers/{names[0]}: an answer with {kind or 'no body'} cannot be {media_type[:60]}."
    return (media_type if kind == "json" else f"{media_type}; charset=utf-8"), ""


def _written(kind: str, value: Any) -> bytes:
    if kind == "text":
        return str(value).encode()
    return write_json(value) if kind == "json" else write_xml(value)


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer as it is sent."""

    status: int
    headers: Mapping[str, str]
    content_type: str
    body: str


@dataclass(frozen=True, slots=True)
class Rest:
    """A record as a synchronous call finds it: the word of its status, its document, and what its flow answered."""

    status: str
    data: Any
    reply: Reply | None


def get_rest(workspace_id: int, uuid: str) -> Rest:
    """How a record stands at the moment, in one statement; raises ``NotFound`` when it was removed."""
    rows = Record.objects.in_workspace(workspace_id).select_related("content", "answer")
    record = rows.filter(uuid=uuid).first()
    if record is None:
        raise NotFound("The data record was removed before its flow came to rest.")
    given: RecordAnswer | None = getattr(record, "answer", None)
    reply = Reply(given.status, given.headers, given.content_type, given.body) if given else None
    return Rest(Status(record.status).label, record.content.data, reply)
