"""Registered applications, their refresh tokens, and the counters of their rate limits."""

import secrets

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.core.exceptions import ValidationError
from django.core.validators import MaxLengthValidator
from django.db import models
from oauth2_provider.models import AbstractApplication

from apps.accounts.models import Project, Workspace
from apps.applications.scopes import SCOPES
from apps.core import addresses
from apps.core.errors import BadRequest
from apps.core.tenancy import WorkspaceQuerySet


def new_app_key() -> str:
    """A fresh identifier of an application, 32 hex digits."""
    return secrets.token_hex(16)


def default_rate_limit() -> int:
    """Requests an hour granted to new applications."""
    return settings.RATE_LIMIT


def validate_addresses(text: str) -> None:
    """Refuse an address list with an entry that cannot be read, naming each line."""
    try:
        addresses.parse_allowlist(text)
    except BadRequest as error:
        raise ValidationError([detail.message for detail in error.details]) from error


class Application(AbstractApplication):
    """A registered consumer of the API; the ``app_key`` of requests is its identifier, not a secret."""

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="applications")
    name = models.CharField(max_length=128, unique=True, help_text="Unique in this installation.")
    description = models.TextField(blank=True, max_length=512, validators=[MaxLengthValidator(512)])
    app_key = models.CharField("application key", max_length=64, unique=True, default=new_app_key, editable=False)
    oauth2 = models.BooleanField(
        "OAuth 2", default=True, help_text="On: calls carry tokens. Off: calls carry the API key and application key."
    )
    url_keys = models.BooleanField(
        "keys in the URL",
        default=False,
        help_text="Lets callers send api_key and app_key in the URL. Such keys end up in logs of proxies on the way.",
    )
    default_flow = models.CharField(
        max_length=128, blank=True, help_text="Runs records that arrive without a flow name."
    )
    addresses = models.TextField(
        "allowed addresses",
        blank=True,
        validators=[validate_addresses],
        help_text="IPv4 and IPv6 addresses or networks (10.0.0.0/8), one a line. Empty refuses everybody.",
    )
    scopes = ArrayField(models.CharField(max_length=32, choices=[(name, name) for name in SCOPES]), default=list)
    rate_limit = models.PositiveIntegerField(
        default=default_rate_limit, help_text="Requests an hour; 0 means unlimited."
    )
    active = models.BooleanField(default=True)
    secret_prefix = models.CharField(max_length=8, blank=True, editable=False)
    last_used_at = models.DateTimeField(null=True, blank=True, editable=False)

    class Meta(AbstractApplication.Meta):
        ordering = ["name"]
        swappable = "OAUTH2_PROVIDER_APPLICATION_MODEL"

    def __str__(self) -> str:
        return self.name

    def is_usable(self, request: object) -> bool:
        """Whether the standard token endpoint may serve this client at all."""
        return self.active and self.oauth2


class RefreshToken(models.Model):
    """A token that does not expire, belongs to one application and buys new access tokens until it is revoked."""

    application = models.ForeignKey(Application, on_delete=models.CASCADE, related_name="refresh_tokens")
    token_hash = models.CharField(max_length=64, unique=True)
    prefix = models.CharField(max_length=8)
    date_created = models.DateTimeField(auto_now_add=True)
    last_used_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return f"{self.prefix}…"


class RateWindow(models.Model):
    """Requests counted for one caller in its current window.

    The table is UNLOGGED: counting costs no write-ahead log, and a crash of the database merely restarts the windows.
    """

    key = models.CharField(primary_key=True, max_length=100)
    started = models.DateTimeField()
    hits = models.BigIntegerField()

    def __str__(self) -> str:
        return f"{self.key}: {self.hits}"


class GivenAnswer(models.Model):
    """The answer to a call with an ``Idempotency-Key``, kept for as long as the call may be repeated."""

    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, related_name="+", db_index=False)
    caller = models.CharField(max_length=100, help_text="The application or project, as its rate limit counts it.")
    key = models.CharField(max_length=255)
    fingerprint = models.CharField(max_length=64)
    status = models.SmallIntegerField()
    document = models.TextField()
    date_created = models.DateTimeField(db_index=True)

    objects = WorkspaceQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["workspace", "caller", "key"], name="given_answer_once")]

    def __str__(self) -> str:
        return f"{self.caller}: {self.key}"
