"""Records, their documents and traces: the queue is the ``record`` table itself."""

from django.db import models

from apps.accounts.models import Workspace
from apps.applications.models import Application
from apps.core.jsonio import StoredJSONDecoder
from apps.core.tenancy import WorkspaceQuerySet
from apps.flows.models import Flow, FlowVersion
from apps.schemas.models import DataField
from apps.webhooks.models import Webhook


class Status(models.IntegerChoices):
    """A record's status; numbers and names are part of the wire contract."""

    NOT_RUNNING = 0, "Not running"
    PROCESSING = 1, "Processing"
    FINISHED = 2, "Finished"
    FAILED = 3, "Finished with errors"
    SCHEDULED = 4, "Scheduled"
    REVIEWED = 5, "Reviewed"
    HANDLED = 6, "Errors handled"


class Hold(models.IntegerChoices):
    """Why a record that is not finished has no due time."""

    NONE = 0, "None"
    PAUSED = 1, "Paused"  # by a queue action
    STOPPED = 2, "Stopped"  # by a stop object, until somebody resumes it
    WAITING = 3, "Waiting"  # for an event
    ERROR = 4, "Error"  # failed, may be resumed at the failed object


class Record(models.Model):
    """The position of one document in its flow; narrow, because every step updates it.

    ``wake_at`` says when the record is due: the due time while it waits, the end of the lease while a worker has it,
    nothing when it is finished or held.
    """

    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, related_name="+", db_index=False)
    flow = models.ForeignKey(Flow, on_delete=models.PROTECT, related_name="records", db_index=False)
    flow_version = models.ForeignKey(FlowVersion, on_delete=models.PROTECT, related_name="+", db_index=False)
    application = models.ForeignKey(Application, on_delete=models.SET_NULL, null=True, related_name="+", db_index=False)
    # The record that launched this one, and how many stand above it.
    parent = models.ForeignKey("self", on_delete=models.SET_NULL, null=True, related_name="children", db_index=False)
    depth = models.SmallIntegerField(default=0, db_default=0)
    uuid = models.CharField(max_length=128)
    status = models.SmallIntegerField(choices=Status.choices, default=Status.NOT_RUNNING)
    hold = models.SmallIntegerField(choices=Hold.choices, default=Hold.NONE)
    at = models.CharField("current object", max_length=64, blank=True)
    entered_at = models.DateTimeField(null=True)
    run_no = models.IntegerField(default=1)
    run_started = models.DateTimeField("first claim of this run", null=True)
    seq = models.IntegerField("steps done in this run", default=0)
    attempt = models.IntegerField(default=1)
    num_runs = models.IntegerField("passes", default=0)
    claims = models.SmallIntegerField("claims without progress", default=0)
    wake_at = models.DateTimeField(null=True)
    saved_wake_at = models.DateTimeField("due time while paused", null=True)
    lease_token = models.UUIDField(null=True)
    leased_by = models.CharField(max_length=64, blank=True)
    error_code = models.CharField(max_length=64, blank=True)
    error_text = models.TextField(blank=True)
    revision = models.IntegerField("replacements of the document", default=0)
    date_created = models.DateTimeField()
    date_started = models.DateTimeField(null=True)
    date_last_run = models.DateTimeField(null=True)

    objects = WorkspaceQuerySet.as_manager()

    class Meta:
        ordering = ["-date_created", "-id"]
        constraints = [models.UniqueConstraint(fields=["workspace", "uuid"], name="record_uuid_once")]
        indexes = [
            models.Index(fields=["flow", "wake_at"], name="record_due", condition=models.Q(wake_at__isnull=False)),
            models.Index(fields=["wake_at"], name="record_leased", condition=models.Q(status=1)),
            models.Index(fields=["parent"], name="record_children", condition=models.Q(parent__isnull=False)),
            # Held records are few and change seldom; without it, counting them reads all that are not held.
            models.Index(fields=["flow", "hold"], name="record_held", condition=models.Q(hold__gt=0)),
            # What searches walk: newest first in each, so that a page is as many rows whatever the table holds.
            # This one without the workspace, which the flow implies: no other index then looks as good to a planner
            # that thinks whatever it looks for is common.
            models.Index(fields=["flow", "status", "date_created", "id"], name="record_by_status"),
            models.Index(fields=["workspace", "date_created", "id"], name="record_by_created"),
            models.Index(
                fields=["workspace", "date_started", "id"],
                name="record_by_started",
                condition=models.Q(date_started__isnull=False),
            ),
            models.Index(
                fields=["workspace", "date_last_run", "id"],
                name="record_by_last_run",
                condition=models.Q(date_last_run__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return self.uuid


class RecordData(models.Model):
    """The document of a record, what its flow saved, and the counters of its run.

    ``input`` is the document before the flow changed it, kept with the first change; null while it is the same.
    """

    record = models.OneToOneField(Record, on_delete=models.CASCADE, primary_key=True, related_name="content")
    data = models.JSONField(decoder=StoredJSONDecoder)
    input = models.JSONField("document as the run began", null=True, decoder=StoredJSONDecoder)
    vars = models.JSONField(default=dict, decoder=StoredJSONDecoder)
    state = models.JSONField(default=dict)
    revision = models.IntegerField("replacements of the document", default=0)

    def __str__(self) -> str:
        return f"Document of record {self.record_id}"


class RecordField(models.Model):
    """The value of a data field in a record's document as text, cut to what an index holds; null when it has none."""

    pk = models.CompositePrimaryKey("record", "field")
    record = models.ForeignKey(Record, on_delete=models.CASCADE, related_name="fields", db_index=False)
    # Without a constraint: a check would lock one and the same row in every insert of a workspace.
    field = models.ForeignKey(
        DataField, on_delete=models.CASCADE, related_name="+", db_index=False, db_constraint=False
    )
    value = models.TextField(null=True)

    class Meta:
        indexes = [models.Index(fields=["field", "value", "record"], name="record_field_value")]

    def __str__(self) -> str:
        return self.value or ""


class RecordStep(models.Model):
    """One object a record has passed, or one failed attempt at it; only ever inserted."""

    record = models.ForeignKey(Record, on_delete=models.CASCADE, related_name="steps", db_index=False)
    run_no = models.IntegerField()
    seq = models.IntegerField()
    attempt = models.IntegerField()
    object = models.CharField(max_length=64)
    type = models.CharField(max_length=64)
    text = models.CharField(max_length=200, blank=True)
    port = models.CharField(max_length=64, blank=True)
    started_at = models.DateTimeField()
    ms = models.BigIntegerField("milliseconds")  # waits count: 32 bits would end after 24 days
    error = models.JSONField(null=True)
    output = models.JSONField(null=True)

    class Meta:
        ordering = ["run_no", "seq", "attempt"]
        constraints = [models.UniqueConstraint(fields=["record", "run_no", "seq", "attempt"], name="record_step_once")]

    def __str__(self) -> str:
        return f"{self.seq} {self.object}"


class RecordAnswer(models.Model):
    """What a flow answers the synchronous call that made its record; the last ``core.respond`` counts."""

    record = models.OneToOneField(Record, on_delete=models.CASCADE, primary_key=True, related_name="answer")
    status = models.PositiveSmallIntegerField()
    headers = models.JSONField(default=dict)
    content_type = models.CharField(max_length=200, blank=True)
    body = models.TextField(blank=True)
    date_created = models.DateTimeField()

    def __str__(self) -> str:
        return f"Answer {self.status} of record {self.record_id}"


class Listener(models.Model):
    """What a record that is held waits for: an event of a webhook, or the end of a record it has launched.

    It counts while the record is at the step it was written for. Neither webhooks nor records are referenced by a
    constraint: they may go, and the record learns of it when it looks again.
    """

    record = models.OneToOneField(Record, on_delete=models.CASCADE, primary_key=True, related_name="listener")
    run_no = models.IntegerField()
    seq = models.IntegerField()
    webhook = models.ForeignKey(
        Webhook, on_delete=models.DO_NOTHING, null=True, related_name="+", db_index=False, db_constraint=False
    )
    identifier = models.CharField(max_length=512, blank=True)
    child = models.ForeignKey(
        Record, on_delete=models.DO_NOTHING, null=True, related_name="+", db_index=False, db_constraint=False
    )

    class Meta:
        indexes = [
            models.Index(
                fields=["webhook", "identifier"], name="listener_to_event", condition=models.Q(webhook__isnull=False)
            ),
            models.Index(fields=["child"], name="listener_to_child", condition=models.Q(child__isnull=False)),
        ]

    def __str__(self) -> str:
        return f"Listener of record {self.record_id}"


class HeardEvent(models.Model):
    """An event that a record has taken; it takes none twice. Events may be removed without it."""

    pk = models.CompositePrimaryKey("record", "event")
    record = models.ForeignKey(Record, on_delete=models.CASCADE, related_name="+", db_index=False)
    event = models.BigIntegerField()

    def __str__(self) -> str:
        return f"Event {self.event} heard by record {self.record_id}"


class WorkerPulse(models.Model):
    """When each worker process was last seen draining; readiness wants a recent one."""

    name = models.CharField(primary_key=True, max_length=64)
    seen_at = models.DateTimeField()

    def __str__(self) -> str:
        return self.name


class Counter(models.Model):
    """One number of the metrics: a counter, a bucket or the sum of a histogram, with its labels as one JSON array.

    Every process adds what it has counted; so the numbers are those of all of them, and survive each.
    """

    pk = models.CompositePrimaryKey("name", "labels")
    name = models.CharField(max_length=64)
    labels = models.CharField(max_length=256)
    value = models.FloatField()

    def __str__(self) -> str:
        return f"{self.name}{self.labels}"
