"""The names of environments' hosts, and which environment a host is."""

import secrets
import string

from django.conf import settings

_LETTERS = string.ascii_lowercase + string.digits
LABEL_LENGTH = 24
PREFIXES = {"www": "www", "api": "api", "web": "web"}


def new_label() -> str:
    """24 letters and digits that nobody can guess."""
    return "".join(secrets.choice(_LETTERS) for _ in range(LABEL_LENGTH))


def host_name(kind: str, label: str) -> str:
    """The host of a kind: ``www``, ``api`` or ``web``."""
    return f"{kind}-{label}.{settings.ENVIRONMENT_DOMAIN}"
