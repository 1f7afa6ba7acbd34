"""The data schema of a workspace."""

import json
from typing import Any

from django.db import models

from apps.accounts.models import Workspace
from apps.core.tenancy import WorkspaceQuerySet


class Schema(models.Model):
    """The JSON Schema draft-4 that records of a workspace must fit; texts are kept as they were sent."""

    workspace = models.OneToOneField(Workspace, on_delete=models.CASCADE, related_name="schema")
    url = models.CharField(max_length=2048, blank=True, help_text="Stored for reference only; never fetched.")
    source = models.TextField("JSON Schema", help_text="A JSON Schema of draft 4.")
    sample = models.TextField("sample record", help_text="A record that fits the schema.")
    version = models.PositiveIntegerField(default=1, editable=False)
    date_created = models.DateTimeField(auto_now_add=True)
    date_modified = models.DateTimeField(auto_now=True)

    objects = WorkspaceQuerySet.as_manager()

    def __str__(self) -> str:
        return f"Schema of {self.workspace}"

    @property
    def document(self) -> Any:
        """The schema as a value."""
        return json.loads(self.source)

    @property
    def sample_document(self) -> Any:
        """The sample record as a value."""
        return json.loads(self.sample)


LONGEST_NAME, LONGEST_PATH = 64, 255


class DataField(models.Model):
    """A place in records that callers search by; its values are kept beside each record, and indexed."""

    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, related_name="data_fields", db_index=False)
    name = models.CharField(max_length=LONGEST_NAME, help_text="What callers search by: datafield_name.")
    path = models.CharField(
        max_length=LONGEST_PATH,
        help_text="Keys and places in lists with dots between them, such as client.0.email.",
    )
    list_column = models.BooleanField(
        default=False, help_text="Show this field beside each record in lists: dynamic_value. One field a workspace."
    )
    # Records that were there before the field are read by a job, oldest first; this is the last one it has read.
    filled_date = models.DateTimeField(null=True, editable=False)
    filled_id = models.BigIntegerField(default=0, editable=False)
    is_filled = models.BooleanField("complete", default=False, editable=False)
    date_created = models.DateTimeField(auto_now_add=True)

    objects = WorkspaceQuerySet.as_manager()

    class Meta:
        ordering = ["name"]
        constraints = [
            models.UniqueConstraint(fields=["workspace", "name"], name="data_field_name_once"),
            models.UniqueConstraint(
                fields=["workspace"], condition=models.Q(list_column=True), name="data_field_one_list_column"
            ),
        ]

    def __str__(self) -> str:
        return self.name
