"""Telling people in good time that a certificate ends: by mail to the owners, once for each of the days."""

import structlog
from django.conf import settings
from django.core.mail import send_mail
from django.urls import reverse
from django.utils import timezone

from apps.accounts.models import Role, User
from apps.environments.certificates import due_warning, warning_mail
from apps.environments.models import EnvironmentCertificate, Status

log = structlog.get_logger(__name__)


def warn() -> int:
    """Send every warning that is due; returns how many. One that cannot be sent is due again the next time."""
    live = EnvironmentCertificate.objects.filter(live=True).exclude(environment__status=Status.DELETED)
    return sum(_warn(row) for row in live.select_related("environment").order_by("pk"))


def _warn(row: EnvironmentCertificate) -> bool:
    days = due_warning(row.not_after, timezone.now(), row.warned_days)
    if days is None:
        return False
    # Taken first, so that of two ticks at once one sends; given back when that fails.
    mine = EnvironmentCertificate.objects.filter(pk=row.pk, warned_days=row.warned_days)
    if not mine.update(warned_days=days):
        return False
    try:
        _send(row)
    except Exception as error:  # noqa: BLE001 - whatever the mail server says, the next tick tries again
        log.warning("warning about a certificate not sent", environment=row.environment_id, error=type(error).__name__)
        EnvironmentCertificate.objects.filter(pk=row.pk, warned_days=days).update(warned_days=row.warned_days)
        return False
    return True


def _send(row: EnvironmentCertificate) -> None:
    environment = row.environment
    owners = User.objects.filter(
        memberships__organization=environment.organization_id, memberships__role=Role.OWNER, is_active=True
    )
    addresses = sorted({user.email for user in owners if user.email})
    log.warning("certificate ends", environment=environment.pk, ends=row.not_after.isoformat(), told=len(addresses))
    page = reverse("admin:environments_environment_certificate", args=[environment.pk])
    subject, text = warning_mail(
        environment.name, ", ".join(row.hosts), row.not_after, timezone.now(), settings.PUBLIC_URL + page
    )
    if addresses:
        send_mail(subject, text, None, addresses)
