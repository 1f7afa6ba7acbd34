"""Organizations, their members, projects and workspaces."""

import zoneinfo

from django.conf import settings
from django.contrib.auth.models import AbstractUser
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator
from django.db import models


class User(AbstractUser):
    """A person who signs in to the admin; what they may do is said by their memberships."""


class Role(models.TextChoices):
    """What a member may do in an organization; each role includes those after it."""

    OWNER = "owner", "Owner"  # members, keys, environments
    DEVELOPER = "developer", "Developer"  # applications, schema, flows, data
    OPERATOR = "operator", "Operator"  # records and queue
    VIEWER = "viewer", "Viewer"  # reads

    def includes(self, other: "Role") -> bool:
        """Whether whoever holds this role may do what ``other`` may."""
        order = list(Role)
        return order.index(self) <= order.index(other)


class Organization(models.Model):
    """The owner of projects and environments, and of the key that manages environments."""

    name = models.CharField(max_length=128, unique=True)
    api_key_hash = models.CharField(max_length=64, unique=True, null=True, editable=False)
    api_key_prefix = models.CharField(max_length=8, blank=True, editable=False)
    api_key_enabled = models.BooleanField(
        "organization API key", default=False, help_text="Calls that manage environments need this key switched on."
    )
    date_created = models.DateTimeField(auto_now_add=True)
    members = models.ManyToManyField(User, through="Membership", related_name="organizations")

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class Membership(models.Model):
    """A person's role in one organization."""

    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="memberships")
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="memberships")
    role = models.CharField(max_length=16, choices=Role.choices, default=Role.DEVELOPER)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["organization", "user"], name="membership_once")]

    def __str__(self) -> str:
        return f"{self.user} ({self.get_role_display()})"


def validate_time_zone(name: str) -> None:
    """Refuse a name that the tz database does not know."""
    if name not in zoneinfo.available_timezones():
        raise ValidationError(f"“{name}” is no time zone of the tz database, such as Europe/Amsterdam.")


def default_time_zone() -> str:
    """The zone that new workspaces render dates in."""
    return settings.DEFAULT_TIME_ZONE


class Project(models.Model):
    """The tenant of the data plane: one API key, one set of flow options, a workspace for each copy of its content."""

    organization = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="projects")
    name = models.CharField(max_length=128)
    api_key_hash = models.CharField(max_length=64, unique=True, null=True, editable=False)
    api_key_prefix = models.CharField(max_length=8, blank=True, editable=False)
    api_key_last_used_at = models.DateTimeField(null=True, blank=True, editable=False)
    retries = models.PositiveSmallIntegerField(
        "retries per error", default=3, help_text="How often a failing object is tried again before the record stops."
    )
    retry_minutes = models.PositiveSmallIntegerField("minutes between retries", default=5)
    max_executions = models.PositiveIntegerField(
        "most executions of one object",
        default=100,
        validators=[MaxValueValidator(100_000)],
        help_text="In one run of a record; reaching it stops the record: the guard against endless loops.",
    )
    date_created = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["name"]
        constraints = [models.UniqueConstraint(fields=["organization", "name"], name="project_name_once")]

    def __str__(self) -> str:
        return self.name


class Workspace(models.Model):
    """One copy of a project's content: the Designer's (no host), or the one an environment serves at its API host."""

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="workspaces")
    api_host = models.CharField(max_length=255, blank=True, default="")
    time_zone = models.CharField(max_length=64, default=default_time_zone, validators=[validate_time_zone])
    concurrency = models.PositiveIntegerField(
        default=0, help_text="Most records that run at once in all workspaces of the same host; 0 means no limit."
    )

    storage_full = models.BooleanField(
        default=False, editable=False, help_text="Holds more than its environment's storage: nothing more is taken."
    )

    class Meta:
        constraints = [models.UniqueConstraint(fields=["project", "api_host"], name="workspace_once")]

    def __str__(self) -> str:
        return f"{self.project} / {self.api_host or 'Designer'}"

    @property
    def label(self) -> str:
        """Whose it is, and which copy when it is not the Designer's."""
        return str(self) if self.api_host else str(self.project)

    @property
    def zone(self) -> zoneinfo.ZoneInfo:
        """The zone that dates are rendered and schedules are read in."""
        return zoneinfo.ZoneInfo(self.time_zone)
