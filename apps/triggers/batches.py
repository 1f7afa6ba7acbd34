"""Batches: their files, running and cloning them, what came of them."""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass, replace

from django.conf import settings
from django.db import connection, transaction

from apps.applications.caller import Caller
from apps.core.errors import BadRequest, Conflict, NotFound
from apps.core.jsonio import JSON
from apps.core.statement_time import at_most
from apps.records.models import Status
from apps.records.services import check_documents
from apps.schemas.selectors import current
from apps.triggers.batch_files import Item, read_items
from apps.triggers.models import Batch, BatchFault, BatchPiece, BatchStatus

PIECE_BYTES = 1024 * 1024
MOST_SHOWN = 5
REMOVABLE = (BatchStatus.DRAFT, BatchStatus.FINISHED, BatchStatus.ERROR)
RUNNABLE = (BatchStatus.DRAFT, BatchStatus.ERROR)

_STATUSES = """
SELECT r.status, count(*) FROM generate_series(1, %(position)s) AS item
JOIN records_record r ON r.workspace_id = %(workspace)s AND r.uuid = %(prefix)s || '-' || item
GROUP BY r.status
"""


@dataclass(frozen=True, slots=True)
class Results:
    """How the records of a batch stand: ``removed`` are no longer there, ``under_way`` have not come to an end."""

    finished: int
    failed: int
    under_way: int
    removed: int


class _Enough(Exception):
    """The first items have been read."""


def save_batch(batch: Batch, content: bytes | None = None, file_name: str = "") -> None:
    """Store a batch that is a draft, with its file when there is a new one; raises ``Conflict`` for any other."""
    if content is not None and len(content) > settings.BATCH_BYTES:
        raise BadRequest(f"The file is larger than {settings.BATCH_BYTES} bytes: send it as several batches.")
    with transaction.atomic():
        if batch.pk:
            _require_draft(batch)
        if content is not None:
            batch.size, batch.file_name = len(content), file_name[:200]
        batch.save()
        if content is not None:
            batch.pieces.all().delete()
            BatchPiece.objects.bulk_create(
                BatchPiece(batch=batch, number=number, content=content[start : start + PIECE_BYTES])
                for number, start in enumerate(range(0, len(content), PIECE_BYTES))
            )


def _require_draft(batch: Batch) -> None:
    if not Batch.objects.select_for_update().filter(pk=batch.pk, status=BatchStatus.DRAFT).exists():
        raise Conflict("Only a draft can be changed. Clone the batch and change the clone.")


def content_of(batch: Batch) -> bytes:
    """The file of a batch."""
    return b"".join(bytes(piece) for piece in batch.pieces.values_list("content", flat=True))


def first_items(batch: Batch) -> list[Item]:
    """The first items of a batch's file as they would be taken; raises ``BadRequest`` for one that has none."""
    found: list[Item] = []

    def take(item: Item) -> None:
        found.append(item)
        if len(found) == MOST_SHOWN:
            raise _Enough

    with contextlib.suppress(_Enough):
        read_items(batch, content_of(batch), take)
    if not found:
        raise BadRequest("The file holds no data records.")
    schema = current(batch.workspace_id)
    return [replace(item, fault=item.fault or fault_of(item.document, schema)) for item in found]


def fault_of(document: JSON, schema: tuple[int, int] | None) -> str:
    """What keeps a document from becoming a record, in one line; "" when nothing does."""
    try:
        check_documents([document], schema)
    except BadRequest as error:
        return " ".join([error.message, *(f"{detail.path}: {detail.message}" for detail in error.details)])
    return ""


def run_batch(caller: Caller, batch_id: int) -> Batch:
    """Hand a draft to the workers, or one that could not go on: it continues behind its last item.

    Raises ``NotFound``, and ``Conflict`` for a batch in another state or whose application may not run batches.
    """
    caller.require("batch")
    with transaction.atomic():
        batch = _locked(caller, batch_id)
        if batch.status not in RUNNABLE:
            raise Conflict(f"The batch cannot be run: it is {batch.get_status_display().lower()}.")
        if not batch.size:
            raise Conflict("The batch has no file.")
        require_application(batch)
        batch.status, batch.error, batch.claims = BatchStatus.READY, "", 0
        batch.save()
    return batch


def require_application(batch: Batch) -> None:
    """Raise ``Conflict`` when the batch's application is off or lacks the scope, or there is no flow."""
    application = batch.application
    if not application.active:
        raise Conflict(f"The application {application.name} is switched off.")
    if "batch" not in application.scopes:
        raise Conflict(f"The application {application.name} lacks the scope batch.")
    if not (batch.flow or application.default_flow):
        raise Conflict("The batch has no flow, and its application no default flow.")


def clone_batch(caller: Caller, batch_id: int) -> Batch:
    """A draft with the same file and options; raises ``NotFound``."""
    caller.require("batch")
    with transaction.atomic():
        origin = _locked(caller, batch_id)
        kept = (
            "workspace",
            "description",
            "application",
            "flow",
            "format",
            "delimiter",
            "encoding",
            "header",
            "mapping",
        )
        clone = Batch(name=f"Copy of {origin.name}"[:128], **{name: getattr(origin, name) for name in kept})
        clone.file_name, clone.size = origin.file_name, origin.size
        clone.save()
        with connection.cursor() as cursor:
            cursor.execute(
                "INSERT INTO triggers_batchpiece (batch_id, number, content)"
                " SELECT %s, number, content FROM triggers_batchpiece WHERE batch_id = %s",
                [clone.pk, origin.pk],
            )
    return clone


def remove_batch(batch: Batch) -> None:
    """Remove a batch with its file; its records stay. Raises ``Conflict`` while it is being processed."""
    with transaction.atomic():
        rows = Batch.objects.select_for_update().filter(pk=batch.pk, status__in=REMOVABLE)
        if not rows.exists():
            raise Conflict(f"The batch {batch.name} cannot be removed: it is being processed.")
        rows.delete()


def results_of(batch: Batch) -> Results:
    """How the records of a batch stand now; raises ``RequestTimeout`` when that takes longer than a search may."""
    with (
        at_most(settings.SEARCH_SECONDS, "Counting the records takes too long just now."),
        connection.cursor() as cursor,
    ):
        cursor.execute(_STATUSES, {"position": batch.position, "workspace": batch.workspace_id, "prefix": batch.prefix})
        counts = dict(cursor.fetchall())
    finished = counts.pop(Status.FINISHED, 0) + counts.pop(Status.HANDLED, 0)
    failed = counts.pop(Status.FAILED, 0) + counts.pop(Status.REVIEWED, 0)
    under_way = sum(counts.values())
    return Results(finished, failed, under_way, batch.made - finished - failed - under_way)


def first_faults(batch: Batch, count: int) -> list[BatchFault]:
    """The first items that became no records."""
    return list(batch.fault_rows.all()[:count])


def fault_lines(batch: Batch) -> Iterator[list[str]]:
    """The lines of a file with all faults that were kept, its header first."""
    yield ["item", "line", "message"]
    for fault in batch.fault_rows.all().iterator(chunk_size=1000):
        yield [str(fault.item), "" if fault.line is None else str(fault.line), fault.message]


def _locked(caller: Caller, batch_id: int) -> Batch:
    rows = Batch.objects.in_workspace(caller.workspace_id).select_for_update(of=("self",))
    batch = rows.select_related("application", "workspace__project").filter(pk=batch_id).first()
    if batch is None:
        raise NotFound("There is no such batch.")
    return batch
