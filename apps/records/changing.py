"""Replacing the documents of records, and removing records."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.db import connection, transaction
from psycopg.types.json import Jsonb

from apps.applications.caller import Caller
from apps.core.errors import BadRequest, NotFound, RecordInUse
from apps.core.jsonio import JSON
from apps.core.preconditions import Precondition
from apps.records.fields import field_value
from apps.records.life_cycle import Act, refusal
from apps.records.locks import Locked, lock_records
from apps.records.models import Record
from apps.records.queueing import UNKNOWN
from apps.records.selectors import version_of
from apps.records.services import check_documents
from apps.records.waking import wake_parents
from apps.schemas.selectors import current

# The revision is what tells a claim that began before this one that its document is not the one it has seen. A lease
# that ran out is ended, so that its worker cannot write over the new document.
_UPDATE = """
WITH input AS (
    SELECT * FROM unnest(%(ids)s::bigint[], %(documents)s::jsonb[]) AS t (id, data)
), changed AS (
    UPDATE records_record SET revision = revision + 1, status = CASE status WHEN 1 THEN 0 ELSE status END,
           lease_token = NULL, leased_by = ''
    WHERE id = ANY(%(ids)s) RETURNING id, workspace_id, revision
), content AS (
    UPDATE records_recorddata d SET data = input.data, input = NULL, revision = changed.revision
    FROM changed JOIN input USING (id) WHERE d.record_id = changed.id
)
INSERT INTO records_recordfield AS kept (record_id, field_id, value)
SELECT changed.id, f.id, {value}
FROM changed JOIN input USING (id) JOIN schemas_datafield f USING (workspace_id)
ON CONFLICT (record_id, field_id) DO UPDATE SET value = excluded.value
WHERE kept.value IS DISTINCT FROM excluded.value
""".replace("{value}", field_value("input.data"))


@dataclass(frozen=True, slots=True)
class ChangedRecord:
    """A record as its update or removal reports it; ``document`` is the new one."""

    uuid: str
    flow_name: str
    document: JSON = None


def update_records(
    caller: Caller, uuids: Sequence[str], documents: Sequence[JSON], *, precondition: Precondition | None = None
) -> list[ChangedRecord]:
    """Replace the documents of records, all or none; where they stand in their flows stays as it is.

    The first document is the first uuid's, and so on. Raises ``BadRequest`` for lists that do not match and for what
    does not fit the schema in force, ``NotFound`` for an unknown uuid, ``RecordInUse`` while a worker has one of them,
    ``PreconditionFailed`` for a record that is no longer the one meant.
    """
    caller.require("record")
    _check_pairs(uuids, documents)
    check_documents(documents, current(caller.workspace_id))
    with transaction.atomic():
        rows = _free(Act.UPDATE, uuids, lock_records(caller.workspace_id, uuids))
        _check_version(caller, rows, precondition)
        _replace([row.record_id for row in rows], documents)
    return [ChangedRecord(row.uuid, row.flow_name, new) for row, new in zip(rows, documents, strict=True)]


def delete_record(caller: Caller, uuid: str, *, precondition: Precondition | None = None) -> ChangedRecord:
    """Remove a record with its document and trace.

    Raises ``NotFound``, ``RecordInUse`` while a worker has it, ``PreconditionFailed`` when it is not the one meant.
    """
    caller.require("record.delete")
    with transaction.atomic():
        (row,) = _free(Act.DELETE, [uuid], lock_records(caller.workspace_id, [uuid]))
        _check_version(caller, [row], precondition)
        wake_parents([row.record_id])
        Record.objects.in_workspace(caller.workspace_id).filter(pk=row.record_id).delete()
    return ChangedRecord(row.uuid, row.flow_name)


def _check_pairs(uuids: Sequence[str], documents: Sequence[JSON]) -> None:
    if len(uuids) > settings.RECORDS_PER_CALL:
        raise BadRequest(f"One call takes at most {settings.RECORDS_PER_CALL} data records.")
    if len(uuids) != len(documents):
        raise BadRequest(f"{len(uuids)} uuids are named and {len(documents)} data records sent.")
    if len(set(uuids)) < len(uuids):
        raise BadRequest("A uuid is named more than once.")


def _free(act: Act, uuids: Sequence[str], locked: Mapping[str, Locked]) -> list[Locked]:
    """The locked rows in the order of ``uuids``, when all are there and no worker has any."""
    if len(locked) < len(uuids):
        missing = next(uuid for uuid in uuids if uuid not in locked)
        raise NotFound(UNKNOWN if len(uuids) == 1 else f"There is no data record {missing}.")
    rows = [locked[uuid] for uuid in uuids]
    for row in rows:
        if reason := refusal(act, row.state):
            raise RecordInUse(reason if len(rows) == 1 else f"{reason}: {row.uuid}")
    return rows


def _check_version(caller: Caller, rows: Sequence[Locked], precondition: Precondition | None) -> None:
    """Ask for the version in a statement of its own: the one that locked the row may have begun before a change."""
    if precondition is None:
        return
    if len(rows) > 1:
        raise BadRequest("A condition such as If-Match is for a single data record.")
    precondition.check(*version_of(caller.workspace_id, rows[0].uuid))


def _replace(ids: list[int], documents: Sequence[JSON]) -> None:
    values: dict[str, Any] = {"ids": ids, "documents": [Jsonb(document) for document in documents]}
    with connection.cursor() as cursor:
        cursor.execute(_UPDATE, values)
