"""The embedded broker, whose closed channels say that their connection is gone.

A worker acknowledges messages, and beat sends them, over a channel that another thread may just have closed because
the database went away. As an error of the connection this is tried again on a new one, or left to the message's
visibility timeout; as an ``AttributeError`` it would cost beat a tick.
"""

from kombu.transport import pgmq
from pgmq import PGMQueue
from psycopg import InterfaceError


class Channel(pgmq.Channel):
    """Kombu's own, for the time after it was closed."""

    @property
    def pgmq(self) -> PGMQueue:
        """The queues; raises InterfaceError when the connection was closed."""
        connection = self.connection  # read once: it is taken away by other threads
        if connection is None:
            raise InterfaceError("the connection is closed")
        return connection._get_pgmq_client()


class Transport(pgmq.Transport):
    """Kombu's own, with these channels."""

    Channel = Channel
