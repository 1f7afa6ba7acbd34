"""Creating, reading, replacing and removing the data schema of a workspace."""

import base64
import binascii
from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone

from apps.applications.caller import Caller
from apps.core.draft4 import CompiledSchema, compile_schema
from apps.core.errors import BadRequest, Conflict, Detail, NotFound
from apps.core.jsonio import check_value, read_json
from apps.core.preconditions import Precondition
from apps.schemas.models import Schema
from apps.schemas.selectors import version_of

TEXTS = ("schema", "data_record")
LONGEST_URL = 2048


def create_schema(caller: Caller, *, url: str, schema: str, data_record: str) -> Schema:
    """Give the workspace its schema; ``schema`` and ``data_record`` are base64 of JSON.

    Raises ``BadRequest`` when they cannot be read or do not fit each other, ``Conflict`` when there is a schema.
    """
    caller.require("schema")
    _check_url(url)
    source, sample = checked_texts(schema, data_record)
    try:
        with transaction.atomic():
            return Schema.objects.create(workspace_id=caller.workspace_id, url=url, source=source, sample=sample)
    except IntegrityError:
        raise Conflict("There is a data schema already: update it with PUT.") from None


def get_schema(caller: Caller) -> Schema:
    """The workspace's schema; raises ``NotFound`` without one."""
    caller.require("schema.read")
    return _get(Schema.objects.all(), caller)


def update_schema(
    caller: Caller, *, url: str, schema: str, data_record: str, precondition: Precondition | None = None
) -> Schema:
    """Replace the schema; records that are stored stay as they are."""
    caller.require("schema")
    _check_url(url)
    source, sample = checked_texts(schema, data_record)
    with transaction.atomic():
        row = _locked(caller, precondition)
        row.url, row.source, row.sample = url, source, sample
        row.version += 1
        row.date_modified = timezone.now()
        row.save()
    return row


def delete_schema(caller: Caller, *, precondition: Precondition | None = None) -> None:
    """Remove the schema; from now on records are accepted unchecked."""
    caller.require("schema")
    with transaction.atomic():
        _locked(caller, precondition).delete()


def checked_texts(schema: Any, data_record: Any) -> tuple[str, str]:
    """The decoded texts of schema and sample record, once the one is valid draft-4 and the other fits it."""
    source, sample = (_decoded(name, value) for name, value in zip(TEXTS, (schema, data_record), strict=True))
    check_texts(source, sample)
    return source, sample


def check_texts(source: str, sample: str) -> None:
    """Raise ``BadRequest`` unless ``source`` is a valid draft-4 schema and ``sample`` fits it."""
    compiled = _compiled(_read("schema", source))
    problems = compiled.problems(_read("data_record", sample))
    if problems:
        details = [Detail(f"/data_record{detail.path}", detail.message) for detail in problems]
        raise BadRequest("The data_record does not fit the schema.", details=details)


def _check_url(url: str) -> None:
    check_value(url)
    if len(url) > LONGEST_URL:
        raise BadRequest(f"The url is longer than {LONGEST_URL} characters.")


def _compiled(schema: Any) -> CompiledSchema:
    try:
        return compile_schema(schema)
    except BadRequest as error:
        raise BadRequest(error.message, details=_within("schema", error)) from None


def _read(name: str, text: str) -> Any:
    try:
        return read_json(text)
    except BadRequest as error:
        raise BadRequest(f"{name}: {error.message}", details=_within(name, error)) from None


def _within(name: str, error: BadRequest) -> list[Detail]:
    """The faults of one text, their paths as seen from the body that holds it."""
    return [Detail(f"/{name}{detail.path}", detail.message) for detail in error.details]


def _decoded(name: str, value: Any) -> str:
    if not isinstance(value, str) or not value:
        raise BadRequest(f"{name} is missing: it is the base64 of a JSON document.")
    try:
        return base64.b64decode("".join(value.split()), validate=True).decode()
    except (binascii.Error, ValueError):
        raise BadRequest(f"{name} is not the base64 of a JSON document in UTF-8.") from None


def _get(rows: Any, caller: Caller) -> Schema:
    row = rows.in_workspace(caller.workspace_id).first()
    if row is None:
        raise NotFound("There is no data schema.")
    return row


def _locked(caller: Caller, precondition: Precondition | None) -> Schema:
    """The schema, held until the transaction ends, once it is the one the caller means to change."""
    row = _get(Schema.objects.select_for_update(), caller)
    if precondition:
        precondition.check(*version_of(row), modified=row.date_modified)
    return row
