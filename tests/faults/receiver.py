"""The service that flows call; may strike the caller that it has just answered."""

import os
import signal
import threading
from collections.abc import Callable
from typing import Any

from tests.server.sink import Sink


class Receiver(Sink):
    """Counts keys. ``strike[uuid]`` is what happens once, right after the first answer about that record.

    Who asks about records whose uuid begins with ``stalled`` gets no answer before ``released`` is set.
    """

    def __init__(self) -> None:
        super().__init__()
        self.strike: dict[str, Callable[[], None]] = {}
        self.stalled = ""
        self.released = threading.Event()

    def note(self, key: str, body: dict[str, Any]) -> float:
        """Remember the call at once, and answer when it is time."""
        delay = super().note(key, body)
        if self.stalled and body["uuid"].startswith(self.stalled):
            self.released.wait(60)
        return delay

    def answered(self, body: dict[str, Any]) -> None:
        """Let the world strike."""
        with self._turn:
            act = self.strike.pop(body["uuid"], None)
        if act:
            act()

    def seen(self) -> dict[str, set[str]]:
        """The keys of each record."""
        with self._turn:
            keys: dict[str, set[str]] = {}
            for call in self.calls:
                keys.setdefault(call.uuid, set()).add(call.key)
            return keys

    def doubled(self, prefix: str = "") -> int:
        """How many keys came more than once."""
        with self._turn:
            return sum(count > 1 for key, count in self.counts.items() if key.startswith(prefix))


def kill(pid: int) -> None:
    """End a process with no warning, if it is still there."""
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return
