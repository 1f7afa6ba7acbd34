"""Putting records into flows and reading them back."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import uuid4

from django.conf import settings
from django.db import IntegrityError, connection
from psycopg.errors import UniqueViolation

from apps.applications.caller import Caller
from apps.core.errors import BadRequest, Conflict, Detail, NotFound
from apps.core.jsonio import JSON
from apps.core.preconditions import Part
from apps.flows.models import FlowStatus
from apps.flows.selectors import flow_lookup
from apps.records import selectors
from apps.records.inserting import Origin, insert_records
from apps.records.models import Record
from apps.records.nudge import nudge_on_commit
from apps.schemas.selectors import problems

MOST_CHARACTERS = 128
RESERVED = frozenset({"search", "movetoflow", "changestatus"})

# The flow and the schema in force, in one statement: every insert needs both.
_DESTINATION = """
SELECT f.id, f.name, f.status, f.live_version_id, s.id, s.version
FROM flows_flow f LEFT JOIN schemas_schema s ON s.workspace_id = f.workspace_id
WHERE f.workspace_id = %s AND {column} = %s
"""


@dataclass(frozen=True, slots=True)
class CreatedRecord:
    """A record as its insert reports it."""

    flow_id: int
    flow_name: str
    uuid: str
    document: JSON


@dataclass(frozen=True, slots=True)
class _Destination:
    flow_id: int
    flow_name: str
    version_id: int
    schema: tuple[int, int] | None


def create_records(
    caller: Caller,
    documents: Sequence[JSON],
    *,
    flow_id: str | None = None,
    flow_name: str | None = None,
    uuid: str | None = None,
    uuids: Sequence[str] | None = None,
    execute_at: datetime | None = None,
) -> list[CreatedRecord]:
    """Put documents into a flow, all or none; they are due at once, or at ``execute_at`` when that is ahead.

    Without a flow the application's default flow runs them. ``uuid`` names a single record, ``uuids`` each in order;
    others get a random one.
    Raises ``BadRequest`` naming index and path of what does not fit the schema, ``NotFound`` for an unknown flow and
    ``Conflict`` for one that takes no records or a uuid that is taken.
    """
    caller.require("record")
    caller.require_room()
    _check_count(documents, uuid)
    names = _names(documents, [uuid] if uuid else uuids)
    destination = _destination(caller, flow_id, flow_name or caller.default_flow)
    check_documents(documents, destination.schema)
    _insert(caller, destination, names, documents, execute_at)
    nudge_on_commit()
    return [
        CreatedRecord(destination.flow_id, destination.flow_name, name, document)
        for name, document in zip(names, documents, strict=True)
    ]


def get_record(caller: Caller, uuid: str) -> tuple[Record, list[selectors.Step]]:
    """A record of the caller's workspace with its trace; raises ``NotFound``."""
    _check_readable(caller, uuid)
    return selectors.get_record(caller.workspace_id, uuid)


def get_version(caller: Caller, uuid: str) -> tuple[Part, ...]:
    """The version of a record of the caller's workspace, for whoever may have it already; raises ``NotFound``."""
    _check_readable(caller, uuid)
    return selectors.version_of(caller.workspace_id, uuid)


def _check_readable(caller: Caller, uuid: str) -> None:
    caller.require("record.read")
    if not _is_visible(uuid):
        raise NotFound("There is no such data record.")


def _check_count(documents: Sequence[JSON], uuid: str | None) -> None:
    if not documents:
        raise BadRequest("The body holds no data record.")
    if len(documents) > settings.RECORDS_PER_CALL:
        raise BadRequest(f"One call takes at most {settings.RECORDS_PER_CALL} data records.")
    if uuid and len(documents) > 1:
        raise BadRequest("X-Uuid names a single data record, the body holds several.")


def _names(documents: Sequence[JSON], given: Sequence[str] | None) -> list[str]:
    if given is None:
        return [str(uuid4()) for _ in documents]
    return [_checked_uuid(uuid) for uuid in given]


def _checked_uuid(uuid: str) -> str:
    if not _is_visible(uuid):
        raise BadRequest(f"X-Uuid must be 1 to {MOST_CHARACTERS} visible characters without spaces.")
    if uuid in RESERVED or "/" in uuid:
        raise BadRequest(f"X-Uuid must hold no slash and be none of {', '.join(sorted(RESERVED))}.")
    return uuid


def _is_visible(uuid: str) -> bool:
    """Whether a uuid is of a sensible length and shows itself whole, in whichever script."""
    return len(uuid) <= MOST_CHARACTERS and uuid.isprintable() and " " not in uuid


def _destination(caller: Caller, flow_id: str | None, flow_name: str | None) -> _Destination:
    (column, value), *_ = flow_lookup(flow_id, flow_name).items()
    with connection.cursor() as cursor:
        cursor.execute(_DESTINATION.format(column=f"f.{column}"), [caller.workspace_id, value])
        row = cursor.fetchone()
    if row is None:
        raise NotFound("There is no such flow.")
    found_id, name, status, version_id, schema_id, schema_version = row
    if status not in (FlowStatus.RUNNING, FlowStatus.PAUSED) or version_id is None:
        raise Conflict(f"The flow {name} takes no data records: it is {status}.")
    return _Destination(found_id, name, version_id, (schema_id, schema_version) if schema_id else None)


def check_documents(documents: Sequence[JSON], schema: tuple[int, int] | None) -> None:
    """Raise ``BadRequest`` naming index and path of what is no object or does not fit the schema (id, version)."""
    several = len(documents) > 1
    for index, document in enumerate(documents):
        if not isinstance(document, dict):
            raise BadRequest(f"Data record {index} is no object." if several else "A data record is an object.")
        found = problems(schema, document)
        if found:
            prefix = f"/{index}" if several else ""
            details = [Detail(prefix + detail.path, detail.message) for detail in found]
            which = f"Data record {index}" if several else "The data record"
            raise BadRequest(f"{which} does not fit the schema.", details=details)


def _insert(
    caller: Caller,
    destination: _Destination,
    names: Sequence[str],
    documents: Sequence[JSON],
    execute_at: datetime | None,
) -> None:
    origin = Origin(caller.workspace_id, caller.application_id)
    try:
        insert_records(origin, destination.flow_id, destination.version_id, names, documents, execute_at)
    except IntegrityError as error:
        if isinstance(error.__cause__, UniqueViolation):
            raise Conflict("The uuid is taken by another data record.") from None
        raise
