"""What starts records without a call of the API: URL triggers, schedules, batches."""

from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils import timezone

from apps.accounts.models import Workspace
from apps.applications.guarded import Guarded
from apps.applications.models import Application
from apps.core.jsonio import StoredJSONDecoder
from apps.core.tenancy import WorkspaceQuerySet
from apps.triggers.cron import CronError, read_cron
from apps.triggers.intervals import IntervalError, read_interval
from apps.webhooks.paths import LONGEST_TEXT

LONGEST_WAIT = 25  # a web process that is told to end has 30 seconds for what it has begun


class UrlKind(models.TextChoices):
    """What a URL trigger answers, and what it makes of a document."""

    DIRECT = "direct", "Direct"  # a record; the answer says that it is stored
    SYNC = "sync", "Sync"  # a record; the answer comes when its flow comes to rest
    DYNAMIC = "dynamic", "Dynamic"  # a record, or an event for the record that has the identifier already


class UrlTrigger(Guarded):
    """A secret address that makes records of what is posted to it.

    The secret is kept as a hash. Copies in several workspaces share it, and the host of the request picks the copy.
    """

    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, related_name="url_triggers", db_index=False)
    name = models.CharField(max_length=128)
    kind = models.CharField(max_length=8, choices=UrlKind.choices, default=UrlKind.DIRECT)
    active = models.BooleanField(default=True, help_text="Off: calls are answered as if there were no such address.")
    application = models.ForeignKey(
        Application,
        on_delete=models.RESTRICT,
        null=True,
        blank=True,
        related_name="+",
        help_text="Whose records they are; it needs the scope record. Without one they are nobody's.",
    )
    flow = models.CharField(
        max_length=128, blank=True, help_text="Without one the application's default flow runs the records."
    )
    batch = models.BooleanField(
        "batch of records", default=False, help_text="A body that is an array is one record for each of its items."
    )
    seconds = models.PositiveSmallIntegerField(
        "time limit",
        default=10,
        validators=[MinValueValidator(1), MaxValueValidator(LONGEST_WAIT)],
        help_text="Sync only: seconds after which the call is answered with 202 and the record's uuid.",
    )
    webhook = models.CharField(
        max_length=128,
        blank=True,
        help_text="Dynamic only: its identifier says whom a document is about; what is known becomes an event of it.",
    )
    secret_hash = models.CharField(max_length=64, editable=False)
    secret_prefix = models.CharField(max_length=8, editable=False)
    date_created = models.DateTimeField(auto_now_add=True)

    objects = WorkspaceQuerySet.as_manager()

    class Meta:
        verbose_name = "URL trigger"
        ordering = ["name"]
        constraints = [
            models.UniqueConstraint(fields=["workspace", "name"], name="url_trigger_name_once"),
            # The hash comes first: a call brings nothing else to find its workspace by.
            models.UniqueConstraint(fields=["secret_hash", "workspace"], name="url_trigger_secret_once"),
        ]

    def __str__(self) -> str:
        return self.name


class KnownIdentifier(models.Model):
    """An identifier that a Dynamic URL has made a record for; what comes with it from then on is an event."""

    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, related_name="+", db_index=False)
    trigger = models.ForeignKey(UrlTrigger, on_delete=models.CASCADE, related_name="+", db_index=False)
    identifier = models.CharField(max_length=LONGEST_TEXT)
    record_uuid = models.CharField("record", max_length=128)

    objects = WorkspaceQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["trigger", "identifier"], name="known_identifier_once")]

    def __str__(self) -> str:
        return self.identifier


def validate_cron(text: str) -> None:
    """Refuse what is no cron expression, saying why."""
    try:
        read_cron(text)
    except CronError as error:
        raise ValidationError(str(error)) from None


def validate_interval(text: str) -> None:
    """Refuse what is no interval, saying why."""
    try:
        read_interval(text)
    except IntervalError as error:
        raise ValidationError(str(error)) from None


class Schedule(models.Model):
    """Makes a record of one document again and again; the row is the queue.

    ``next_run`` says when it is due, in the zone ``planned_zone``; nothing while it is paused or when it has ended.
    """

    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, related_name="schedules", db_index=False)
    name = models.CharField(max_length=128)
    active = models.BooleanField(default=True, help_text="Off: paused. What is missed meanwhile is not made up for.")
    application = models.ForeignKey(
        Application,
        on_delete=models.RESTRICT,
        null=True,
        blank=True,
        related_name="+",
        help_text="Whose records they are; it needs the scope record. Without one they are nobody's.",
    )
    flow = models.CharField(
        max_length=128, blank=True, help_text="Without one the application's default flow runs the records."
    )
    document = models.JSONField(decoder=StoredJSONDecoder, default=dict)
    cron = models.CharField(
        max_length=200,
        blank=True,
        validators=[validate_cron],
        help_text="Minute, hour, day, month, weekday: 0 9 * * mon-fri is nine o'clock on working days.",
    )
    interval = models.CharField(
        max_length=40,
        blank=True,
        validators=[validate_interval],
        help_text="Instead: the time from one run to the next, such as 15m, 2h or 1d, from the beginning on.",
    )
    starts_at = models.DateTimeField("begins", null=True, blank=True, help_text="Without one it begins at once.")
    ends_at = models.DateTimeField("ends", null=True, blank=True, help_text="The last moment it may run.")
    next_run = models.DateTimeField(null=True, editable=False)
    planned_zone = models.CharField(max_length=64, blank=True, editable=False)
    last_run = models.DateTimeField(null=True, editable=False)
    last_uuid = models.CharField(max_length=128, blank=True, editable=False)
    last_error = models.TextField(blank=True, editable=False)
    # Set once, before anything is planned: intervals count from it.
    date_created = models.DateTimeField(default=timezone.now, editable=False)

    objects = WorkspaceQuerySet.as_manager()

    class Meta:
        ordering = ["name"]
        constraints = [models.UniqueConstraint(fields=["workspace", "name"], name="schedule_name_once")]
        indexes = [
            models.Index(fields=["next_run"], name="schedule_due", condition=models.Q(next_run__isnull=False)),
        ]

    def __str__(self) -> str:
        return self.name


class BatchStatus(models.TextChoices):
    """Where a batch stands."""

    DRAFT = "draft", "Draft"  # may be changed
    READY = "ready", "Ready"  # waits for a worker
    PROCESSING = "processing", "Processing"  # a worker makes its records
    FINISHED = "finished", "Finished"  # every item has been looked at; some may be at fault
    ERROR = "error", "Error"  # could not go on


class BatchFormat(models.TextChoices):
    """How the file of a batch is written."""

    JSON = "json", "JSON"
    XML = "xml", "XML"
    CSV = "csv", "CSV"


class Encoding(models.TextChoices):
    """The encodings that CSV files come in."""

    UTF_8 = "utf-8", "UTF-8"
    WINDOWS = "cp1252", "Windows-1252"
    LATIN = "iso-8859-15", "ISO 8859-15"
    UTF_16 = "utf-16", "UTF-16"


class Delimiter(models.TextChoices):
    """What stands between the cells of a CSV file."""

    COMMA = ",", "Comma ,"
    SEMICOLON = ";", "Semicolon ;"
    TAB = "\t", "Tab"
    BAR = "|", "Bar |"


class Batch(models.Model):
    """A file whose items become records; the row is the queue of the job that makes them.

    ``total`` is the number of items once the file has been read through, ``position`` how many of them have been
    looked at; items before it are records or stand among the faults. ``lease_token`` is the worker's that is about to
    take a step; while it does, it also holds the row's lock.
    """

    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, related_name="batches", db_index=False)
    name = models.CharField(max_length=128)
    description = models.CharField(max_length=500, blank=True)
    status = models.CharField(max_length=10, choices=BatchStatus.choices, default=BatchStatus.DRAFT, editable=False)
    application = models.ForeignKey(
        Application, on_delete=models.RESTRICT, related_name="+", help_text="It needs the scope batch."
    )
    flow = models.CharField(
        max_length=128, blank=True, help_text="Without one the application's default flow runs the records."
    )
    format = models.CharField(max_length=4, choices=BatchFormat.choices, default=BatchFormat.JSON)
    delimiter = models.CharField(max_length=1, choices=Delimiter.choices, default=Delimiter.COMMA)
    encoding = models.CharField(max_length=11, choices=Encoding.choices, default=Encoding.UTF_8)
    header = models.BooleanField("first line names the columns", default=True)
    mapping = models.TextField("columns", blank=True)
    file_name = models.CharField(max_length=200, blank=True, editable=False)
    size = models.PositiveBigIntegerField(default=0, editable=False)
    total = models.PositiveIntegerField(null=True, editable=False)
    position = models.PositiveIntegerField(default=0, editable=False)
    made = models.PositiveIntegerField("records made", default=0, editable=False)
    faults = models.PositiveIntegerField("items at fault", default=0, editable=False)
    error = models.TextField(blank=True, editable=False)
    prefix = models.CharField("beginning of its records' uuids", max_length=40, blank=True, editable=False)
    lease_token = models.UUIDField(null=True, editable=False)
    lease_until = models.DateTimeField(null=True, editable=False)
    claims = models.PositiveSmallIntegerField("claims without progress", default=0, editable=False)
    date_created = models.DateTimeField(auto_now_add=True)
    date_started = models.DateTimeField(null=True, editable=False)
    date_finished = models.DateTimeField(null=True, editable=False)

    objects = WorkspaceQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "batches"
        ordering = ["-id"]
        indexes = [
            models.Index(fields=["workspace", "id"], name="batch_newest"),
            models.Index(fields=["id"], name="batch_due", condition=models.Q(status__in=["ready", "processing"])),
        ]

    def __str__(self) -> str:
        return self.name


class BatchPiece(models.Model):
    """A part of a batch's file, so that no row is larger than a statement likes."""

    batch = models.ForeignKey(Batch, on_delete=models.CASCADE, related_name="pieces", db_index=False)
    number = models.PositiveIntegerField()
    content = models.BinaryField()

    class Meta:
        ordering = ["number"]
        constraints = [models.UniqueConstraint(fields=["batch", "number"], name="batch_piece_once")]

    def __str__(self) -> str:
        return f"Piece {self.number} of batch {self.batch_id}"


class BatchChunk(models.Model):
    """Items of a batch that have been read and not yet looked at: ``[item, line, document, fault]`` each, as JSON."""

    batch = models.ForeignKey(Batch, on_delete=models.CASCADE, related_name="chunks", db_index=False)
    number = models.PositiveIntegerField()
    items = models.TextField()

    class Meta:
        ordering = ["number"]
        constraints = [models.UniqueConstraint(fields=["batch", "number"], name="batch_chunk_once")]

    def __str__(self) -> str:
        return f"Chunk {self.number} of batch {self.batch_id}"


class BatchFault(models.Model):
    """An item that became no record, and why: ``item`` counts from 1, ``line`` is its place in the file."""

    batch = models.ForeignKey(Batch, on_delete=models.CASCADE, related_name="fault_rows", db_index=False)
    item = models.PositiveIntegerField()
    line = models.PositiveIntegerField(null=True)
    message = models.TextField()

    class Meta:
        ordering = ["item"]
        constraints = [models.UniqueConstraint(fields=["batch", "item"], name="batch_fault_once")]

    def __str__(self) -> str:
        return f"Item {self.item}: {self.message}"
