"""Reading environment variables, or files that stand for them."""

from typing import Any

import environ
from django.core.exceptions import ImproperlyConfigured

READABLE = {"", "true", "on", "ok", "y", "yes", "1", "false", "off", "n", "no", "0"}


class LoudEnv(environ.FileAwareEnv):
    """Names the variable whose value cannot be read; nothing unreadable becomes ``False``."""

    def get_value(self, var: str, cast: Any = None, default: Any = environ.Env.NOTSET, **options: Any) -> Any:
        """The value, of the asked-for type."""
        if cast is bool and str(self.ENVIRON.get(var, "")).lower() not in READABLE:
            raise ImproperlyConfigured(f"{var} must be one of true, false, yes, no, on, off, 1, 0.")
        try:
            return super().get_value(var, cast=cast, default=default, **options)
        except ValueError as error:
            raise ImproperlyConfigured(f"{var} cannot be read: {error}") from error
