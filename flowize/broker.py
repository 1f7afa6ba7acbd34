"""Kombu's transports, whose closed channels say that their connection is gone, and of which no sender listens.

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
    """Queues in PostgreSQL; only who waits for messages listens to the notifications about them.

    Kombu lets everybody listen who declares a queue. Whoever only sends never reads what is heard: after a few minutes
    the server's process for that connection can write no more. It holds up whoever drops a database, and all
    notifications since then are kept.
    """

    Channel = EmbeddedChannel

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._notifying: set[str] = set()

    def _register_notify_queue(self, queue_name: str) -> None:
        self._notifying.add(queue_name)

    def _get_notify_waiter(self) -> Any:
        """What ``drain_events`` waits with; it listens from the first wait on."""
        waiter = super()._get_notify_waiter()
        for queue_name in self._notifying:
            waiter.register(queue_name)
        return waiter


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
