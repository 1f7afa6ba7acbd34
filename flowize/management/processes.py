"""Runs several processes as one: their lines with a prefix, and the end of one is the end of all."""

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path
from types import FrameType
from typing import IO, TextIO

from honcho.colour import get_colours
from honcho.printer import Message, Printer

PATIENCE_SECONDS = 30.0
POLL_SECONDS = 0.1
LAST_WORDS_SECONDS = 2.0
SIGNALS = (signal.SIGINT, signal.SIGTERM)


class Processes:
    """Shell commands by name, each the leader of a session of its own, so that a terminal's Ctrl-C reaches only us."""

    def __init__(self, commands: Mapping[str, str], environment: Mapping[str, str], folder: Path) -> None:
        self.commands = commands
        self.environment = environment
        self.folder = folder
        self.output: TextIO = sys.stdout
        self._running: list[subprocess.Popen[bytes]] = []
        self._relays: list[threading.Thread] = []
        self._received: list[int] = []
        self._turn = threading.Lock()

    def run(self) -> int:
        """Run until a process ends or SIGINT or SIGTERM arrives, end the others, and return the exit code of it all.

        Each is asked to end and has PATIENCE_SECONDS for it; a second signal cuts that short. Nothing is left behind.
        """
        with self._listening():
            try:
                self._start()
                while not self._received and all(process.poll() is None for process in self._running):
                    time.sleep(POLL_SECONDS)
                return self._exit_code()
            finally:
                self._end()

    def say(self, text: str) -> None:
        """Print a text of several lines as one piece and without a prefix."""
        with self._turn:
            print(text, file=self.output, flush=True)

    @contextlib.contextmanager
    def _listening(self) -> Iterator[None]:
        before = {number: signal.signal(number, self._receive) for number in SIGNALS}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def _receive(self, number: int, frame: FrameType | None) -> None:
        self._received.append(number)

    def _start(self) -> None:
        colours = get_colours()
        printer = Printer(self.output, width=max(map(len, self.commands)))
        for name, command in self.commands.items():
            process = subprocess.Popen(
                ["/bin/sh", "-c", command],
                env=self.environment,
                cwd=self.folder,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
            self._running.append(process)
            arguments = (process.stdout, printer, name, next(colours))
            relay = threading.Thread(target=self._relay, args=arguments, daemon=True)
            relay.start()
            self._relays.append(relay)

    def _relay(self, lines: IO[bytes], printer: Printer, name: str, colour: str) -> None:
        with lines:
            for line in lines:
                with self._turn:
                    printer.write(Message("line", line, datetime.now(), name, colour))

    def _exit_code(self) -> int:
        if self._received:
            return 128 + self._received[0]
        code = next(process.returncode for process in self._running if process.returncode is not None)
        return code if code >= 0 else 128 - code

    def _end(self) -> None:
        asked = len(self._received)
        for process in self._running:
            process.terminate()
        deadline = time.monotonic() + PATIENCE_SECONDS
        while any(process.poll() is None for process in self._running):
            if time.monotonic() > deadline or len(self._received) > asked:
                break
            time.sleep(POLL_SECONDS)
        for process in self._running:
            # Also what a process that ended by itself has left of its children.
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        for relay in self._relays:
            relay.join(LAST_WORDS_SECONDS)
