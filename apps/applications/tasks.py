"""Housekeeping of credentials."""

from celery import shared_task
from oauth2_provider.models import clear_expired


@shared_task(name="applications.clear_expired_tokens")
def clear_expired_tokens() -> None:
    """Delete access tokens that have ended; nothing can be done with them any more."""
    clear_expired()
