"""How long serving processes wait for the database: for the locks of others, and for statements.

Commands such as ``migrate`` wait for as long as it takes. What sets a limit of its own inside a transaction keeps it.
"""

from typing import Any

from django.conf import settings
from django.db import connection
from django.db.backends.signals import connection_created


def bound_locks() -> None:
    """Every connection that this process opens from now on waits for no lock longer than ``LOCK_SECONDS``."""
    connection_created.connect(_bound_locks, dispatch_uid="patience")


def bound_statements() -> None:
    """The connection of this thread takes no longer than ``STATEMENT_SECONDS`` for any statement, locks included."""
    _bound(connection, lock_timeout=settings.LOCK_SECONDS, statement_timeout=settings.STATEMENT_SECONDS)


def _bound_locks(connection: Any, **_: Any) -> None:
    _bound(connection, lock_timeout=settings.LOCK_SECONDS)


def _bound(connection: Any, **seconds: float) -> None:
    # Behind a pooler that hands out connections by transaction a session has no settings of its own.
    if connection.settings_dict["OPTIONS"].get("prepare_threshold") is None:
        return
    with connection.cursor() as cursor:
        for name, value in seconds.items():
            cursor.execute("SELECT set_config(%s, %s, false)", [name, f"{round(value * 1000)}ms"])
