"""Keystores: named containers of keys, each with a document or a text."""

import re
from typing import Any, Self

from django.core.validators import RegexValidator
from django.db import models
from django.db.models.functions import Collate, Concat

from apps.accounts.models import Workspace
from apps.core.tenancy import WorkspaceQuerySet
from apps.keystores.fields import JSONTextField

IDENTIFIER = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_-]{0,63}")
LONGEST_KEY = 255


class Folded(models.Func):
    """A text without its capitals, as the database's locale knows them whatever the collation of the text itself."""

    template = 'LOWER(%(expressions)s COLLATE "default")'
    output_field = models.TextField()


# The order of the folded keys is that of their bytes, so that those with the same beginning stand together.
FOLDED_KEY = Collate(Folded("key"), "C")


class Kind(models.TextChoices):
    """What a keystore holds; chosen when it is made, for good."""

    JSON = "json", "JSON"
    RAW = "raw", "RAW"


class Keystore(models.Model):
    """A container of keys; ``structure`` is the JSON text of a key that is read before it is written."""

    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, related_name="keystores", db_index=False)
    identifier = models.CharField(
        max_length=64,
        validators=[RegexValidator(rf"^{IDENTIFIER.pattern}\Z", "Use letters, digits, _ and -.")],
        help_text="What callers and flows name it by. Letters, digits, _ and -; it cannot be changed later.",
    )
    description = models.TextField(blank=True, max_length=2000)
    kind = models.CharField(
        max_length=4,
        choices=Kind.choices,
        default=Kind.JSON,
        help_text="JSON: documents that can be searched by their parts. RAW: texts, kept to the letter. For good.",
    )
    structure = JSONTextField(default="{}")
    date_created = models.DateTimeField(auto_now_add=True)
    date_modified = models.DateTimeField(auto_now=True)

    objects = WorkspaceQuerySet.as_manager()

    class Meta:
        ordering = ["identifier"]
        constraints = [models.UniqueConstraint(fields=["workspace", "identifier"], name="keystore_identifier_once")]

    def __str__(self) -> str:
        return self.identifier


class ItemQuerySet(WorkspaceQuerySet):
    """Keys, whose tenant is that of their keystore."""

    def in_workspace(self, workspace_id: int) -> Self:
        """Only keys of that workspace's keystores."""
        return self.filter(keystore__workspace_id=workspace_id)

    def beginning_with(self, text: str) -> Self:
        """Keys that begin with ``text``, in whichever case; found by their index."""
        low = Folded(models.Value(text))
        high = Concat(low, models.Value("\U0010ffff"), output_field=models.TextField())
        rows = self.alias(folded=FOLDED_KEY)
        return rows.filter(folded__gte=Collate(low, "C"), folded__lt=Collate(high, "C"))


class KeystoreItem(models.Model):
    """One key and what it holds: the JSON text of a document, or of the one string that is a RAW keystore's text.

    ``version`` rises with each write; with the id it tells every state of a key from all others, also after the key
    was removed and made again.
    """

    keystore = models.ForeignKey(Keystore, on_delete=models.CASCADE, related_name="items", db_index=False)
    key = models.CharField(max_length=LONGEST_KEY, db_collation="C")
    data = JSONTextField()
    version = models.BigIntegerField(default=1, editable=False)
    date_created = models.DateTimeField(auto_now_add=True)
    date_modified = models.DateTimeField(auto_now=True)

    objects = ItemQuerySet.as_manager()

    class Meta:
        verbose_name = "key"
        constraints = [models.UniqueConstraint(fields=["keystore", "key"], name="keystore_key_once")]
        indexes = [models.Index(models.F("keystore"), FOLDED_KEY, name="keystore_key_folded")]

    def __str__(self) -> str:
        return self.key


def fault_of_key(key: Any) -> str | None:
    """What keeps a text from being a key, or nothing."""
    if not isinstance(key, str) or not key or len(key) > LONGEST_KEY:
        return f"A key is a text of 1 to {LONGEST_KEY} characters."
    if not key.isprintable():
        return "A key holds printable characters only."
    # A path ends at a slash, and clients take dots for a way up.
    return "A key holds no slash, and is neither . nor .. itself." if "/" in key or key in (".", "..") else None
