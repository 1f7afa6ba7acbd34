"""The installation under fault, one for each broker, and the report at the end of the long form."""

import os
import shutil
from collections.abc import Iterator

import pytest

from tests.faults.house import House
from tests.faults.own_postgres import OwnServer
from tests.faults.receiver import Receiver
from tests.faults.report import FIGURES
from tests.faults.scale import IS_LONG, SCALE
from tests.server.redis_server import Redis

POSTGRESQL = pytest.param("postgresql", marks=pytest.mark.xdist_group("faults-postgresql"))
REDIS = pytest.param("redis", marks=pytest.mark.xdist_group("faults-redis"))


def on(*brokers: object) -> pytest.MarkDecorator:
    """The brokers of a test."""
    return pytest.mark.parametrize("standing", brokers, indirect=True, scope="package")


@pytest.fixture(scope="package")
def standing(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """An installation with that broker, and the service outside that its flows call."""
    home = tmp_path_factory.mktemp(request.param)
    server, redis = OwnServer(home / "postgresql", SCALE.durable), None
    if request.param == "redis":
        if not os.environ.get("REQUIRE_INTEROP") and not shutil.which("redis-server"):
            pytest.skip("no redis-server here")
        redis = Redis(home)
        redis.start()
    server.start()
    with Receiver() as receiver:
        house = House(home, server, redis, receiver)
        try:
            house.set_up()
            yield house
        finally:
            house.tear_down()
            server.stop()
            if redis:
                redis.kill()


@pytest.fixture
def house(standing: House) -> House:
    """The installation with everything running, whatever the test before has ended."""
    standing.revive()
    return standing


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print the figures of the long form."""
    if IS_LONG and FIGURES:
        terminalreporter.section("figures")
        for line in FIGURES:
            terminalreporter.write_line(line)
