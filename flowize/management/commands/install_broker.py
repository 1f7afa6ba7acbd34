"""``manage.py install_broker``: the message queues inside PostgreSQL."""

from typing import Any

import psycopg
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from pgmq.install import get_embedded_install_sql, get_embedded_sql_version
from psycopg import sql

from flowize import postgres

LOCK = 0x70676D71  # "pgmq": two that install at once take turns
MARK = "Installed by Flowize from pgmq "


class Command(BaseCommand):
    """Installs pgmq's schema unless it is there; one of another version is replaced, its messages being only nudges."""

    help = "Install the message queues inside PostgreSQL, when the broker is one (BROKER_URL unset or pgmq://)."
    requires_system_checks = ()

    def handle(self, *args: Any, **options: Any) -> None:
        """Install it in one transaction."""
        if not settings.CELERY_BROKER_URL.startswith("pgmq://"):
            self.stdout.write("The broker is not PostgreSQL: nothing to install.")
            return
        mark = MARK + get_embedded_sql_version()
        with psycopg.connect(_conninfo()) as connection:
            connection.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK])
            if _is_needed(connection, mark):
                _drop_ours(connection)
                connection.execute(get_embedded_install_sql())
                connection.execute(sql.SQL("COMMENT ON SCHEMA pgmq IS {}").format(sql.Literal(mark)))
                self.stdout.write("The broker is installed.")
            else:
                self.stdout.write("The broker was installed before.")


def _conninfo() -> str:
    given = settings.CELERY_BROKER_TRANSPORT_OPTIONS.get("conn_string")
    return str(given or postgres.conninfo(settings.CELERY_BROKER_URL))


def _drop_ours(connection: psycopg.Connection) -> None:
    """Remove an older installation of ours; a schema of that name that is not ours stays, and stops us."""
    row = connection.execute("SELECT obj_description(to_regnamespace('pgmq'), 'pg_namespace')").fetchone()
    if row and (row[0] or "").startswith(MARK):
        connection.execute("DROP SCHEMA pgmq CASCADE")
    elif connection.execute("SELECT to_regnamespace('pgmq')").fetchone() != (None,):
        raise CommandError("The database has a schema named pgmq that is not ours: remove it, or set BROKER_URL.")


def _is_needed(connection: psycopg.Connection, mark: str) -> bool:
    """Whether there is none, or one of ours in another version; one that somebody else installed is left alone."""
    row = connection.execute(
        "SELECT to_regclass('pgmq.meta') IS NOT NULL, obj_description(to_regnamespace('pgmq'), 'pg_namespace')"
    ).fetchone()
    exists, comment = row or (False, None)
    return not exists or ((comment or "").startswith(MARK) and comment != mark)
