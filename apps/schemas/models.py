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
