"""A person's first minutes: one command, and the lines it prints work as printed."""

import os
import re
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from flowize import postgres
from tests.server.installation import CHECKOUT, free_port
from tests.server.process import Process, wait_until
from tests.server.test_demo import PASSED, printed_commands, run

pytestmark = [pytest.mark.server, pytest.mark.xdist_group("server")]

START_SECONDS = 60.0


class Up:
    """``manage.py up`` in a terminal of its own."""

    def __init__(self, home: Path, port: int, number: int, *options: str) -> None:
        environment = {"PATH": os.environ["PATH"], "FLOWIZE_HOME": str(home), "PORT": str(port)}
        words = [sys.executable, "manage.py", "up", *options]
        self.url = f"http://127.0.0.1:{port}"
        self.process = Process(f"exec {' '.join(words)}", environment, CHECKOUT, home.parent / f"up-{number}.log")

    def said(self) -> str:
        """What the terminal shows by now."""
        return self.process.log.read_text()

    def wait_ready(self) -> None:
        """Wait for the greeting, then for the first worker to say that it is there."""
        wait_until(lambda: "Ctrl-C ends it" in self.said() or not self.process.is_running, START_SECONDS)
        assert self.process.is_running, self.said()
        wait_until(lambda: requests.get(f"{self.url}/readyz", timeout=10).status_code == 200, 15)


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Path]:
    home = tmp_path / "home"
    yield home
    postgres.PrivateServer(home).stop()


def processes_of(home: Path) -> list[str]:
    """The command lines of every process that knows this home, PostgreSQL's among them."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            command = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode()
            told = f"FLOWIZE_HOME={home}".encode() in (folder / "environ").read_bytes().split(b"\0")
        except OSError:
            continue
        if told or str(home) in command:
            found.append(command)
    return found


def test_everything_starts_with_one_command_ends_when_told_and_is_there_again(home: Path) -> None:
    port = free_port()
    first = Up(home, port, 1)
    try:
        first.wait_ready()
        insert, read = printed_commands(first.said().partition("Listening at")[2])
        created = run(insert)
        uuid = created["resource"]["data_record_id"]
        read = read.replace("UUID-OF-THE-ANSWER", uuid)
        wait_until(lambda: run(read)["resource"]["info"]["status"] == "Finished", 10)
        shown = run(read)["resource"]
        admin = re.search(r"^Admin +(\S+)$", first.said(), re.MULTILINE)
        page = requests.get(admin[1], timeout=10) if admin else None
        running = processes_of(home)
        code = first.process.end(signal.SIGINT)
    finally:
        first.process.kill()
    second = Up(home, port, 2, "--no-demo")
    try:
        second.wait_ready()
        again = run(read)["resource"]
        second_code = second.process.end(signal.SIGTERM)
    finally:
        second.process.kill()

    assert created["code"] == 201
    assert [(step["id"], step["type"], step["text"]) for step in shown["flow_objects_info"]] == PASSED
    assert page is not None
    assert (page.status_code, page.url) == (200, f"{first.url}/admin/login/?next=/admin/")
    assert re.search(r"^Login +acme$", first.said(), re.MULTILINE)
    assert any("postgres" in command for command in running)
    assert (code, second_code) == (130, 143)
    assert again == shown
    assert "No migrations to apply." in second.said()
    assert "The broker was installed before." in second.said()
    assert printed_commands(second.said()) == []
    assert list(home.glob("beat-schedule*"))
    assert processes_of(home) == []
    assert not postgres.socket_dir(home).exists()
