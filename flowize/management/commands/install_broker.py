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

# Every process that opens a queue asks for its notifications. pgmq drops the trigger and makes it again each time: the
# second of two processes that start at once fails, and all wait for whoever reads the queue. This one takes turns, and
# leaves a trigger that is there alone.
ENABLE_NOTIFY = """
CREATE OR REPLACE FUNCTION pgmq.enable_notify_insert(queue_name TEXT, throttle_interval_ms INTEGER DEFAULT 250)
RETURNS void AS $$
#variable_conflict use_column
DECLARE
    wanted_queue TEXT := enable_notify_insert.queue_name;
    wanted_interval INTEGER := enable_notify_insert.throttle_interval_ms;
    queue_table TEXT := pgmq.format_table_name(wanted_queue, 'q');
BEGIN
    PERFORM pgmq.acquire_queue_lock(wanted_queue);
    IF NOT EXISTS (
        SELECT 1 FROM pgmq.notify_insert_throttle kept
        WHERE kept.queue_name = wanted_queue AND kept.throttle_interval_ms = wanted_interval
    ) THEN
        INSERT INTO pgmq.notify_insert_throttle (queue_name, throttle_interval_ms)
        VALUES (wanted_queue, wanted_interval)
        ON CONFLICT ON CONSTRAINT notify_insert_throttle_queue_name_key DO UPDATE
            SET throttle_interval_ms = EXCLUDED.throttle_interval_ms, last_notified_at = to_timestamp(0);
    END IF;
    IF NOT EXISTS (
        SELECT 1 FROM pg_trigger
        WHERE tgrelid = format('pgmq.%I', queue_table)::regclass AND tgname = 'trigger_notify_queue_insert_listeners'
    ) THEN
        EXECUTE format(
            'CREATE CONSTRAINT TRIGGER trigger_notify_queue_insert_listeners AFTER INSERT ON pgmq.%I DEFERRABLE'
            ' FOR EACH ROW EXECUTE PROCEDURE pgmq.notify_queue_listeners()', queue_table);
    END IF;
END;
$$ LANGUAGE plpgsql
"""


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
            if _comment(connection).startswith(MARK):
                connection.execute(ENABLE_NOTIFY)


def _conninfo() -> str:
    given = settings.CELERY_BROKER_TRANSPORT_OPTIONS.get("conn_string")
    return str(given or postgres.conninfo(settings.CELERY_BROKER_URL))


def _drop_ours(connection: psycopg.Connection) -> None:
    """Remove an older installation of ours; a schema of that name that is not ours stays, and stops us."""
    if _comment(connection).startswith(MARK):
        connection.execute("DROP SCHEMA pgmq CASCADE")
    elif connection.execute("SELECT to_regnamespace('pgmq')").fetchone() != (None,):
        raise CommandError("The database has a schema named pgmq that is not ours: remove it, or set BROKER_URL.")


def _comment(connection: psycopg.Connection) -> str:
    """What the schema says of itself; "" when it says nothing or there is none."""
    row = connection.execute("SELECT obj_description(to_regnamespace('pgmq'), 'pg_namespace')").fetchone()
    return (row and row[0]) or ""


def _is_needed(connection: psycopg.Connection, mark: str) -> bool:
    """Whether there is none, or one of ours in another version; one that somebody else installed is left alone."""
    row = connection.execute(
        "SELECT to_regclass('pgmq.meta') IS NOT NULL, obj_description(to_regnamespace('pgmq'), 'pg_namespace')"
    ).fetchone()
    exists, comment = row or (False, None)
    return not exists or ((comment or "").startswith(MARK) and comment != mark)
