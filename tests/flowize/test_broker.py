"""The embedded broker after its connection was closed."""

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from kombu import Connection, Queue

from flowize.celery import app


@pytest.fixture
def connection(broker: str, settings: Any) -> Iterator[Connection]:
    """A connection as Celery makes them, to a broker of its own."""
    options = settings.CELERY_BROKER_TRANSPORT_OPTIONS | {"conn_string": broker, "use_notify": False}
    with app.connection_for_write(
        url="pgmq://localhost", transport=settings.CELERY_BROKER_TRANSPORT, transport_options=options
    ) as made:
        yield made


def test_a_message_that_is_acknowledged_too_late_is_an_error_of_the_connection(connection: Connection) -> None:
    queue = connection.SimpleQueue("flowize")
    queue.put({"number": 1})
    message = queue.get(timeout=5)
    message.channel.close()
    with pytest.raises(psycopg.InterfaceError, match="the connection is closed"):
        message.ack()
    assert issubclass(psycopg.InterfaceError, connection.connection_errors)


def test_what_is_sent_over_a_closed_channel_is_sent_over_a_new_one(connection: Connection) -> None:
    producer = connection.Producer(auto_declare=False)
    producer.channel.close()
    producer.publish({"number": 2}, routing_key="flowize", declare=[Queue("flowize")], retry=True)
    assert connection.SimpleQueue("flowize").get(timeout=5).payload == {"number": 2}
