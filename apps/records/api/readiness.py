"""``/readyz``: everything a record needs to be taken and run is there."""

from collections.abc import Callable

from celery import current_app
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, JsonResponse

from apps.core.http.methods import reads_only
from apps.core.timed_cache import TimedCache

LIVE_SECONDS = 15
_broker: TimedCache[str, bool] = TimedCache(lambda: 5.0)
_migrated: TimedCache[str, bool] = TimedCache(lambda: 60.0)


@reads_only
def readyz(request: HttpRequest) -> JsonResponse:
    """200 with every part ``true``, else 503 naming the parts that are missing."""
    parts = {name: _holds(check) for name, check in CHECKS.items()}
    missing = [name for name, there in parts.items() if not there]
    body = {"status": "unavailable" if missing else "ok", "parts": parts, "missing": missing}
    headers = {"Cache-Control": "no-store"} | ({"Retry-After": "5"} if missing else {})
    return JsonResponse(body, status=503 if missing else 200, headers=headers)


def _holds(check: Callable[[], bool]) -> bool:
    try:
        return check()
    except Exception:  # noqa: BLE001 - whatever it is that fails, the part is not there
        return False


def _database() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    return True


def _migrations() -> bool:
    def applied() -> bool:
        executor = MigrationExecutor(connection)
        return not executor.migration_plan(executor.loader.graph.leaf_nodes())

    return _migrated.get_or_make("", applied)


def _broker_answers() -> bool:
    def connects() -> bool:
        with current_app.connection_for_write(connect_timeout=1) as link:
            link.ensure_connection(max_retries=1, timeout=1)
        return True

    # A broker that is away is remembered too: finding out takes seconds.
    return _broker.get_or_make("", lambda: _holds(connects))


def _worker() -> bool:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT EXISTS (SELECT 1 FROM records_workerpulse WHERE seen_at > now() - %s * interval '1 second')",
            [LIVE_SECONDS],
        )
        return cursor.fetchone()[0]


CHECKS = {"database": _database, "migrations": _migrations, "broker": _broker_answers, "worker": _worker}
