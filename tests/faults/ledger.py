"""What callers were promised: one line for each request that was answered with success, on the disk before going on."""

import json
import os
import threading
from pathlib import Path
from typing import Any


class Ledger:
    """Lines of JSON; ``insert`` with uuid, flow and document, ``delete`` with uuid."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._turn = threading.Lock()
        self._file = path.open("a")

    def note(self, act: str, uuid: str, **more: Any) -> None:
        """Keep a line; it is on the disk when this returns."""
        with self._turn:
            self._file.write(json.dumps({"act": act, "uuid": uuid} | more) + "\n")
            self._file.flush()
            os.fsync(self._file.fileno())

    def lines(self) -> list[dict[str, Any]]:
        """Everything that was kept, read from the disk."""
        return [json.loads(line) for line in self.path.read_text().splitlines()]

    def close(self) -> None:
        """No more lines will come."""
        self._file.close()
