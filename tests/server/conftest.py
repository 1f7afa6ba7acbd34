"""One shipped installation for all tests of this folder, and the service its flows call."""

import json
import os
from collections.abc import Iterator

import pytest

from flowize import postgres
from tests.home import HOME
from tests.server.database import Database
from tests.server.installation import SERVING, Installation
from tests.server.sink import Sink


@pytest.fixture(scope="package")
def sink() -> Iterator[Sink]:
    """The service outside the house."""
    with Sink() as sink:
        yield sink


@pytest.fixture(scope="package")
def _installation(tmp_path_factory: pytest.TempPathFactory, sink: Sink) -> Iterator[Installation]:
    server_url = os.environ.get("DATABASE_URL") or postgres.url(HOME)
    # Named by the process, as workers of one test run and even two test runs share the server.
    database = Database(server_url, f"flowize_server_{os.getpid()}")
    database.create()
    installation = Installation(tmp_path_factory.mktemp("installation"), database)
    try:
        installation.release()
        installation.start(*SERVING)
        installation.acme, installation.rival = (
            json.loads(installation.manage("demo", "--json", "--name", name)) for name in ("acme", "rival")
        )
        arguments = installation.acme["project_id"], sink.url
        stock = f"from tests.server.stock import add_stock; print(add_stock{arguments})"
        installation.elsewhere_app_key = installation.manage("shell", "--no-imports", "-c", stock).strip()
        yield installation
    finally:
        installation.stop()
        database.drop()


@pytest.fixture
def shipped(_installation: Installation) -> Installation:
    """The installation with everything running, whatever the test before has ended."""
    gone = [name for name in SERVING if name not in _installation.serving]
    _installation.start(*gone)
    _installation.wait_ready()
    return _installation
