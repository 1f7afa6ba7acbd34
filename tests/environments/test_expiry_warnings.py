"""Mails about certificates that end."""

from datetime import timedelta
from typing import Any

import pytest
from django.core import mail
from django.utils import timezone

from apps.accounts.models import Role
from apps.environments import expiry
from apps.environments.expiry import warn
from apps.environments.models import Environment, EnvironmentCertificate
from tests.members import person


def certificate(environment: Environment, days: float, **fields: Any) -> EnvironmentCertificate:
    """One that ends in so many days."""
    now = timezone.now()
    usual = {
        "live": True,
        "certificate": "CERT\n",
        "chain": "CHAIN\n",
        "private_key": "SECRET\n",
        "fingerprint": "f",
        "hosts": ["www.example.com; include /etc/passwd", "192.0.2.7"],
        "parsed": {"name": "/CN=www.example.com"},
    }
    return EnvironmentCertificate.objects.create(
        environment=environment, not_before=now - timedelta(days=60), not_after=now + timedelta(days=days),
        **usual | fields,
    )  # fmt: skip


@pytest.fixture
def owners(environment: Environment) -> None:
    for name, role in (("ann", Role.OWNER), ("bob", Role.OWNER), ("dev", Role.DEVELOPER), ("off", Role.OWNER)):
        user = person(name, acme=role)
        user.email = f"{name}@example.com"
        user.is_active = name != "off"
        user.save()


def time_passes(row: EnvironmentCertificate, days: float) -> None:
    EnvironmentCertificate.objects.filter(pk=row.pk).update(not_after=timezone.now() + timedelta(days=days))


def test_owners_are_told_once_for_each_of_the_days(owners: None, environment: Environment) -> None:
    row = certificate(environment, 40)
    told = []
    for days in (40, 29.9, 29, 13, 12, 6.5, 0.9, 0.5, -1):
        time_passes(row, days)
        told.append(warn())
    assert told == [0, 1, 0, 1, 0, 1, 1, 0, 0]
    assert len(mail.outbox) == 4
    assert mail.outbox[0].to == ["ann@example.com", "bob@example.com"]
    assert mail.outbox[0].subject == "The certificate of Production ends in 30 days"
    assert f"/admin/environments/environment/{environment.pk}/certificate/" in str(mail.outbox[0].body)
    assert "SECRET" not in str(mail.outbox[0].body)


def test_warning_that_could_not_be_sent_is_sent_later(
    owners: None, environment: Environment, monkeypatch: pytest.MonkeyPatch
) -> None:
    certificate(environment, 20)

    def away(*args: Any, **kwargs: Any) -> int:
        raise ConnectionRefusedError

    with monkeypatch.context() as patch:
        patch.setattr(expiry, "send_mail", away)
        assert warn() == 0
    assert EnvironmentCertificate.objects.get().warned_days is None
    assert warn() == 1


def test_a_worker_that_dies_with_the_mail_sent_sends_it_again(
    owners: None, environment: Environment, monkeypatch: pytest.MonkeyPatch
) -> None:
    certificate(environment, 20)

    def killed(*args: Any, **kwargs: Any) -> None:
        raise SystemExit

    with monkeypatch.context() as patch:
        patch.setattr(EnvironmentCertificate, "save", killed)
        with pytest.raises(SystemExit):
            warn()
    assert warn() == 1
    assert len(mail.outbox) == 2


def test_nobody_is_told_of_what_is_not_in_force(owners: None, environment: Environment) -> None:
    certificate(environment, 5, live=False)
    assert warn() == 0
    EnvironmentCertificate.objects.update(live=True)
    Environment.objects.update(status="deleted")
    assert warn() == 0
