"""The names of environments' hosts, and which environment a host is."""

import secrets
import string
from dataclasses import dataclass

from django.conf import settings

from apps.accounts.hosts import kind_of_host
from apps.core.timed_cache import TimedCache
from apps.environments.models import SERVING, Environment

_LETTERS = string.ascii_lowercase + string.digits
LABEL_LENGTH = 24


@dataclass(frozen=True, slots=True)
class Place:
    """An environment by one of its hosts; without an id it does not exist, or does not answer."""

    kind: str
    environment_id: int | None


_places: TimedCache[str, Place] = TimedCache(lambda: settings.CREDENTIAL_CACHE_SECONDS)
forget_places = _places.clear


def new_label() -> str:
    """24 letters and digits that nobody can guess."""
    return "".join(secrets.choice(_LETTERS) for _ in range(LABEL_LENGTH))


def host_name(kind: str, label: str) -> str:
    """The host of a kind: ``www``, ``api`` or ``web``."""
    return f"{kind}-{label}.{settings.ENVIRONMENT_DOMAIN}"


def place_of(host: str) -> Place | None:
    """The environment that a host belongs to; none for hosts of the installation itself. May be a moment old."""
    kind = kind_of_host(host)
    return _places.get_or_make(host, lambda: _find(kind, host)) if kind else None


def _find(kind: str, host: str) -> Place:
    rows = Environment.objects.filter(**{f"{kind}_host": host}, status__in=SERVING, provisioned_at__isnull=False)
    return Place(kind, rows.values_list("pk", flat=True).first())
