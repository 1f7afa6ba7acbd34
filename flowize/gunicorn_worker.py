"""gunicorn's threaded worker, with a deadline for reading a request and with our envelope for what it refuses."""

import socket
import ssl
import time
import uuid
from http import HTTPStatus
from typing import Any

from gunicorn import util
from gunicorn.http import errors as refusals
from gunicorn.http import get_parser
from gunicorn.http.unreader import SocketUnreader
from gunicorn.workers.gthread import TConn, ThreadWorker

from apps.core import errors
from apps.core.http import envelope
from apps.core.http.formats import format_for


class RequestTooSlow(Exception):
    """The request did not arrive in full in time. No OSError: gunicorn closes on those without an answer."""


# The first that fits counts; what fits none is a fault of ours.
ANSWERS: tuple[tuple[type[Exception], type[errors.FlowizeError]], ...] = (
    (RequestTooSlow, errors.RequestTimeout),
    (refusals.LimitRequestLine, errors.UriTooLong),
    (refusals.LimitRequestHeaders, errors.HeadersTooLarge),
    (refusals.ExpectationFailed, errors.ExpectationFailed),
    (refusals.UnsupportedTransferCoding, errors.NotImplementedHere),
    (refusals.ForbiddenProxyRequest, errors.Forbidden),
    (ssl.SSLError, errors.Forbidden),
    (refusals.InvalidResponseHeader, errors.ServerError),
    (refusals.InvalidResponseHeaderName, errors.ServerError),
    (refusals.ConfigurationProblem, errors.ServerError),
    (refusals.ParseException, errors.BadRequest),
)


class DeadlineReader(SocketUnreader):
    """Reads a connection's requests; each must have arrived by its deadline, however steadily it trickles."""

    deadline = 0.0

    def begin(self, seconds: float) -> None:
        """Start the time of the next request."""
        self.deadline = time.monotonic() + seconds

    def chunk(self, size_hint: int | None = None) -> bytes:
        """The next bytes; raises RequestTooSlow when there are none by the deadline."""
        if self.sock.gettimeout() is not None:
            # After an answer gunicorn discards what is left of the body, under a shorter time limit of its own.
            return super().chunk(size_hint)
        self.sock.settimeout(max(self.deadline - time.monotonic(), 0.001))
        try:
            return super().chunk(size_hint)
        except TimeoutError as error:
            raise RequestTooSlow from error
        finally:
            self.sock.settimeout(None)


class Worker(ThreadWorker):
    """Serves requests in threads, none of which waits longer than ``read_seconds`` for the rest of a request.

    TLS is left to a proxy in front: connections that gunicorn itself decrypts have no deadline.
    """

    read_seconds = 30.0

    def handle(self, conn: TConn) -> object:
        """Serve one request of a connection. Runs in a thread."""
        if conn.parser is None and not self.cfg.is_ssl:
            conn.parser = get_parser(self.cfg, conn.sock, conn.client)
            conn.parser.unreader = DeadlineReader(conn.sock)
        if conn.parser is not None and isinstance(conn.parser.unreader, DeadlineReader):
            conn.parser.unreader.begin(self.read_seconds)
        return super().handle(conn)

    def handle_request(self, req: Any, conn: TConn) -> object:
        """Answer one request; raises InvalidHeader for one that names no host where it must (RFC 9112, 3.2)."""
        if req.version >= (1, 1) and not any(name == "HOST" for name, _ in req.headers):
            raise refusals.InvalidHeader("Host", req=req)
        return super().handle_request(req, conn)

    def handle_error(self, req: Any, client: socket.socket, addr: Any, exc: Exception) -> None:
        """Answer a request that never reached the application, or broke it, with our envelope.

        The log names neither path nor header: both may hold keys.
        """
        answer = next((answer for refused, answer in ANSWERS if isinstance(exc, refused)), errors.ServerError)()
        request_id = uuid.uuid4().hex
        if answer.status == errors.ServerError.status:
            self.log.error("Request %s failed", request_id, exc_info=exc)
        else:
            self.log.warning("Request %s refused: %s", request_id, type(exc).__name__)
        try:
            util.write_nonblock(client, _response(answer, req, addr[0] if addr else "", request_id))
        except OSError:
            self.log.debug("Request %s: the client is gone", request_id)


def _response(error: errors.FlowizeError, request: Any, address: str, request_id: str) -> bytes:
    """The bytes of the answer; in JSON when not even the headers could be read."""
    sent = dict(getattr(request, "headers", ()))
    chosen = format_for(sent.get("ACCEPT", ""), sent.get("CONTENT-TYPE", ""))
    body = chosen.write(envelope.failure(error, address))
    head = (
        f"HTTP/1.1 {error.status} {HTTPStatus(error.status).phrase}\r\n"
        f"Date: {util.http_date()}\r\n"
        "Connection: close\r\n"
        f"Content-Type: {chosen.content_type}\r\n"
        f"Content-Length: {len(body)}\r\n"
        "Cache-Control: no-store\r\n"
        f"X-Request-Id: {request_id}\r\n\r\n"
    )
    return head.encode("latin-1") + body
