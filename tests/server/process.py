"""A shell command as the leader of a session, with everything that it starts."""

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

PATIENCE_SECONDS = 30.0


class Process:
    """A running command; its output goes to a file of its own."""

    def __init__(self, command: str, environment: Mapping[str, str], folder: Path, log: Path) -> None:
        self.log = log
        with log.open("a") as output:
            self._shell = subprocess.Popen(
                ["/bin/sh", "-c", command],
                cwd=folder,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
        self.pid = self._shell.pid

    @property
    def is_running(self) -> bool:
        """Whether the command itself lives."""
        return self._shell.poll() is None

    def members(self) -> list[int]:
        """The living processes of its session."""
        return [pid for pid, session in _sessions() if session == self.pid]

    def wait(self, seconds: float = PATIENCE_SECONDS) -> int:
        """The exit code, once the command has ended by itself; raises TimeoutExpired."""
        return self._shell.wait(seconds)

    def ask_to_end(self, number: signal.Signals = signal.SIGTERM) -> None:
        """Ask the command, and only that, to end."""
        self._shell.send_signal(number)

    def end(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Ask the command, and only that, to end; its exit code. Raises TimeoutExpired after PATIENCE_SECONDS."""
        self.ask_to_end(number)
        return self.wait()

    def kill(self) -> None:
        """End the whole session with no warning; none lives to complain that another is gone, or to start one."""
        stopped: set[int] = set()
        while running := set(self.members()) - stopped:
            _send(running, signal.SIGSTOP)
            stopped |= running
        _send(stopped, signal.SIGKILL)
        self.wait()
        wait_until(lambda: not self.members(), 10)


def wait_until(holds: Callable[[], object], seconds: float) -> None:
    """Wait for ``holds()`` to be true; an AssertionError when it is not in time."""
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, f"not within {seconds} s"
        time.sleep(0.05)


def _send(pids: Iterable[int], number: signal.Signals) -> None:
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)


def _sessions() -> list[tuple[int, int]]:
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            # pid (name) state parent group session; the name may hold anything.
            state, _, _, session = (folder / "stat").read_text().rpartition(")")[2].split()[:4]
            if state != "Z":
                found.append((int(folder.name), int(session)))
    return found
