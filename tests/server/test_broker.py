"""Messages only nudge: whatever becomes of the broker, records are taken at once and run."""

import os
import shutil
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.server.installation import SERVING, Installation, free_port
from tests.server.process import wait_until
from tests.server.redis_server import Redis
from tests.server.sink import Sink

pytestmark = [pytest.mark.server, pytest.mark.xdist_group("server")]

SLOWEST_SECONDS = 1.0


def insert_all(shipped: Installation, uuids: list[str], port: int) -> list[float]:
    """The seconds that each insert takes, one after the other."""
    seconds = []
    for uuid in uuids:
        began = time.monotonic()
        assert shipped.insert(uuid, port=port).status_code == 201
        seconds.append(time.monotonic() - began)
    return seconds


def test_inserts_are_fast_and_run_while_the_broker_cannot_be_reached(shipped: Installation) -> None:
    port = free_port()
    web = shipped.launch("web", PORT=str(port), BROKER_URL=f"redis://127.0.0.1:{free_port()}/0")
    try:
        shipped.wait_ready("/healthz", port)
        uuids = [f"no-broker-{number}" for number in range(20)]
        seconds = insert_all(shipped, uuids, port)
        ready = shipped.call("GET", "/readyz", port=port)
        shipped.wait_finished(*uuids)
    finally:
        web.kill()

    assert max(seconds) < SLOWEST_SECONDS
    assert sum(seconds[10:]) < sum(seconds[:10]) + SLOWEST_SECONDS
    assert (ready.status_code, ready.json()["missing"]) == (503, ["broker"])
    assert ready.headers["Retry-After"] == "5"


def test_nobody_listens_but_the_worker(shipped: Installation) -> None:
    uuids = [f"heard-{number}" for number in range(20)]
    insert_all(shipped, uuids, shipped.port)
    shipped.wait_finished(*uuids)
    listening = (
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND starts_with(query, 'LISTEN')"
    )
    wait_until(lambda: shipped.database.rows(listening) == [(1,)], 10)


@pytest.fixture
def redis(tmp_path: Path) -> Iterator[Redis]:
    if not os.environ.get("REQUIRE_INTEROP") and not shutil.which("redis-server"):
        pytest.skip("no redis-server here")
    redis = Redis(tmp_path)
    redis.start()
    yield redis
    redis.kill()


@pytest.fixture
def on_redis(shipped: Installation, redis: Redis) -> Iterator[Installation]:
    """The installation with Redis for its broker."""
    for name in SERVING:
        shipped.kill(name)
    shipped.start(*SERVING, BROKER_URL=redis.url)
    shipped.wait_ready()
    yield shipped
    for name in SERVING:
        shipped.kill(name)


def test_records_are_taken_while_redis_is_gone_and_run_when_it_is_back(
    on_redis: Installation, redis: Redis, sink: Sink
) -> None:
    before, during = ([f"{when}-redis-{number}" for number in range(5)] for when in ("before", "during"))
    insert_all(on_redis, before, on_redis.port)
    on_redis.wait_finished(*before, seconds=5)
    redis.kill()
    seconds = insert_all(on_redis, during, on_redis.port)
    redis.start()
    on_redis.wait_finished(*during, seconds=30)

    assert max(seconds) < SLOWEST_SECONDS
    assert [sink.keys_of(uuid) for uuid in during] == [[f"{uuid}:1:3"] for uuid in during]
