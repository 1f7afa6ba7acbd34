"""Message queues inside PostgreSQL, for workers that outlive their connections."""

import contextlib
from collections.abc import Iterator

import psycopg
from kombu.transport import pgmq


class Channel(pgmq.Channel):
    """Frees a message's place even when the queue could not be told that it was taken.

    Else each such message would count against the prefetch limit for good, and two of them stop a worker with two
    children. What was not deleted is seen again after the visibility timeout, and is then too old to be heard.
    """

    def basic_ack(self, delivery_tag: str, multiple: bool = False) -> None:
        """Delete a message; raises psycopg.Error when that cannot be done."""
        with self._freed_on_failure(delivery_tag):
            super().basic_ack(delivery_tag, multiple)

    def basic_reject(self, delivery_tag: str, requeue: bool = False) -> None:
        """Delete or give back a message; raises psycopg.Error when that cannot be done."""
        with self._freed_on_failure(delivery_tag):
            super().basic_reject(delivery_tag, requeue)

    @contextlib.contextmanager
    def _freed_on_failure(self, delivery_tag: str) -> Iterator[None]:
        try:
            yield
        except psycopg.Error:
            self.qos.ack(delivery_tag)
            raise


class Transport(pgmq.Transport):
    """kombu's own, with the channel above."""

    Channel = Channel
