"""Flows and their versions."""

import json
from typing import Any

from django.db import models

from apps.accounts.models import Workspace
from apps.core.tenancy import WorkspaceQuerySet


class FlowStatus(models.TextChoices):
    """What a flow does with records that arrive and records that are due."""

    DRAFT = "draft", "Draft"  # never published: refuses records
    RUNNING = "running", "Running"  # accepts and runs
    PAUSED = "paused", "Paused"  # accepts, runs none
    INACTIVE = "inactive", "Inactive"  # refuses records, runs none


class Flow(models.Model):
    """A named diagram; records enter it by name or id and run its live version."""

    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, related_name="flows")
    name = models.CharField(max_length=128)
    description = models.TextField(blank=True)
    status = models.CharField(max_length=16, choices=FlowStatus.choices, default=FlowStatus.DRAFT, editable=False)
    live_version = models.ForeignKey(
        "FlowVersion", on_delete=models.SET_NULL, null=True, blank=True, related_name="+", editable=False
    )
    concurrency = models.PositiveIntegerField(
        default=0, db_default=0, editable=False, help_text="Most records in workers' hands at once; 0 means no limit."
    )
    date_created = models.DateTimeField(auto_now_add=True)
    date_modified = models.DateTimeField(auto_now=True)

    objects = WorkspaceQuerySet.as_manager()

    class Meta:
        ordering = ["name"]
        constraints = [models.UniqueConstraint(fields=["workspace", "name"], name="flow_name_once")]
        indexes = [models.Index(fields=["id"], name="flow_running", condition=models.Q(status="running"))]

    def __str__(self) -> str:
        return self.name


class VersionStatus(models.TextChoices):
    """Where a flow version is in its life."""

    DRAFT = "draft", "Draft"  # may still change
    PUBLISHED = "published", "Published"  # what new records run
    RETIRED = "retired", "Retired"  # only records that entered with it still run it


class FlowVersion(models.Model):
    """One numbered document of a flow; published versions never change."""

    flow = models.ForeignKey(Flow, on_delete=models.CASCADE, related_name="versions")
    number = models.PositiveIntegerField()
    source = models.TextField("flow document", help_text="A document in flow/1 notation.")
    sha256 = models.CharField(max_length=64, blank=True, editable=False)
    status = models.CharField(max_length=16, choices=VersionStatus.choices, default=VersionStatus.DRAFT)
    date_created = models.DateTimeField(auto_now_add=True)
    date_published = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-number"]
        constraints = [
            models.UniqueConstraint(fields=["flow", "number"], name="flow_version_once"),
            models.UniqueConstraint(fields=["flow"], condition=models.Q(status="draft"), name="flow_one_draft"),
        ]

    def __str__(self) -> str:
        return f"{self.flow} v{self.number}"

    @property
    def document(self) -> Any:
        """The document as a value, keys in the order they were written."""
        return json.loads(self.source)
