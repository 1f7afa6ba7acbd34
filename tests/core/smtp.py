"""A mail server of the tests: it keeps what it takes, and answers commands as it is told."""

import socketserver
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any


@dataclass
class Mail:
    """A mail as it was taken in."""

    sender: str
    recipients: list[str]
    raw: bytes

    @property
    def message(self) -> EmailMessage:
        """What a mail program makes of it."""
        return message_from_bytes(self.raw.replace(b"\r\n", b"\n"), policy=policy.default)


@dataclass
class Catcher:
    """``replies`` takes the place of the usual reply to a command that begins so; ``silent`` is never answered."""

    port: int = 0
    mails: list[Mail] = field(default_factory=list)
    commands: list[str] = field(default_factory=list)
    replies: dict[str, str] = field(default_factory=dict)
    extensions: list[str] = field(default_factory=lambda: ["SIZE 1000000"])
    silent: str = ""
    banner: str = "220 catcher.test"


class _Handler(socketserver.StreamRequestHandler):
    timeout = 10

    def handle(self) -> None:
        catcher: Catcher = self.server.catcher  # type: ignore[attr-defined]
        self.say(catcher.banner)
        mail = Mail("", [], b"")
        while line := self.rfile.readline().decode().strip():
            catcher.commands.append(line)
            if catcher.silent and line.upper().startswith(catcher.silent):
                time.sleep(1)
                return
            told = next((reply for start, reply in catcher.replies.items() if line.upper().startswith(start)), None)
            if told is not None:
                self.say(told)
            elif not self.usual(line, mail, catcher):
                return

    def usual(self, line: str, mail: Mail, catcher: Catcher) -> bool:
        match line[:4].upper():
            case "EHLO":
                lines = ["catcher.test", *catcher.extensions]
                self.say("\r\n".join(f"250{' ' if n == len(lines) - 1 else '-'}{text}" for n, text in enumerate(lines)))
            case "MAIL":
                mail.sender = line.split("<")[1].split(">")[0]
                self.say("250 ok")
            case "RCPT":
                mail.recipients.append(line.split("<")[1].split(">")[0])
                self.say("250 ok")
            case "DATA":
                self.take(mail, catcher)
            case "QUIT":
                self.say("221 bye")
                return False
            case _:
                self.say("502 what?")
        return True

    def take(self, mail: Mail, catcher: Catcher) -> None:
        self.say("354 go on")
        lines = []
        while (line := self.rfile.readline()) != b".\r\n":
            lines.append(line[1:] if line.startswith(b".") else line)
        mail.raw = b"".join(lines)
        if "." in catcher.replies:
            self.say(catcher.replies["."])
            return
        catcher.mails.append(mail)
        self.say("250 taken")

    def say(self, text: str) -> None:
        self.wfile.write(f"{text}\r\n".encode())


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    allow_reuse_address = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Clients may go away."""


@contextmanager
def catching(context: ssl.SSLContext | None = None) -> Iterator[Catcher]:
    """Take mail until the block is left; with a context, by TLS from the first byte."""
    with _Server(("127.0.0.1", 0), _Handler) as server:
        catcher = server.catcher = Catcher(server.server_address[1])  # type: ignore[attr-defined]
        if context:
            server.socket = context.wrap_socket(server.socket, server_side=True)
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield catcher
        finally:
            server.shutdown()
            thread.join()
