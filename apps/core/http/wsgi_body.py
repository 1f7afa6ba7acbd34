"""WSGI middleware that hands the application whole request bodies or none."""

import contextlib
import tempfile
import uuid
from collections.abc import Iterable, Iterator
from http import HTTPStatus
from typing import IO
from wsgiref.types import InputStream, StartResponse, WSGIApplication, WSGIEnvironment

from apps.core import errors
from apps.core.http.refusals import write_refusal

IN_MEMORY = 1024 * 1024
PIECE = 64 * 1024


class ReadChunkedBody:
    """Reads a body in full before the application runs, since Django alone gets two kinds of bodies wrong.

    A chunked body it takes for an empty one; a body that breaks off before its Content-Length it takes for the whole.
    ``limit`` is in bytes and should be Django's own: a chunked body over it arrives as ``limit + 1`` bytes, a sized one
    unread, so that Django answers 413.
    """

    def __init__(self, application: WSGIApplication, limit: int) -> None:
        self.application = application
        self.limit = limit

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Serve one request."""
        length = environ.get("CONTENT_LENGTH") or ""
        if "chunked" in environ.get("HTTP_TRANSFER_ENCODING", "").lower():
            expected = None
        elif length.isdecimal() and 0 < int(length) <= self.limit:
            expected = int(length)
        else:
            return self.application(environ, start_response)
        with contextlib.ExitStack() as opened:
            body = opened.enter_context(tempfile.SpooledTemporaryFile(max_size=IN_MEMORY))
            try:
                self._read(environ, expected, body)
            except errors.FlowizeError as refusal:
                return _refuse(refusal, environ, start_response)
            answer = self.application(environ, start_response)
            return _ClosingAnswer(answer, opened.pop_all())

    def _read(self, environ: WSGIEnvironment, expected: int | None, body: IO[bytes]) -> None:
        """Put the request's body into ``body`` and that in the place of the request's stream."""
        if expected is None and not environ.get("wsgi.input_terminated"):
            raise errors.LengthRequired
        size = _copy(environ["wsgi.input"], body, self.limit + 1 if expected is None else expected)
        if expected is not None and size < expected:
            raise errors.BadRequest("The request body is shorter than its Content-Length.")
        if size > self.limit and environ.get("CONTENT_TYPE", "").lower().startswith("multipart/"):
            # Django's limit leaves uploaded files out: it would take the part that was read for the file.
            raise errors.BodyTooLarge
        body.seek(0)
        environ["wsgi.input"] = body
        environ["CONTENT_LENGTH"] = str(size)
        environ.pop("HTTP_TRANSFER_ENCODING", None)


class _ClosingAnswer:
    """The application's answer, which closes the request's body with itself."""

    def __init__(self, answer: Iterable[bytes], body: contextlib.ExitStack) -> None:
        self.answer = answer
        self.body = body

    def __iter__(self) -> Iterator[bytes]:
        return iter(self.answer)

    def close(self) -> None:
        self.body.close()
        if close := getattr(self.answer, "close", None):
            close()


def _copy(source: InputStream, target: IO[bytes], most: int) -> int:
    size = 0
    try:
        while size < most and (piece := source.read(min(PIECE, most - size))):
            size += target.write(piece)
    except TimeoutError as error:
        raise errors.RequestTimeout from error
    except OSError as error:
        raise errors.BadRequest("The request body ended early.") from error
    return size


def _refuse(error: errors.FlowizeError, environ: WSGIEnvironment, start_response: StartResponse) -> list[bytes]:
    asked = environ.get("PATH_INFO", ""), environ.get("HTTP_ACCEPT", ""), environ.get("CONTENT_TYPE", "")
    content_type, body = write_refusal(*asked, error, environ.get("REMOTE_ADDR", ""))
    headers = [
        ("Content-Type", content_type),
        ("Content-Length", str(len(body))),
        ("Cache-Control", "no-store"),
        ("X-Request-Id", uuid.uuid4().hex),
    ]
    start_response(f"{error.status} {HTTPStatus(error.status).phrase}", headers)
    return [body]
