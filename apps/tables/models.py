"""Tables that people define, and their columns; the rows live in physical tables, see ``storage``."""

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import RegexValidator
from django.db import models
from django.utils import timezone

from apps.accounts.models import Workspace
from apps.core.tenancy import WorkspaceQuerySet

# Words that mean something else in the body of a call.
SYSTEM_COLUMNS = ("id", "date_created", "date_updated")
RESERVED = frozenset({*SYSTEM_COLUMNS, "columns", "where", "limit", "offset", "order_field", "order_type"})


class Kind(models.TextChoices):
    """The type of a column's values; ``kinds`` says how each is read and shown."""

    TEXT = "text", "Text"
    INTEGER = "integer", "Integer"
    DECIMAL = "decimal", "Decimal"
    BOOLEAN = "boolean", "Yes or no"
    DATE = "date", "Date"
    DATETIME = "datetime", "Date and time"
    JSON = "json", "JSON"


class IndexState(models.TextChoices):
    """Where the index of a column stands: the queue of the job that builds and drops indexes."""

    NONE = "none", "Not indexed"
    WANTED = "wanted", "Waiting for its index"
    BUILDING = "building", "Index is being built"
    READY = "ready", "Indexed"
    FAILED = "failed", "Index failed"
    UNWANTED = "unwanted", "Index is being dropped"


_table_name = RegexValidator(
    r"\A\w[\w .\-]*\Z", "Use letters, digits, spaces, dots, hyphens and underscores; begin with a letter or digit."
)
_column_name = RegexValidator(r"\A[^\x00-\x1f\x7f-\x9f]+\Z", "Use characters that can be seen.")


def validate_column_name(name: str) -> None:
    """Refuse the names of system columns and the words of the search language."""
    if name.lower() in RESERVED:
        raise ValidationError(f"“{name}” is reserved: give the column another name.")
    if name != name.strip():
        raise ValidationError("A name neither begins nor ends with a space.")


class Table(models.Model):
    """A table of a workspace; ``revision`` counts the changes of its columns."""

    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, related_name="tables", db_index=False)
    name = models.CharField(max_length=64, validators=[_table_name], help_text="The name in the address of API calls.")
    description = models.CharField(max_length=500, blank=True)
    revision = models.PositiveIntegerField(default=1, editable=False)
    date_created = models.DateTimeField(auto_now_add=True)
    date_modified = models.DateTimeField(default=timezone.now, editable=False)

    objects = WorkspaceQuerySet.as_manager()

    class Meta:
        ordering = ["name"]
        constraints = [models.UniqueConstraint(fields=["workspace", "name"], name="table_name_once")]

    def __str__(self) -> str:
        return self.name


class Column(models.Model):
    """A column of a table; its values stand in the physical column that its id names, so a new name costs nothing."""

    table = models.ForeignKey(Table, on_delete=models.CASCADE, related_name="columns", db_index=False)
    name = models.CharField(max_length=64, validators=[_column_name, validate_column_name])
    kind = models.CharField("type", max_length=8, choices=Kind.choices, default=Kind.TEXT)
    default = models.CharField(max_length=500, blank=True, help_text="For new rows that say nothing; may be empty.")
    required = models.BooleanField(default=False, help_text="Every row needs a value.")
    indexable = models.BooleanField(default=False, help_text="Makes searches and orders by this column fast.")
    position = models.PositiveSmallIntegerField(default=0)
    index_state = models.CharField(max_length=8, choices=IndexState.choices, default=IndexState.NONE, editable=False)
    index_error = models.CharField(max_length=500, blank=True, editable=False)
    index_claimed_at = models.DateTimeField(null=True, editable=False)

    class Meta:
        ordering = ["position", "id"]
        constraints = [models.UniqueConstraint(fields=["table", "name"], name="column_name_once")]
        indexes = [
            models.Index(
                fields=["id"],
                name="column_index_due",
                condition=models.Q(index_state__in=["wanted", "building", "unwanted"]),
            )
        ]

    def __str__(self) -> str:
        return self.name


class Upload(models.Model):
    """A CSV file between its preview and its import; removed after a day."""

    table = models.ForeignKey(Table, on_delete=models.CASCADE, related_name="uploads")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    name = models.CharField(max_length=200)
    content = models.BinaryField()
    date_created = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return self.name
