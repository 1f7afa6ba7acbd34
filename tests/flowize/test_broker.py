"""Channels of the brokers after their connection was closed, and who listens to the one in the database."""

import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from kombu import Connection, Queue

from flowize.broker import RedisTransport
from flowize.celery import app
from tests.server.interop import program
from tests.server.redis_server import Redis


@pytest.fixture
def embedded(broker: str, settings: Any) -> Iterator[Connection]:
    """A connection as Celery makes them, to an embedded broker of its own, which it asks but once a minute."""
    options = settings.CELERY_BROKER_TRANSPORT_OPTIONS | {"conn_string": broker, "polling_interval": 60}
    with app.connection_for_write(
        url="pgmq://localhost", transport=settings.CELERY_BROKER_TRANSPORT, transport_options=options
    ) as made:
        yield made


@pytest.fixture
def redis(tmp_path: Path) -> Iterator[Redis]:
    """A Redis to be broken."""
    program("redis-server")
    server = Redis(tmp_path)
    server.start()
    yield server
    server.kill()


def test_a_message_that_is_acknowledged_too_late_is_an_error_of_the_connection(embedded: Connection) -> None:
    queue = embedded.SimpleQueue("flowize")
    queue.put({"number": 1})
    message = queue.get(timeout=5)
    message.channel.close()
    with pytest.raises(psycopg.InterfaceError, match="the connection is closed"):
        message.ack()
    assert issubclass(psycopg.InterfaceError, embedded.connection_errors)


def test_what_is_sent_over_a_closed_channel_is_sent_over_a_new_one(embedded: Connection) -> None:
    producer = embedded.Producer(auto_declare=False)
    producer.channel.close()
    producer.publish({"number": 2}, routing_key="flowize", declare=[Queue("flowize")], retry=True)
    assert embedded.SimpleQueue("flowize").get(timeout=5).payload == {"number": 2}


def listeners(conninfo: str) -> int:
    """How many connections listen."""
    with psycopg.connect(conninfo) as connection:
        found = connection.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND query LIKE 'LISTEN%'"
        )
        return int(found.fetchall()[0][0])


def test_only_who_waits_for_messages_listens_to_notifications(embedded: Connection, broker: str) -> None:
    def send() -> None:
        while not listeners(broker):
            time.sleep(0.05)
        embedded.clone().Producer().publish({"number": 4}, routing_key="flowize", declare=[Queue("flowize")])

    embedded.Producer().publish({"number": 3}, routing_key="flowize", declare=[Queue("flowize")])
    assert listeners(broker) == 0
    queue = embedded.SimpleQueue("flowize")
    queue.get(timeout=5).ack()
    sender = threading.Thread(target=send)
    sender.start()
    assert queue.get(timeout=20).payload == {"number": 4}
    sender.join()
    assert listeners(broker) == 1


def test_a_channel_to_redis_is_closed_whatever_became_of_its_connection(redis: Redis) -> None:
    connection = Connection(redis.url, transport="flowize.broker:RedisTransport")
    assert isinstance(connection.transport, RedisTransport)
    queue = connection.SimpleQueue("flowize")
    queue.put({"number": 3})
    queue.get(timeout=5)
    channel = connection.default_channel
    channel._disconnect_pools()
    redis.kill()
    connection.transport.client = None  # as after a first attempt to close it, which the dead server broke off
    with pytest.raises(ConnectionError, match="the connection is closed"):
        channel._create_client()
    assert issubclass(ConnectionError, connection.connection_errors)
    connection.close()
