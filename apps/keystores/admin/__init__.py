"""Pages of keystores and of their keys."""

from apps.keystores.admin.items import KeystoreItemAdmin
from apps.keystores.admin.keystores import KeystoreAdmin

__all__ = ["KeystoreAdmin", "KeystoreItemAdmin"]
