"""A shipped web server on a database of its own, for measurements."""

import json
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import tests.home  # where the private PostgreSQL of the tests is kept

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "flowize.settings")

import django

django.setup()

from flowize import postgres  # noqa: E402
from tests.server.database import Database  # noqa: E402
from tests.server.installation import Installation  # noqa: E402

UNLIMITED = "from apps.applications.models import Application; Application.objects.update(rate_limit=0)"


@contextmanager
def house(*processes: str, **changes: str) -> Iterator[Installation]:
    """The processes running, with the demonstration organization and no limit to its calls."""
    with postgres_server() as url, tempfile.TemporaryDirectory() as home:
        database = Database(url, f"flowize_bench_{os.getpid()}")
        database.create()
        installation = Installation(Path(home), database)
        try:
            installation.release()
            installation.start(*processes, **changes)
            installation.wait_ready("/healthz")
            installation.acme = json.loads(installation.manage("demo", "--json"))
            installation.manage("shell", "--no-imports", "-c", UNLIMITED)
            yield installation
        finally:
            installation.stop()
            database.drop()


@contextmanager
def postgres_server() -> Iterator[str]:
    """The URL of a PostgreSQL: the given one, or a private one."""
    if given := os.environ.get("DATABASE_URL"):
        yield given
        return
    server = postgres.PrivateServer(tests.home.HOME)
    server.start()
    try:
        yield postgres.url(tests.home.HOME)
    finally:
        server.stop()
