"""Contents of a workspace that its flows and pages use: templates, static data, websites, hosted pages, files."""

import secrets
from typing import Self

from django.core.validators import MaxLengthValidator, RegexValidator
from django.db import models
from django.db.models.functions import Lower

from apps.accounts.models import Organization, Workspace
from apps.applications.guarded import Guarded
from apps.contents.paths import LONGEST_PATH
from apps.core.jsonio import StoredJSONDecoder
from apps.core.tenancy import WorkspaceQuerySet

MOST_HTML = 1_000_000


def new_key() -> str:
    """Thirty-two random hexadecimal digits: the part of an address that nobody can guess."""
    return secrets.token_hex(16)


class TemplateKind(models.TextChoices):
    """What a template makes."""

    EMAIL = "email", "E-mail"
    DOCUMENT = "document", "Document"


class Template(models.Model):
    """A named text with ``{{ … }}`` places, filled in by a flow when it is used.

    ``subject`` is for e-mails only. ``html`` may be empty; then only ``text`` is sent.
    """

    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, related_name="+", db_index=False)
    name = models.CharField(max_length=128)
    kind = models.CharField(max_length=16, choices=TemplateKind.choices, default=TemplateKind.EMAIL)
    subject = models.CharField(max_length=500, blank=True)
    text = models.TextField(blank=True, validators=[MaxLengthValidator(MOST_HTML)])
    html = models.TextField("HTML", blank=True, validators=[MaxLengthValidator(MOST_HTML)])
    date_created = models.DateTimeField(auto_now_add=True)
    date_updated = models.DateTimeField(auto_now=True)

    objects = WorkspaceQuerySet.as_manager()

    class Meta:
        ordering = ["name"]
        constraints = [models.UniqueConstraint(fields=["workspace", "name"], name="template_name_once")]

    def __str__(self) -> str:
        return self.name


class StaticData(models.Model):
    """Constants of a workspace: the root ``static`` of its flows, read at the moment of use."""

    workspace = models.OneToOneField(Workspace, on_delete=models.CASCADE, related_name="+")
    data = models.JSONField(default=dict, decoder=StoredJSONDecoder)
    date_updated = models.DateTimeField(auto_now=True)

    objects = WorkspaceQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "static data"

    def __str__(self) -> str:
        return f"Static data of {self.workspace}"


class FileContent(models.Model):
    """The bytes of files, once for each organization: whoever has the same bytes refers to the same row.

    Rows never change. ``used_at`` is when somebody last began to refer to it; what nobody refers to is removed later.
    """

    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="+", db_index=False)
    sha256 = models.CharField(max_length=64)
    size = models.PositiveBigIntegerField()
    content = models.BinaryField()
    used_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["organization", "sha256"], name="file_content_once")]

    def __str__(self) -> str:
        return self.sha256


class File(models.Model):
    """A file by its path, ``/`` between folders; two paths that differ only by case would be one file elsewhere."""

    path = models.CharField(max_length=LONGEST_PATH)
    content_type = models.CharField(max_length=128)
    size = models.PositiveBigIntegerField(help_text="Bytes.")
    sha256 = models.CharField(max_length=64)
    content = models.ForeignKey(FileContent, on_delete=models.PROTECT, related_name="+")
    date_updated = models.DateTimeField(auto_now=True)

    class Meta:
        abstract = True
        ordering = ["path"]

    def __str__(self) -> str:
        return self.path


class Website(models.Model):
    """Files that an environment shows at a mapped address, the Designer under ``/site/{key}/``."""

    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, related_name="+", db_index=False)
    slug = models.CharField(
        max_length=64,
        validators=[RegexValidator(r"^[A-Za-z0-9_][A-Za-z0-9_-]*\Z", "Use letters, digits, _ and -.")],
        help_text="What mappings and deployments name it by. Letters, digits, _ and -.",
    )
    name = models.CharField(max_length=128)
    key = models.CharField(max_length=32, default=new_key, editable=False)
    date_created = models.DateTimeField(auto_now_add=True)
    date_updated = models.DateTimeField(auto_now=True)

    objects = WorkspaceQuerySet.as_manager()

    class Meta:
        ordering = ["slug"]
        constraints = [
            models.UniqueConstraint(fields=["workspace", "slug"], name="website_slug_once"),
            models.UniqueConstraint(fields=["key", "workspace"], name="website_key_once"),
        ]

    def __str__(self) -> str:
        return self.slug


class WebsiteFileQuerySet(WorkspaceQuerySet):
    """Files, whose tenant is that of their website."""

    def in_workspace(self, workspace_id: int) -> Self:
        """Only files of that workspace's websites."""
        return self.filter(website__workspace_id=workspace_id)


class WebsiteFile(File):
    """One file of a website."""

    website = models.ForeignKey(Website, on_delete=models.CASCADE, related_name="files", db_index=False)

    objects = WebsiteFileQuerySet.as_manager()

    class Meta(File.Meta):
        constraints = [
            models.UniqueConstraint(fields=["website", "path"], name="website_file_once"),
            models.UniqueConstraint("website", Lower("path"), name="website_file_once_in_any_case"),
        ]


class StoredFile(File):
    """One file of the file manager."""

    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, related_name="+", db_index=False)

    objects = WorkspaceQuerySet.as_manager()

    class Meta(File.Meta):
        verbose_name = "file"
        constraints = [
            models.UniqueConstraint(fields=["workspace", "path"], name="stored_file_once"),
            models.UniqueConstraint("workspace", Lower("path"), name="stored_file_once_in_any_case"),
        ]


class HostedPage(Guarded):
    """One page of HTML; with a ``flow`` the forms on it make records.

    An environment shows it at a mapped address, the Designer at ``/page/{key}``. A form is sent to the address of its
    page. Robots fill in every field: ``trap`` names one that people do not see, and what comes with it is dropped.
    """

    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, related_name="+", db_index=False)
    name = models.CharField(max_length=128)
    html = models.TextField("HTML", validators=[MaxLengthValidator(MOST_HTML)])
    flow = models.CharField(
        max_length=128, blank=True, help_text="Forms of the page make records of this flow. Empty: it takes no forms."
    )
    answer = models.TextField(
        "answer (HTML)",
        blank=True,
        validators=[MaxLengthValidator(MOST_HTML)],
        help_text="What people see once their form is stored. Empty: a line of thanks.",
    )
    trap = models.CharField(
        max_length=64, blank=True, help_text="Name of a hidden field that only robots fill in; theirs are dropped."
    )
    key = models.CharField(max_length=32, default=new_key, editable=False)
    date_created = models.DateTimeField(auto_now_add=True)
    date_updated = models.DateTimeField(auto_now=True)

    objects = WorkspaceQuerySet.as_manager()

    class Meta:
        ordering = ["name"]
        constraints = [
            models.UniqueConstraint(fields=["workspace", "name"], name="hosted_page_name_once"),
            models.UniqueConstraint(fields=["key", "workspace"], name="hosted_page_key_once"),
        ]

    def __str__(self) -> str:
        return self.name
