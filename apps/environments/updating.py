"""Changing what an environment is called, and the certificate of its hosts."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.utils import timezone

from apps.core.errors import BadRequest
from apps.environments import orders
from apps.environments.callers import OrganizationCaller
from apps.environments.certificates import Certificate, parsed_form, read_certificate
from apps.environments.models import Environment, EnvironmentCertificate, JobKind
from apps.environments.services import read_description, read_name


@dataclass(frozen=True, slots=True)
class CertificateFiles:
    """The files of an upload as they came; ``pem`` alone counts when it is there."""

    pem: bytes | None = None
    private_key: bytes | None = None
    certificate: bytes | None = None
    chain: Sequence[bytes] = ()

    def __bool__(self) -> bool:
        return any(part is not None for part in (self.pem, self.private_key, self.certificate)) or bool(self.chain)

    def read(self) -> Certificate:
        """The certificate; raises ``BadRequest`` for one that must not be put before users."""
        return read_certificate(
            now=timezone.now(),
            pem_file=self.pem,
            private_key_file=self.private_key,
            certificate_file=self.certificate,
            chain_files=self.chain,
        )


def update_environment(
    caller: OrganizationCaller,
    environment_id: str | int,
    *,
    name: Any = None,
    description: Any = None,
    delete_certificate: Any = None,
    files: CertificateFiles | None = None,
) -> Environment:
    """Rename an environment, describe it anew, install a certificate or remove the present one.

    Names are changed at once, certificates by a job; what cannot be read changes nothing at all.
    """
    removes = _flag(delete_certificate)
    with orders.changing(caller, environment_id) as environment:
        if name is not None:
            environment.name = read_name(name)
        if description is not None:
            environment.description = read_description(description)
        if files and removes:
            raise BadRequest("Send a certificate or delete_certificate, not both.")
        certificate = files.read() if files else None
        if name is None and description is None and not removes and certificate is None:
            raise BadRequest("Send a name, a description, a certificate or delete_certificate.")
        environment.save(update_fields=["name", "description", "date_updated"])
        environment.certificates.filter(live=False).delete()  # what a job that failed did not bring into force
        if certificate:
            _keep(environment, certificate)
        change = "install" if certificate else "remove" if removes else ""
        orders.begin(caller, environment, JobKind.UPDATE, {"certificate": change})
    return environment


def _keep(environment: Environment, certificate: Certificate) -> None:
    """Store it beside the one in force, which serves until the driver has the new one."""
    EnvironmentCertificate.objects.create(
        environment=environment,
        certificate=certificate.certificate,
        chain=certificate.chain,
        private_key=certificate.private_key,
        parsed=parsed_form(certificate.certificate),
        hosts=list(certificate.hosts),
        fingerprint=certificate.fingerprint,
        not_before=certificate.not_before,
        not_after=certificate.not_after,
    )


def _flag(value: Any) -> bool:
    if value in (None, "", "0", 0, False):
        return False
    if value in ("1", 1, True):
        return True
    raise BadRequest("delete_certificate must be 0 or 1.")
