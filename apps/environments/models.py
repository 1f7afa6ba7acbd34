"""Environments, what is deployed and mapped in them, and the jobs that build and change them."""

import zoneinfo
from typing import Self

from django.db import models

from apps.accounts.models import Organization, Project, Workspace, default_time_zone, validate_time_zone
from apps.core.crypto import EncryptedTextField
from apps.environments.packages import PACKAGES, REGIONS, Package


class Status(models.TextChoices):
    """Where an environment stands; the words are part of the wire contract."""

    CREATING = "creating", "Creating"
    UPDATING = "updating", "Updating"
    UPGRADING = "upgrading", "Upgrading"
    UPGRADED = "upgraded", "Upgraded"  # done, and about to be ready
    READY = "ready", "Ready"
    ERROR = "error", "Error"  # the last job failed; ``status_reason`` says why
    DELETING = "deleting", "Deleting"
    DELETED = "deleted", "Deleted"


QUIET = (Status.READY, Status.ERROR)  # nothing is under way: the next change may begin
SERVING = (Status.READY, Status.ERROR, Status.UPDATING, Status.UPGRADING, Status.UPGRADED)


class PlatformVersion(models.Model):
    """A release of the platform that environments can be brought to."""

    version = models.CharField(max_length=32, unique=True)
    date_created = models.DateTimeField()
    blocking_update = models.BooleanField(
        default=True, help_text="Environments are not changed otherwise while they are brought to it."
    )
    changelog = models.CharField(max_length=500, blank=True)

    class Meta:
        ordering = ["-date_created", "-id"]

    def __str__(self) -> str:
        return self.version


class EnvironmentQuerySet(models.QuerySet):
    """Reads of environments begin with their organization."""

    def of_organization(self, organization_id: int) -> Self:
        """Those of one organization, deleted ones included: foreign ones are as absent as unknown ones."""
        return self.filter(organization_id=organization_id)

    def existing(self) -> Self:
        """Those that are not deleted."""
        return self.exclude(status=Status.DELETED)


class Environment(models.Model):
    """A place that hosts projects, with hosts, package, storage and version of its own.

    It is provisioned by jobs: until ``provisioned_at`` it has no hosts. A deleted one stays as a row that says so.
    """

    organization = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="environments")
    name = models.CharField(max_length=128)
    description = models.CharField(max_length=512, blank=True)
    package_code = models.CharField("package", max_length=8, choices=[(c, p.name) for c, p in PACKAGES.items()])
    region = models.CharField(max_length=32, choices=[(name, name.title()) for name in REGIONS])
    time_zone = models.CharField(max_length=64, default=default_time_zone, validators=[validate_time_zone])
    status = models.CharField(max_length=16, choices=Status.choices, default=Status.CREATING)
    status_reason = models.CharField(max_length=500, blank=True)
    www_host = models.CharField(max_length=255, unique=True, null=True)
    api_host = models.CharField(max_length=255, unique=True, null=True)
    web_host = models.CharField(max_length=255, unique=True, null=True)
    address = models.GenericIPAddressField("IP address", null=True)
    storage_addons = models.PositiveSmallIntegerField("storage add-ons", default=0)
    version = models.ForeignKey(PlatformVersion, on_delete=models.PROTECT, related_name="environments")
    driver = models.CharField(max_length=32, default="local")
    driver_state = models.JSONField(default=dict)
    provisioned_at = models.DateTimeField(null=True)
    date_created = models.DateTimeField(auto_now_add=True)
    date_updated = models.DateTimeField(auto_now=True)
    date_deleted = models.DateTimeField(null=True)

    objects = EnvironmentQuerySet.as_manager()

    class Meta:
        ordering = ["id"]
        indexes = [models.Index(fields=["organization", "status"], name="environment_by_status")]

    def __str__(self) -> str:
        return self.name

    @property
    def zone(self) -> zoneinfo.ZoneInfo:
        """The zone that its dates are rendered in."""
        return zoneinfo.ZoneInfo(self.time_zone)

    @property
    def package(self) -> Package:
        """What it was ordered as."""
        return PACKAGES[self.package_code]


class Deployment(models.Model):
    """A project in an environment: the workspace it serves there, and the version of the project that was copied."""

    environment = models.ForeignKey(Environment, on_delete=models.CASCADE, related_name="deployments")
    project = models.ForeignKey(Project, on_delete=models.PROTECT, related_name="deployments")
    workspace = models.OneToOneField(Workspace, on_delete=models.PROTECT, related_name="deployment")
    version = models.PositiveIntegerField()
    date_created = models.DateTimeField(auto_now_add=True)
    date_updated = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ["project_id"]
        constraints = [models.UniqueConstraint(fields=["environment", "project"], name="deployment_once")]

    def __str__(self) -> str:
        return f"{self.project} {self.version}"


class ProjectVersion(models.Model):
    """What a project was made of when it was deployed or exported; an unchanged project keeps its version."""

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="versions")
    number = models.PositiveIntegerField()
    fingerprint = models.CharField(max_length=64)
    definition = models.JSONField()
    date_created = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-number"]
        constraints = [models.UniqueConstraint(fields=["project", "number"], name="project_version_once")]

    def __str__(self) -> str:
        return f"{self.project} {self.number}"


class MappingType(models.TextChoices):
    """What an address of the html host shows; the words are part of the wire contract."""

    WEBSITE = "website", "Website"
    HOSTED_PAGE = "hostedpage", "Hosted page"


class UrlMapping(models.Model):
    """An address of the html host and what it shows: a website by its slug, a hosted page by its name."""

    environment = models.ForeignKey(Environment, on_delete=models.CASCADE, related_name="url_mappings")
    project = models.ForeignKey(Project, on_delete=models.PROTECT, related_name="+")
    url = models.CharField(max_length=255)
    type = models.CharField(max_length=16, choices=MappingType.choices)
    name = models.CharField(max_length=128)
    date_created = models.DateTimeField(auto_now_add=True)
    date_updated = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ["url"]
        constraints = [models.UniqueConstraint(fields=["environment", "url"], name="url_mapping_once")]

    def __str__(self) -> str:
        return self.url


class EnvironmentCertificate(models.Model):
    """A certificate with its private key, which only the database's encrypted column and the driver ever hold.

    At most one is ``live``; a new one waits beside it until the driver has installed it.
    """

    environment = models.ForeignKey(Environment, on_delete=models.CASCADE, related_name="certificates")
    live = models.BooleanField(default=False)
    certificate = models.TextField("certificate (PEM)")
    chain = models.TextField("chain (PEM)", blank=True)
    private_key = EncryptedTextField(editable=False)
    parsed = models.JSONField(default=dict)
    hosts = models.JSONField(default=list)
    fingerprint = models.CharField(max_length=64)
    not_before = models.DateTimeField()
    not_after = models.DateTimeField()
    warned_days = models.PositiveSmallIntegerField(null=True, help_text="The last warning about its end.")
    date_created = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["environment", "live"], name="certificate_live_once")]

    def __str__(self) -> str:
        return str(self.parsed.get("name", "certificate"))


class JobKind(models.TextChoices):
    """What a job does to its environment."""

    CREATE = "create", "Create"
    UPDATE = "update", "Update"
    UPGRADE = "upgrade", "Upgrade"
    UPDATE_VERSION = "update-version", "Update version"
    OPTIMIZE = "optimize", "Optimize"
    DEPLOY = "deploy", "Deploy project"
    REMOVE_PROJECT = "remove-project", "Remove project"
    DELETE = "delete", "Delete"


class JobState(models.TextChoices):
    """Where a job stands in the queue."""

    QUEUED = "queued", "Waiting"  # due at ``wake_at``
    RUNNING = "running", "Running"  # under a lease that ends at ``wake_at``
    DONE = "done", "Done"
    FAILED = "failed", "Failed"  # may be tried again
    SUPERSEDED = "superseded", "Superseded"  # failed, and another change was asked for instead


OPEN = (JobState.QUEUED, JobState.RUNNING)


class EnvironmentJob(models.Model):
    """One change of an environment, done step by step by whichever worker holds the lease.

    ``step`` is the next step's name, ``attempts`` how often it was begun, ``memo`` what steps leave for later ones.
    """

    environment = models.ForeignKey(Environment, on_delete=models.CASCADE, related_name="jobs")
    kind = models.CharField(max_length=16, choices=JobKind.choices)
    parameters = models.JSONField(default=dict)
    memo = models.JSONField(default=dict)
    state = models.CharField(max_length=16, choices=JobState.choices, default=JobState.QUEUED)
    step = models.CharField(max_length=64)
    attempts = models.PositiveSmallIntegerField(default=0)
    step_since = models.DateTimeField(null=True)
    wake_at = models.DateTimeField(null=True)
    lease_token = models.UUIDField(null=True)
    error = models.CharField(max_length=500, blank=True)
    requested_by = models.CharField(max_length=150, blank=True)
    date_created = models.DateTimeField(auto_now_add=True)
    date_finished = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-id"]
        constraints = [
            # One change at a time: of two calls at once the second finds the environment busy.
            models.UniqueConstraint(fields=["environment"], name="job_open_once", condition=models.Q(state__in=OPEN))
        ]
        indexes = [models.Index(fields=["wake_at"], name="job_due", condition=models.Q(state__in=OPEN))]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} #{self.pk}"


class JobStep(models.Model):
    """A line of a job's log: one attempt at one step."""

    job = models.ForeignKey(EnvironmentJob, on_delete=models.CASCADE, related_name="lines")
    step = models.CharField(max_length=64)
    attempt = models.PositiveSmallIntegerField()
    started_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True)
    failed = models.BooleanField(default=False)
    message = models.CharField(max_length=500, blank=True)

    class Meta:
        ordering = ["id"]

    def __str__(self) -> str:
        return self.step


class GivenAnswer(models.Model):
    """The answer to a call with an ``Idempotency-Key``, kept for as long as the call may be repeated."""

    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="+", db_index=False)
    key = models.CharField(max_length=255)
    fingerprint = models.CharField(max_length=64)
    status = models.SmallIntegerField()
    document = models.TextField()
    date_created = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["organization", "key"], name="environment_answer_once")]

    def __str__(self) -> str:
        return self.key


class Measure(models.Model):
    """What an environment was last measured to hold, in bytes, and until when its activity is counted.

    ``full`` when it holds more than its quota; ``due_at`` is when storage is measured again.
    """

    environment = models.OneToOneField(Environment, on_delete=models.CASCADE, primary_key=True, related_name="measure")
    parts = models.JSONField(default=dict)
    used = models.BigIntegerField(default=0)
    full = models.BooleanField(default=False)
    measured_at = models.DateTimeField(null=True)
    due_at = models.DateTimeField(null=True)
    counted_until = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"{self.used} bytes"


class ActivityHour(models.Model):
    """What happened in an environment in one hour: counts, and how busy its workers were.

    ``busy_ms`` is the time spent in objects of flows, ``peak_ms`` that of the busiest of ``minutes`` minutes in which
    there was any.
    """

    environment = models.ForeignKey(Environment, on_delete=models.CASCADE, related_name="activity")
    hour = models.DateTimeField()
    records = models.PositiveIntegerField(default=0)
    tasks = models.PositiveIntegerField(default=0)
    webhooks = models.PositiveIntegerField(default=0)
    batches = models.PositiveIntegerField(default=0)
    visits = models.PositiveIntegerField(default=0)
    busy_ms = models.PositiveBigIntegerField(default=0)
    peak_ms = models.PositiveIntegerField(default=0)
    minutes = models.PositiveSmallIntegerField(default=0)

    class Meta:
        ordering = ["hour"]
        constraints = [models.UniqueConstraint(fields=["environment", "hour"], name="activity_hour_once")]

    def __str__(self) -> str:
        return f"{self.hour:%Y-%m-%d %H}"
