"""The apps a flow may use: the registry.

Pure apps run in memory. The others are carried out by the host, which gets a ``Call`` with the rendered config and
answers with an ``AppResult`` or ``AppError``.
"""

from . import keystore, table
from .app import App
from .data import FUNCTION, SET, VALIDATE
from .email import EMAIL
from .http import HTTP, is_expected
from .respond import RESPOND

__all__ = ["APPS", "App", "is_expected"]

APPS: dict[str, App] = {
    app.name: app
    for app in (
        VALIDATE,
        SET,
        FUNCTION,
        HTTP,
        EMAIL,
        RESPOND,
        keystore.GET,
        keystore.PUT,
        keystore.DELETE,
        table.INSERT,
        table.SELECT,
        table.UPDATE,
        table.DELETE,
    )
}
"""By their names."""
