"""Telling people in good time that a certificate ends: by mail to the owners, once for each of the days."""

import structlog
from django.conf import settings
from django.core.mail import send_mail
from django.db import transaction
from django.urls import reverse
from django.utils import timezone

from apps.accounts.models import Role, User
from apps.environments.certificates import due_warning, warning_mail
from apps.environments.models import EnvironmentCertificate, Status

log = structlog.get_logger(__name__)


def warn() -> int:
    """Send every warning that is due; returns how many. One that cannot be sent is due again the next time."""
    live = EnvironmentCertificate.objects.filter(live=True).exclude(environment__status=Status.DELETED)
    return sum(_warn(pk) for pk in live.order_by("pk").values_list("pk", flat=True))


def _warn(pk: int) -> bool:
    """Noted once it is sent: a worker that dies in between has it sent twice rather than never."""
    with transaction.atomic():
        rows = EnvironmentCertificate.objects.select_for_update(of=("self",), skip_locked=True)
        row = rows.select_related("environment").filter(pk=pk).first()  # none while another worker is at it
        days = due_warning(row.not_after, timezone.now(), row.warned_days) if row else None
        if row is None or days is None or not _is_sent(row):
            return False
        row.warned_days = days
        row.save(update_fields=["warned_days"])
    return True


def _is_sent(row: EnvironmentCertificate) -> bool:
    try:
        _send(row)
    except Exception as error:  # noqa: BLE001 - whatever the mail server says, the next tick tries again
        log.warning("warning about a certificate not sent", environment=row.environment_id, error=type(error).__name__)
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
