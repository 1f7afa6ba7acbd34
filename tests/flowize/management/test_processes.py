"""Several processes run as one, with real ones."""

import io
import os
import signal
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from flowize.management.processes import Processes


def run(commands: dict[str, str], folder: Path) -> tuple[int, list[str]]:
    """The exit code, and the lines without the time they begin with."""
    processes = Processes(commands, {"PATH": os.environ["PATH"]}, folder)
    processes.output = io.StringIO()
    code = processes.run()
    return code, [line.split(" ", 1)[1] for line in processes.output.getvalue().splitlines()]


def when(condition: Callable[[], bool], act: Callable[[], None]) -> None:
    """Act from another thread as soon as the condition holds."""

    def watch() -> None:
        deadline = time.monotonic() + 20
        while not condition() and time.monotonic() < deadline:
            time.sleep(0.02)
        act()

    threading.Thread(target=watch).start()


def lives(pid: int) -> bool:
    """A process that has ended may stay visible until its new parent took note."""
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return False
        time.sleep(0.05)
    return True


def test_every_line_carries_the_name_of_its_process(tmp_path: Path) -> None:
    code, lines = run({"web": "echo one; echo two >&2; sleep 0.5", "worker": "echo three; exec sleep 60"}, tmp_path)

    assert code == 0
    assert sorted(lines) == ["web    | one", "web    | two", "worker | three"]


@pytest.mark.parametrize(("ending", "code"), [("exit 3", 3), ("exit 0", 0), ("kill -9 $$", 137)])
def test_end_of_one_process_is_the_end_of_all_with_its_code(tmp_path: Path, ending: str, code: int) -> None:
    commands = {"web": f"while [ ! -s pid ]; do sleep 0.05; done; {ending}", "worker": "echo $$ > pid; exec sleep 60"}

    assert run(commands, tmp_path)[0] == code
    assert not lives(int((tmp_path / "pid").read_text()))


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_signal_ends_all_in_their_own_way(tmp_path: Path, number: signal.Signals, code: int) -> None:
    before = signal.getsignal(number)
    when((tmp_path / "ready").exists, lambda: os.kill(os.getpid(), number))
    commands = {"web": "trap 'echo bye; exit 0' TERM; touch ready; while true; do sleep 0.05; done"}

    got, lines = run(commands, tmp_path)

    assert (got, lines) == (code, ["web | bye"])
    assert signal.getsignal(number) == before


def test_second_signal_ends_those_that_do_not_want_to(tmp_path: Path) -> None:
    def twice() -> None:
        os.kill(os.getpid(), signal.SIGINT)
        time.sleep(0.5)
        os.kill(os.getpid(), signal.SIGINT)

    when(lambda: (tmp_path / "pid").exists(), twice)
    began = time.monotonic()
    code, _ = run({"web": "trap '' TERM; echo $$ > pid; while true; do sleep 0.05; done"}, tmp_path)

    assert code == 130
    assert time.monotonic() - began < 10
    assert not lives(int((tmp_path / "pid").read_text()))


def test_children_of_a_killed_process_are_not_left_behind(tmp_path: Path) -> None:
    commands = {"worker": "sleep 60 & echo $! > pid; kill -9 $$"}

    assert run(commands, tmp_path)[0] == 137
    assert not lives(int((tmp_path / "pid").read_text()))
