"""Locks of a worker's processes end with their owners."""

import os
import signal

from flowize.worker_pool import FileLock


def test_a_lock_of_a_killed_process_is_free() -> None:
    lock = FileLock()
    taken, tell = os.pipe()
    child = os.fork()
    if not child:
        lock.acquire()
        os.write(tell, b"x")
        signal.pause()
    assert os.read(taken, 1) == b"x"
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    with lock:
        pass
    os.close(taken)
    os.close(tell)
