"""Housekeeping of webhook events."""

from celery import shared_task
from django.conf import settings

from apps.webhooks.retention import remove_old_events


@shared_task(name="webhooks.clear_old_events")
def clear_old_events() -> None:
    """Remove events older than the installation keeps them."""
    remove_old_events(settings.WEBHOOK_EVENT_DAYS)
