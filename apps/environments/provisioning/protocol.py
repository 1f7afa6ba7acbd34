"""What a driver must be able to do.

Every act is safe to be repeated: it looks at what is there, does what is missing and leaves the rest. A driver keeps
what it needs to find its own things again in ``environment.driver_state``, which is saved after each act; since a
worker may die before that, things must also be found by the environment's id.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from apps.environments.models import Environment, EnvironmentCertificate


class NotYet(Exception):
    """What was begun is not finished: ask again in so many seconds. Not counted as a failed attempt."""

    def __init__(self, seconds: float, message: str) -> None:
        self.seconds = seconds
        self.message = message
        super().__init__(message)


class Refused(Exception):
    """It cannot be done however often it is asked; the text is shown to people and holds no secret."""


@dataclass(frozen=True, slots=True)
class Hosts:
    """Where an environment answers: three host names without port, and the address they lead to."""

    www: str
    api: str
    web: str
    address: str


class Provisioner(Protocol):
    """A kind of place that environments live in."""

    name: str

    def regions(self) -> Mapping[str, str]:
        """The regions it can serve, by our names, with its own names for them."""

    def allocate(self, environment: Environment) -> Hosts:
        """Make the place: of the environment's package and region, with storage and an own queue of work.

        May raise ``NotYet``; is asked again until it answers.
        """

    def resize(self, environment: Environment) -> None:
        """Give the place the size that ``environment`` says by now. May raise ``NotYet``."""

    def install_certificate(self, environment: Environment, certificate: EnvironmentCertificate) -> None:
        """Serve the hosts with this certificate from now on; the old one serves until then."""

    def remove_certificate(self, environment: Environment) -> None:
        """Serve the hosts without a certificate of the customer's."""

    def release(self, environment: Environment) -> None:
        """Remove the place and all that belongs to it, however much of it there is. May raise ``NotYet``."""
