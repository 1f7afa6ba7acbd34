"""Reading records with their documents and traces."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.contrib.postgres.expressions import ArraySubquery
from django.db import connection
from django.db.models import OuterRef
from django.db.models.expressions import RawSQL
from django.db.models.functions import JSONObject

from apps.core.errors import NotFound
from apps.core.preconditions import Part
from apps.records.life_cycle import QueueState, state_of
from apps.records.models import Record, RecordStep


def queue_status(record: Record) -> QueueState:
    """Where the record stands in the queue; nothing once it is finished or taken out."""
    return state_of(record.status, record.hold, record.wake_at)


@dataclass(frozen=True, slots=True)
class Step:
    """One line of a record's trace, without what the object put out, which may be long; ``ms`` is how long it took."""

    run_no: int
    seq: int
    attempt: int
    object: str
    type: str
    text: str
    port: str
    started_at: datetime
    ms: int
    error: dict[str, Any] | None

    @property
    def finished_at(self) -> datetime:
        """When the object was left, or the attempt given up."""
        return self.started_at + timedelta(milliseconds=self.ms)


_STEPS = ArraySubquery(
    RecordStep.objects.filter(record=OuterRef("pk"))
    .order_by("run_no", "seq", "attempt")
    .values(json=JSONObject(**{name: name for name in Step.__slots__}))
)

# Every change of position, document or trace updates one of the two rows, and PostgreSQL notes in it which transaction
# did; locks leave no mark there. So nobody who changes records has to remember to count. The place of the row, which
# an update changes too, tells apart what one transaction did in several steps.
_MARK = "concat_ws('.', records_record.xmin, records_record.ctid, records_recorddata.xmin, records_recorddata.ctid)"
_VERSION = f"""
SELECT records_record.id, {_MARK} FROM records_record
JOIN records_recorddata ON records_recorddata.record_id = records_record.id
WHERE records_record.workspace_id = %s AND records_record.uuid = %s
"""  # noqa: S608 - nothing in it comes from outside


def version_of(workspace_id: int, uuid: str) -> tuple[Part, ...]:
    """What tells a record's present state from every other, in one statement; raises ``NotFound``."""
    with connection.cursor() as cursor:
        cursor.execute(_VERSION, [workspace_id, uuid])
        found = cursor.fetchone()
    if found is None:
        raise NotFound("There is no such data record.")
    return ("record", *found)


def version_as_read(record: Record) -> tuple[Part, ...]:
    """The version that a record had when ``get_record`` read it."""
    return ("record", record.pk, vars(record)["mark"])


def get_record(workspace_id: int, uuid: str) -> tuple[Record, list[Step]]:
    """The record with document, trace and version, in one statement and so as of one moment; raises ``NotFound``."""
    rows = Record.objects.in_workspace(workspace_id).select_related("content", "flow")
    rows = rows.annotate(trace=_STEPS, mark=RawSQL(_MARK, ()))  # noqa: S611 - nothing in it comes from outside
    record = rows.filter(uuid=uuid).first()
    if record is None:
        raise NotFound("There is no such data record.")
    return record, [_step(row) for row in record.trace]


def _step(row: dict[str, Any]) -> Step:
    return Step(**{**row, "started_at": datetime.fromisoformat(row["started_at"])})
