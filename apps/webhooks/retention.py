"""How long webhook events are kept."""

from datetime import timedelta

from django.utils import timezone

from apps.webhooks.models import WebhookEvent

REMOVED_AT_ONCE = 5_000


def remove_old_events(days: int) -> int:
    """Remove events received more than ``days`` days ago; returns how many. 0 keeps all.

    Events are numbered as they come, so the oldest are found at the low end without an index of their dates.
    """
    if not days:
        return 0
    end, removed = timezone.now() - timedelta(days=days), 0
    while True:
        oldest = WebhookEvent.objects.order_by("id").values_list("id", "received_at")[:REMOVED_AT_ONCE]
        keys = [key for key, received_at in oldest if received_at < end]
        removed += WebhookEvent.objects.filter(pk__in=keys).delete()[0] if keys else 0
        if len(keys) < REMOVED_AT_ONCE:
            return removed
