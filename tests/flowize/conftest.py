"""A database with the embedded broker."""

import os
from collections.abc import Iterator
from typing import Any

import pytest
from django.core.management import call_command

from flowize import postgres
from tests.home import HOME
from tests.server.database import Database


@pytest.fixture
def broker(settings: Any) -> Iterator[str]:
    """The connection words of a database with the broker and one queue in it."""
    database = Database(os.environ.get("DATABASE_URL") or postgres.url(HOME), f"flowize_broker_{os.getpid()}")
    database.create()
    conninfo = postgres.conninfo(database.url)
    settings.CELERY_BROKER_TRANSPORT_OPTIONS = settings.CELERY_BROKER_TRANSPORT_OPTIONS | {"conn_string": conninfo}
    call_command("install_broker")
    database.rows("SELECT pgmq.create('flowize')")
    yield conninfo
    database.drop()
