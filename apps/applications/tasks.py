"""Housekeeping of credentials."""

from datetime import timedelta

from celery import shared_task
from django.utils import timezone
from oauth2_provider.models import clear_expired

from apps.applications.models import RateWindow


@shared_task(name="applications.clear_expired_tokens")
def clear_expired_tokens() -> None:
    """Delete access tokens that have ended; nothing can be done with them any more."""
    clear_expired()


@shared_task(name="applications.clear_old_windows")
def clear_old_windows() -> None:
    """Delete counters whose window ended a day ago."""
    RateWindow.objects.filter(started__lt=timezone.now() - timedelta(days=1)).delete()
