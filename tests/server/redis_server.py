"""A Redis of the tests' own, to be broken."""

import os
import subprocess
from pathlib import Path

from tests.server.installation import free_port
from tests.server.process import Process, wait_until


class Redis:
    """A Redis server without a disk: what it holds is gone when it ends."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = free_port()
        self.url = f"redis://127.0.0.1:{self.port}/0"
        self.process: Process | None = None

    def start(self) -> None:
        """Start it, and wait for it to answer."""
        command = f"exec redis-server --port {self.port} --bind 127.0.0.1 --save '' --appendonly no"
        self.process = Process(command, {"PATH": os.environ["PATH"]}, self.folder, self.folder / "redis.log")
        wait_until(self._answers, 10)

    def kill(self) -> None:
        """End it with no warning."""
        if self.process:
            self.process.kill()
            self.process = None

    def command(self, *words: str) -> str:
        """What the server answers to a command, "" when it does not."""
        command = ["redis-cli", "-p", str(self.port), *words]
        return subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip()

    def _answers(self) -> bool:
        return self.command("ping") == "PONG"
