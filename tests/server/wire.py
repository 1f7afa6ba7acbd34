"""Requests as bytes, for what no well-behaved client sends."""

import json
import re
import socket
from typing import Any


class Wire:
    """A connection to a web server of this machine."""

    def __init__(self, port: int) -> None:
        self.connection = socket.create_connection(("127.0.0.1", port), timeout=20)

    def __enter__(self) -> "Wire":
        return self

    def __exit__(self, *exception: object) -> None:
        self.connection.close()

    def send(self, *pieces: bytes) -> None:
        """Send bytes as they are."""
        for piece in pieces:
            self.connection.sendall(piece)

    def end(self) -> None:
        """Say that nothing more will come."""
        self.connection.shutdown(socket.SHUT_WR)

    def answer(self) -> tuple[int, dict[str, Any]]:
        """Status and JSON body of the next answer."""
        received = b""
        while not _is_whole(received):
            piece = self.connection.recv(65536)
            assert piece, received
            received += piece
        head, _, body = received.partition(b"\r\n\r\n")
        return int(head.split(b" ")[1]), json.loads(body)


def request(method: str, path: str, headers: dict[str, str], body: bytes | None = None) -> bytes:
    """A request; ``body`` brings its Content-Length along."""
    lines = {"Host": "localhost"} | headers | ({} if body is None else {"Content-Length": str(len(body))})
    head = "\r\n".join([f"{method} {path} HTTP/1.1", *(f"{name}: {value}" for name, value in lines.items())])
    return head.encode("latin-1") + b"\r\n\r\n" + (body or b"")


def chunks(body: bytes, size: int) -> bytes:
    """A body in the chunked transfer coding."""
    pieces = [body[start : start + size] for start in range(0, len(body), size)]
    return b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in [*pieces, b""])


def _is_whole(received: bytes) -> bool:
    head, found, body = received.partition(b"\r\n\r\n")
    length = re.search(rb"(?i)\r\ncontent-length: (\d+)", head)
    return bool(found and length and len(body) >= int(length[1]))
