"""The job that makes records of batches, step by step; the row is the queue.

A step reads a whole file through, or makes the records of a thousand of its items. It is one transaction, progress
included, so an item is looked at exactly once however often a worker dies. Before it, the worker notes a lease in a
transaction of its own: a batch that ends its workers is given up after three.
"""

import json
import time
from collections.abc import Sequence
from dataclasses import replace
from uuid import UUID, uuid4

import structlog
from django.conf import settings
from django.db import InterfaceError, OperationalError, connection, transaction
from django.utils import timezone

from apps.applications.caller import Caller
from apps.core.errors import BadRequest, FlowizeError
from apps.core.failpoints import failpoint
from apps.core.jsonio import JSON
from apps.records.services import create_records
from apps.schemas.selectors import current
from apps.triggers.batch_files import Item, read_items
from apps.triggers.batches import content_of, fault_of, require_application
from apps.triggers.callers import trigger_caller
from apps.triggers.models import Batch, BatchChunk, BatchFault, BatchStatus

log = structlog.get_logger(__name__)

NUDGE = "triggers.run_batches"
LEASE_SECONDS = 30
SLICE_SECONDS = 2.0  # then records that are due get their turn
CHUNK_ITEMS = 1_000
MOST_CLAIMS = 3
LONGEST_FAULT = 1_000
LONGEST_ERROR = 2_000

# One batch at a time, so that batches never take all workers; which of several is left to chance.
_CLAIM = """
UPDATE triggers_batch SET status = 'processing', lease_token = %(token)s, claims = claims + 1,
       lease_until = now() + %(lease)s * interval '1 second', date_started = coalesce(date_started, now())
WHERE id = (
    SELECT id FROM triggers_batch
    WHERE status IN ('ready', 'processing') AND NOT EXISTS (
        SELECT FROM triggers_batch other WHERE other.status IN ('ready', 'processing') AND other.lease_until > now())
    ORDER BY random() LIMIT 1 FOR UPDATE SKIP LOCKED)
RETURNING id
"""

Entry = tuple[int, int | None, JSON, str]
"""An item as chunks keep it: its number, its line, its document, what is wrong with it."""


def run_batches(seconds: float = SLICE_SECONDS) -> bool:
    """Take steps for about ``seconds``; returns whether there may be more to do."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if not run_step():
            return False
    return True


def run_step() -> bool:
    """Take one step of one batch; ``False`` when none is due."""
    token = uuid4()
    with connection.cursor() as cursor:
        cursor.execute(_CLAIM, {"token": token, "lease": LEASE_SECONDS})
        row = cursor.fetchone()
    if row is None:
        return False
    failpoint("after-batch-claim")
    try:
        _step(row[0], token)
    except (OperationalError, InterfaceError):
        raise
    except FlowizeError as error:
        _give_up(row[0], token, error)
    except Exception as error:
        log.error("batch failed", batch=row[0], exc_info=error)
        _give_up(row[0], token, BadRequest(f"The platform could not run this batch ({type(error).__name__})."))
    return True


def _step(batch_id: int, token: UUID) -> None:
    with transaction.atomic():
        batch = _held(batch_id, token)
        if batch is None:
            return
        if batch.claims > MOST_CLAIMS:
            raise BadRequest("The batch ended its worker three times and was given up.")
        require_application(batch)
        if batch.total is None:
            _read_through(batch)
        else:
            _take_chunk(batch)
        batch.claims, batch.lease_token, batch.lease_until = 0, None, None
        batch.save()
        failpoint("before-batch-commit")


def _held(batch_id: int, token: UUID) -> Batch | None:
    """The batch, locked; nothing when the lease has passed to another worker."""
    rows = Batch.objects.filter(pk=batch_id, lease_token=token).select_for_update(of=("self",))
    return rows.select_related("workspace__project", "application").first()


def _give_up(batch_id: int, token: UUID, error: FlowizeError) -> None:
    lines = [error.message, *(f"{detail.path}: {detail.message}" for detail in error.details)]
    with transaction.atomic():
        if batch := _held(batch_id, token):
            batch.status, batch.error = BatchStatus.ERROR, "\n".join(lines)[:LONGEST_ERROR]
            batch.claims, batch.lease_token, batch.lease_until = 0, None, None
            batch.date_finished = timezone.now()
            batch.save()


class _Chunks:
    """Stores items a thousand at a time while their file is read."""

    def __init__(self, batch: Batch) -> None:
        self.batch = batch
        self.size = min(CHUNK_ITEMS, settings.RECORDS_PER_CALL)
        self.total = self.number = 0
        self.entries: list[Entry] = []

    def take(self, item: Item) -> None:
        self.total += 1
        if self.total > settings.BATCH_ITEMS:
            raise BadRequest(f"The file holds more than {settings.BATCH_ITEMS} items: send it as several batches.")
        self.entries.append((self.total, item.line, item.document, item.fault))
        if len(self.entries) == self.size:
            self.flush()

    def flush(self) -> None:
        if self.entries:
            text = json.dumps(self.entries, ensure_ascii=False, separators=(",", ":"))
            BatchChunk.objects.create(batch=self.batch, number=self.number, items=text)
            self.number += 1
            self.entries = []


def _read_through(batch: Batch) -> None:
    """Take the file apart before the first record is made: a broken one makes none."""
    chunks = _Chunks(batch)
    read_items(batch, content_of(batch), chunks.take)
    chunks.flush()
    if not chunks.total:
        raise BadRequest("The file holds no data records.")
    batch.total = chunks.total
    batch.prefix = f"batch-{batch.pk}-{uuid4().hex[:12]}"


def _take_chunk(batch: Batch) -> None:
    """Make the records of the next items; the last chunk finishes the batch."""
    chunk = batch.chunks.first()
    if chunk is not None:
        _make(batch, [(entry[0], entry[1], entry[2], entry[3]) for entry in json.loads(chunk.items)])
        chunk.delete()
    if chunk is None or batch.position == batch.total:
        batch.status, batch.date_finished = BatchStatus.FINISHED, timezone.now()


def _make(batch: Batch, entries: Sequence[Entry]) -> None:
    caller = trigger_caller(batch.workspace, batch.application)
    caller = replace(caller, scopes=caller.scopes | {"record"})  # running batches includes inserting their records
    good, faults = _sorted_out(caller, entries)
    if good:
        create_records(
            caller,
            [document for _, document in good],
            flow_name=batch.flow or None,
            uuids=[f"{batch.prefix}-{number}" for number, _ in good],
        )
    room = max(0, settings.BATCH_FAULTS - batch.faults)
    BatchFault.objects.bulk_create(
        BatchFault(batch=batch, item=number, line=line, message=message[:LONGEST_FAULT])
        for number, line, message in faults[:room]
    )
    batch.position = entries[-1][0]
    batch.made += len(good)
    batch.faults += len(faults)


def _sorted_out(
    caller: Caller, entries: Sequence[Entry]
) -> tuple[list[tuple[int, JSON]], list[tuple[int, int | None, str]]]:
    """The items that can become records, and what is wrong with the others."""
    schema = current(caller.workspace_id)
    good: list[tuple[int, JSON]] = []
    faults: list[tuple[int, int | None, str]] = []
    for number, line, document, fault in entries:
        if fault := fault or fault_of(document, schema):
            faults.append((number, line, fault))
        else:
            good.append((number, document))
    return good, faults
