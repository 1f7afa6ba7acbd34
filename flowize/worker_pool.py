"""The pool of a worker's processes, any of which may be killed at any moment.

Where the broker has no event loop (PostgreSQL), the processes take their tasks from one pipe, under a semaphore. One
that is killed while it waits for a task takes the semaphore with it, and all others wait for ever. The kernel gives a
lock on a file back when its owner dies.
"""

import fcntl
import os
import tempfile
from typing import Any

from billiard.pool import Pool
from celery.concurrency import prefork


class FileLock:
    """Excludes other processes, not other threads of this one; ends with its owner."""

    def __init__(self) -> None:
        # Never closed but with the process: closing it gives the lock up.
        self._file, path = tempfile.mkstemp()
        os.unlink(path)

    def acquire(self) -> None:
        """Wait for it."""
        fcntl.lockf(self._file, fcntl.LOCK_EX)

    def release(self) -> None:
        """Let the next one have it."""
        fcntl.lockf(self._file, fcntl.LOCK_UN)

    def __enter__(self) -> None:
        self.acquire()

    def __exit__(self, *exception: object) -> None:
        self.release()


class BlockingPool(Pool):
    """Whose processes share locks that outlive them: for reading tasks, and for writing what became of them."""

    def _setup_queues(self) -> None:
        super()._setup_queues()
        self._inqueue._rlock = FileLock()
        self._outqueue._wlock = FileLock()


class TaskPool(prefork.TaskPool):
    """Celery's own; with a broker that has an event loop it gives each process a pipe of its own."""

    BlockingPool: Any = BlockingPool
