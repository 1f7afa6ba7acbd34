"""The echo that the demonstration flow calls, and what it has seen."""

from django.db import models

from apps.accounts.models import Organization


class Echo(models.Model):
    """One organization's echo address; the token makes it unguessable."""

    organization = models.OneToOneField(Organization, on_delete=models.CASCADE, related_name="+")
    token = models.CharField(max_length=64, unique=True)

    def __str__(self) -> str:
        return self.token


class EchoCall(models.Model):
    """How often the echo saw one Idempotency-Key."""

    echo = models.ForeignKey(Echo, on_delete=models.CASCADE, related_name="calls", db_index=False)
    key = models.CharField(max_length=255)
    count = models.PositiveIntegerField(default=1)
    last_seen_at = models.DateTimeField(auto_now=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["echo", "key"], name="echo_key_once")]

    def __str__(self) -> str:
        return f"{self.key}: {self.count}"
