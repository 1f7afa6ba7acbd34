"""A PostgreSQL server of the tests' own, which may be restarted and may crash."""

import os
import time
from pathlib import Path

from flowize import postgres
from flowize.postgres import PrivateServer


class OwnServer:
    """The launcher's private server in a home of its own."""

    def __init__(self, home: Path, durable: bool) -> None:
        self.server = PrivateServer(home, fsync=durable)
        self.url = postgres.url(home.resolve())

    def start(self) -> None:
        """Start it, and wait until it answers."""
        self.server.start()

    def stop(self) -> None:
        """Stop it in order; nothing else uses this home."""
        self.server.stop()

    def restart(self, mode: str, away: float = 0.0) -> None:
        """Stop it (``fast`` ends the connections, ``immediate`` is a crash) and start it after ``away`` seconds."""
        data = next(folder for folder in self.server.home.glob("pg*") if (folder / "PG_VERSION").is_file())
        programs = postgres._choose(self.server.home)
        postgres._run(programs, "pg_ctl", "stop", "-D", data, "-m", mode, "-w", "-t", 60)
        time.sleep(away)
        self.server.start()

    def environment(self) -> dict[str, str]:
        """What a process is told to find it."""
        return {"PATH": os.environ["PATH"], "DATABASE_URL": self.url}
