"""This installation hosts the environment itself.

The place is rows: hosts under the installation's domain, workspaces that its API host serves, a quota that is held
against what they store, and the number of records of theirs that run at once. The certificate store is the database;
``manage.py environment_tls`` writes what the web server in front needs.
"""

from collections.abc import Mapping

from django.conf import settings

from apps.environments.hosts import host_name, new_label
from apps.environments.models import Environment, EnvironmentCertificate
from apps.environments.packages import REGIONS
from apps.environments.provisioning.protocol import Hosts


class Local:
    """The driver ``local``: everything it does is in the database, so that there is nothing to wait for."""

    name = "local"

    def regions(self) -> Mapping[str, str]:
        """Any: all are here."""
        return dict.fromkeys(REGIONS, "here")

    def allocate(self, environment: Environment) -> Hosts:
        """Hosts with a fresh label, or those of an earlier attempt."""
        label = environment.driver_state.setdefault("label", new_label())
        return Hosts(
            www=host_name("www", label),
            api=host_name("api", label),
            web=host_name("web", label),
            address=settings.ENVIRONMENT_ADDRESS,
        )

    def resize(self, environment: Environment) -> None:
        """The quota and the queue follow the environment's row by themselves."""

    def install_certificate(self, environment: Environment, certificate: EnvironmentCertificate) -> None:
        """The row of the certificate is the store."""

    def remove_certificate(self, environment: Environment) -> None:
        """As it is for the installation."""

    def release(self, environment: Environment) -> None:
        """The rows are gone by now."""
