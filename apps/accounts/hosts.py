"""Host names of environments, as they can be told from others by their form alone."""

import re
from functools import lru_cache

from django.conf import settings


def is_environment_host(host: str) -> bool:
    """Whether the host is one that only an environment can have: nothing of the Designer is served there."""
    return _pattern(settings.ENVIRONMENT_DOMAIN).fullmatch(host) is not None


def kind_of_host(host: str) -> str:
    """``www``, ``api`` or ``web`` of an environment's host, "" of any other."""
    found = _pattern(settings.ENVIRONMENT_DOMAIN).fullmatch(host)
    return found["kind"] if found else ""


@lru_cache(maxsize=8)
def _pattern(domain: str) -> re.Pattern[str]:
    return re.compile(rf"(?P<kind>www|api|web)-[a-z0-9]{{24}}\.{re.escape(domain)}")
