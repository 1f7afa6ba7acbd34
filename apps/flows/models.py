"""Flows and their versions."""

import json
import re
from typing import Any

from django.core.validators import RegexValidator
from django.db import models

from apps.accounts.models import Workspace
from apps.core.crypto import EncryptedTextField
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


class ConnectionKind(models.TextChoices):
    """How a connection proves who is calling."""

    NONE = "none", "No credentials"
    BASIC = "basic", "User name and password"
    BEARER = "bearer", "Bearer token"
    API_KEY = "api_key", "Key in a header"
    OAUTH2 = "oauth2_client_credentials", "OAuth 2 client credentials"


class ClientAuth(models.TextChoices):
    """How a client proves itself at a token address."""

    HEADER = "header", "In the Authorization header"
    BODY = "body", "In the body"


NAME_RULE = "A name is a letter, then letters, digits, _ and -, at most 64 characters."
CONNECTION_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,63}\Z")
validate_connection_name = RegexValidator(CONNECTION_NAME, NAME_RULE)


class Connection(models.Model):
    """A service that flows call by name, with the credentials it wants; those are sent to its origin alone."""

    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, related_name="+", db_index=False)
    name = models.CharField(max_length=64, validators=[validate_connection_name])
    description = models.TextField(blank=True)
    base_url = models.CharField(
        "address",
        max_length=500,
        help_text="Such as https://crm.example.com/api. Credentials are sent nowhere else; a url in a flow that does "
        "not begin with http:// or https:// is appended.",
    )
    kind = models.CharField("credentials", max_length=32, choices=ConnectionKind.choices, default=ConnectionKind.NONE)
    username = models.CharField("user name", max_length=255, blank=True)
    header = models.CharField(max_length=100, blank=True, default="X-Api-Key")
    token_url = models.CharField("token address", max_length=500, blank=True)
    client_id = models.CharField("client id", max_length=255, blank=True)
    scope = models.CharField(max_length=500, blank=True, help_text="Scopes to ask for, separated by spaces.")
    client_auth = models.CharField(
        "client credentials", max_length=16, choices=ClientAuth.choices, default=ClientAuth.HEADER
    )
    date_created = models.DateTimeField(auto_now_add=True)
    date_modified = models.DateTimeField(auto_now=True)

    objects = WorkspaceQuerySet.as_manager()

    class Meta:
        ordering = ["name"]
        constraints = [models.UniqueConstraint(fields=["workspace", "name"], name="connection_name_once")]

    def __str__(self) -> str:
        return self.name


class ConnectionSecret(models.Model):
    """What must not be seen of a connection, apart from it, so that nothing reads it that does not make calls.

    ``secret`` is the password, token, key or client secret; ``token`` the OAuth 2 access token in use, shared by all
    workers. ``revision`` counts changes of the connection: a token bought with older settings is not kept.
    """

    connection = models.OneToOneField(Connection, on_delete=models.CASCADE, primary_key=True, related_name="kept")
    secret = EncryptedTextField()
    token = EncryptedTextField(blank=True)
    token_expires_at = models.DateTimeField(null=True)
    revision = models.PositiveIntegerField(default=0)

    def __str__(self) -> str:
        return f"secret of connection {self.connection_id}"
