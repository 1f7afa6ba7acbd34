"""Kombu's transports, whose closed channels say that their connection is gone.

A worker acknowledges messages, and beat sends them, over channels that were closed a moment ago because the database or
Redis went away. As an error of the connection this is tried again on a new one, or left to the message's visibility
timeout. As the ``AttributeError`` that kombu gives it costs beat a tick, and a worker of Redis its life.
"""

from typing import Any

from kombu.transport import pgmq, redis
from pgmq import PGMQueue
from psycopg import InterfaceError

GONE = "the connection is closed"


class EmbeddedChannel(pgmq.Channel):
    """A channel to queues in PostgreSQL."""

    @property
    def pgmq(self) -> PGMQueue:
        """The queues; raises InterfaceError when the connection was closed."""
        connection = self.connection  # read once: it is taken away by other threads
        if connection is None:
            raise InterfaceError(GONE)
        return connection._get_pgmq_client()


class EmbeddedTransport(pgmq.Transport):
    """Queues in PostgreSQL."""

    Channel = EmbeddedChannel


class RedisChannel(redis.Channel):
    """A channel to queues in Redis."""

    def _connparams(self, asynchronous: bool = False) -> dict[str, Any]:
        if self.connection is None or self.connection.client is None:
            raise ConnectionError(GONE)
        parameters: dict[str, Any] = super()._connparams(asynchronous)
        return parameters


class RedisTransport(redis.Transport):
    """Queues in Redis."""

    Channel = RedisChannel
