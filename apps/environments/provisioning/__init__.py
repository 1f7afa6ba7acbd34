"""Drivers: what makes an environment exist somewhere."""

from collections.abc import Callable

from apps.environments.models import Environment
from apps.environments.provisioning.digitalocean import DigitalOcean
from apps.environments.provisioning.local import Local
from apps.environments.provisioning.protocol import Provisioner

DRIVERS: dict[str, Callable[[], Provisioner]] = {"local": Local, "digitalocean": DigitalOcean}


def provisioner_of(environment: Environment) -> Provisioner:
    """The driver that an environment was ordered from."""
    return DRIVERS[environment.driver]()
