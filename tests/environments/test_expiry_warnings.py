"""Mails about certificates that end, and the files of the web server in front."""

import io
import stat
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core import mail
from django.core.management import call_command
from django.utils import timezone

from apps.accounts.models import Role
from apps.environments import expiry
from apps.environments.expiry import warn
from apps.environments.models import Environment, EnvironmentCertificate
from tests.environments.conftest import Caller, make_ready
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


def test_nobody_is_told_of_what_is_not_in_force(owners: None, environment: Environment) -> None:
    certificate(environment, 5, live=False)
    assert warn() == 0
    EnvironmentCertificate.objects.update(live=True)
    Environment.objects.update(status="deleted")
    assert warn() == 0


def test_files_of_the_web_server_in_front(call: Caller, environment: Environment, tmp_path: Path) -> None:
    other = make_ready(call)
    certificate(environment, 50)
    folder = tmp_path / "tls"
    call_command("environment_tls", str(folder), stdout=io.StringIO())
    key, chain = folder / f"{environment.pk}.key", folder / f"{environment.pk}.crt"
    assert (key.read_text(), chain.read_text()) == ("SECRET\n", "CERT\nCHAIN\n")
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    config = (folder / "environments.nginx").read_text()
    hosts = f"{environment.www_host} {environment.api_host} {environment.web_host}"
    assert f"server_name {hosts};" in config
    assert "example.com" not in config
    assert f"ssl_certificate_key {key};" in config
    assert str(other.api_host) not in config
    EnvironmentCertificate.objects.all().delete()
    (folder / "mine.key").write_text("kept")
    call_command("environment_tls", str(folder), "--for", "caddy", stdout=io.StringIO())
    assert sorted(path.name for path in folder.iterdir()) == ["environments.caddy", "environments.nginx", "mine.key"]
