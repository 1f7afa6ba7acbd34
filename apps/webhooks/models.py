"""Webhooks, the addresses that other systems deliver to, and the events that came in through them."""

from django.db import models

from apps.accounts.models import Workspace
from apps.applications.guarded import Guarded
from apps.core.jsonio import StoredJSONDecoder
from apps.core.tenancy import WorkspaceQuerySet
from apps.webhooks.paths import LONGEST_TEXT, validate_path


class Webhook(Guarded):
    """An address that takes deliveries without credentials: whoever knows its uri may send.

    The uri is kept as a hash. Copies of one webhook in several workspaces share it, and the host of the request picks
    the copy, as it does for keys.
    """

    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, related_name="webhooks", db_index=False)
    name = models.CharField(max_length=128)
    active = models.BooleanField(default=True, help_text="Off: deliveries are answered as if there were no webhook.")
    identifier_path = models.CharField(
        "identifier",
        max_length=255,
        blank=True,
        validators=[validate_path],
        help_text="Where a payload says whom it is about, such as order.id; listening flows are found by it.",
    )
    status_path = models.CharField(
        "status key",
        max_length=255,
        blank=True,
        validators=[validate_path],
        help_text="Where a payload says what happened, such as order.status; listening flows branch by it.",
    )
    batch = models.BooleanField(
        "sends batches", default=False, help_text="A payload that is an array becomes one event for each of its items."
    )
    flow = models.CharField(max_length=128, blank=True, help_text="Each event also becomes a record of this flow.")
    uri_hash = models.CharField(max_length=64, editable=False)
    uri_prefix = models.CharField(max_length=8, editable=False)
    date_created = models.DateTimeField(auto_now_add=True)

    objects = WorkspaceQuerySet.as_manager()

    class Meta:
        ordering = ["name"]
        constraints = [
            models.UniqueConstraint(fields=["workspace", "name"], name="webhook_name_once"),
            # The hash comes first: a delivery brings nothing else to find its workspace by.
            models.UniqueConstraint(fields=["uri_hash", "workspace"], name="webhook_uri_once"),
        ]

    def __str__(self) -> str:
        return self.name


class WebhookEvent(models.Model):
    """One delivered payload, or one item of a delivered array; only ever inserted.

    ``delivery`` is the sender's own id of the delivery, by which a repeated one is known, ``position`` the place in
    its array. ``record_uuid`` names the record made from the event; ``refusal`` says why its flow made none. Records
    and replayed events are named rather than referenced: each of them may go without the other.
    """

    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, related_name="+", db_index=False)
    webhook = models.ForeignKey(Webhook, on_delete=models.CASCADE, related_name="events", db_index=False)
    event_id = models.CharField("event", max_length=24)
    delivery = models.CharField(max_length=300, blank=True)
    position = models.PositiveIntegerField(default=0)
    identifier = models.CharField(max_length=LONGEST_TEXT, blank=True)
    status = models.CharField(max_length=LONGEST_TEXT, blank=True)
    payload = models.JSONField(decoder=StoredJSONDecoder)
    address = models.CharField(max_length=64, blank=True)
    record_uuid = models.CharField("record", max_length=128, blank=True)
    refusal = models.TextField(blank=True)
    replay_of = models.CharField(max_length=24, blank=True)
    received_at = models.DateTimeField()

    objects = WorkspaceQuerySet.as_manager()

    class Meta:
        verbose_name = "webhook event"
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(fields=["workspace", "event_id"], name="webhook_event_once"),
            models.UniqueConstraint(
                fields=["workspace", "webhook", "delivery", "position"],
                condition=~models.Q(delivery=""),
                name="webhook_delivery_once",
            ),
        ]
        indexes = [
            models.Index(fields=["workspace", "webhook", "identifier", "id"], name="webhook_event_for"),
            models.Index(fields=["workspace", "id"], name="webhook_event_newest"),
            # Deleting a webhook makes the database look for its events by nothing but the webhook.
            models.Index(fields=["webhook", "id"], name="webhook_event_of"),
        ]

    def __str__(self) -> str:
        return self.event_id
