"""Housekeeping of credentials."""

from datetime import timedelta

from celery import shared_task
from django.conf import settings
from django.utils import timezone
from oauth2_provider.models import clear_expired

from apps.applications.models import GivenAnswer, RateWindow


@shared_task(name="applications.clear_expired_tokens")
def clear_expired_tokens() -> None:
    """Delete access tokens that have ended; nothing can be done with them any more."""
    clear_expired()


@shared_task(name="applications.clear_old_windows")
def clear_old_windows() -> None:
    """Delete counters whose window ended a day ago."""
    RateWindow.objects.filter(started__lt=timezone.now() - timedelta(days=1)).delete()


@shared_task(name="applications.clear_given_answers")
def clear_given_answers() -> None:
    """Delete answers that are given no more; a minute later than that, so that none goes while it is looked up."""
    oldest = timezone.now() - timedelta(seconds=settings.IDEMPOTENCY_SECONDS + 60)
    GivenAnswer.objects.filter(date_created__lt=oldest).delete()
