"""``manage.py up`` from an empty home folder, as a process of its own."""

import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from flowize import postgres

CHECKOUT = Path(__file__).resolve().parents[3]
BROKER_MARK = "SELECT obj_description('pgmq'::regnamespace, 'pg_namespace')"


class Up:
    """A running ``manage.py up`` with a home and a port of its own."""

    def __init__(self, home: Path, port: int, *options: str) -> None:
        self.home = home
        self.port = port
        self.log = home.with_suffix(".log")
        with self.log.open("w") as log:
            self.process = subprocess.Popen(
                [sys.executable, str(CHECKOUT / "manage.py"), "up", *options],
                cwd=home.parent,
                env=environment(home, port),
                stdout=log,
                stderr=log,
            )

    def wait(self) -> str:
        """Everything it said until it declared itself ready."""
        deadline = time.monotonic() + 90
        while "Ctrl-C ends it" not in self.log.read_text():
            assert self.process.poll() is None, self.log.read_text()
            assert time.monotonic() < deadline, self.log.read_text()
            time.sleep(0.1)
        return self.log.read_text()

    def end(self, number: signal.Signals) -> int:
        self.process.send_signal(number)
        return self.process.wait(timeout=60)

    def is_served(self) -> bool:
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/healthz", timeout=10) as answer:
            return answer.status == 200

    def left_processes(self) -> list[str]:
        """The command lines of processes that still know this home."""
        mark = f"FLOWIZE_HOME={self.home}".encode()
        found = []
        for folder in Path("/proc").glob("[0-9]*"):
            try:
                if mark in (folder / "environ").read_bytes().split(b"\0"):
                    found.append((folder / "cmdline").read_bytes().decode())
            except (FileNotFoundError, PermissionError, ProcessLookupError):
                continue
        return found


def environment(home: Path, port: int) -> dict[str, str]:
    return {"PATH": os.environ["PATH"], "FLOWIZE_HOME": str(home), "PORT": str(port), "WORKER_CONCURRENCY": "1"}


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port: int = free.getsockname()[1]
    return port


def manage(home: Path, *command: str) -> str:
    result = subprocess.run(
        [sys.executable, str(CHECKOUT / "manage.py"), *command],
        env=environment(home, 1),
        capture_output=True,
        text=True,
        check=True,
    )
    return result.stdout.strip()


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Path]:
    home = tmp_path / "home"
    yield home
    postgres.PrivateServer(home).stop()


@pytest.mark.server
def test_two_homes_run_side_by_side_and_a_dead_process_ends_its_own(home: Path, tmp_path: Path) -> None:
    ours = Up(home, free_port(), "--no-demo")
    other = Up(tmp_path / "other", free_port(), "--no-demo")
    try:
        ours.wait()
        other.wait()
        (web,) = re.findall(r"Listening at: \S+ \((\d+)\)", ours.log.read_text())
        os.kill(int(web), signal.SIGKILL)

        assert ours.process.wait(timeout=60) == 137
        assert ours.left_processes() == []
        assert other.is_served()
    finally:
        code = other.end(signal.SIGTERM)
    assert code == 143


@pytest.mark.server
def test_port_in_use_is_said_before_anything_is_started(home: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        up = Up(home, port)
        assert up.process.wait(timeout=30) == 1

    assert f"Cannot listen on port {port} of 127.0.0.1: it is in use." in up.log.read_text()
    assert not list(home.glob("pg*"))


@pytest.mark.server
def test_broker_is_installed_once_and_replaced_when_its_version_changes(home: Path) -> None:
    with postgres.PrivateServer(home, fsync=False):
        said = [manage(home, "install_broker"), manage(home, "install_broker")]
        with psycopg.connect(postgres.url(home), autocommit=True) as connection:
            connection.execute("SELECT pgmq.create('kept')")
            mark = connection.execute(BROKER_MARK).fetchone()
            connection.execute("COMMENT ON SCHEMA pgmq IS 'Installed by Flowize from pgmq 0.1'")
            said.append(manage(home, "install_broker"))
            queues = connection.execute("SELECT count(*) FROM pgmq.meta").fetchone()
            renewed = connection.execute(BROKER_MARK).fetchone()
            connection.execute("COMMENT ON SCHEMA pgmq IS NULL")
            said.append(manage(home, "install_broker"))

    before, installed = "The broker was installed before.", "The broker is installed."
    assert said == [installed, before, installed, before]
    assert mark is not None
    assert mark[0].startswith("Installed by Flowize from pgmq ")
    assert renewed == mark
    assert queues == (0,)
