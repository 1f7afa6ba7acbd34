"""Contents of a workspace that its flows and pages use: templates of mails and documents, static data."""

from django.db import models

from apps.accounts.models import Workspace
from apps.core.jsonio import StoredJSONDecoder
from apps.core.tenancy import WorkspaceQuerySet


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
    text = models.TextField(blank=True)
    html = models.TextField("HTML", blank=True)
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
