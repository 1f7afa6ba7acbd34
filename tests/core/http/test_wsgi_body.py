"""What the application sees of a body, and what is refused before it runs."""

import io
import json
from collections.abc import Iterator
from typing import Any

import pytest

from apps.core.http.wsgi_body import ReadChunkedBody
from apps.core.xmlio import read_xml

LIMIT = 2 * 1024 * 1024


class Application:
    """Records what Django would read, and whether its answer was closed."""

    def __init__(self) -> None:
        self.bodies: list[bytes] = []
        self.streams: list[Any] = []
        self.environ: dict[str, Any] = {}
        self.closed = 0

    def __call__(self, environ: dict[str, Any], start_response: Any) -> "Application":
        self.environ = environ
        self.streams.append(environ["wsgi.input"])
        self.bodies.append(environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0)))
        start_response("200 OK", [])
        return self

    def __iter__(self) -> Iterator[bytes]:
        return iter([b"done"])

    def close(self) -> None:
        self.closed += 1


class Breaking(io.BytesIO):
    """A connection that fails after what it holds."""

    def __init__(self, content: bytes, error: Exception) -> None:
        super().__init__(content)
        self.error = error

    def read(self, size: int | None = -1, /) -> bytes:
        piece = super().read(size)
        if not piece:
            raise self.error
        return piece


@pytest.fixture
def application() -> Application:
    return Application()


def call(application: Application, body: io.BytesIO, **environ: Any) -> tuple[str, dict[str, str], bytes]:
    started: list[Any] = []
    environ = {"REMOTE_ADDR": "203.0.113.7", "wsgi.input": body, "wsgi.input_terminated": True} | environ
    answer: Any = ReadChunkedBody(application, LIMIT)(environ, lambda *answer: started.extend(answer))  # type: ignore[arg-type,return-value]
    content = b"".join(answer)
    if hasattr(answer, "close"):
        answer.close()
    return started[0], dict(started[1]), content


def refusal(status: int, slug: str, message: str) -> dict[str, Any]:
    return {
        "id": slug,
        "code": status,
        "request-ip": "203.0.113.7",
        "resource": [],
        "message": None,
        "error": {"code": status, "message": message},
    }


@pytest.mark.parametrize("size", [0, 1, 64 * 1024 + 1, LIMIT])
@pytest.mark.parametrize("coding", ["chunked", "Chunked", "gzip, chunked"])
def test_chunked_body_arrives_whole_and_with_its_length(application: Application, size: int, coding: str) -> None:
    body = bytes(range(256)) * (size // 256) + b"x" * (size % 256)

    status, _, content = call(application, io.BytesIO(body), HTTP_TRANSFER_ENCODING=coding)

    assert (status, content) == ("200 OK", b"done")
    assert application.bodies == [body]
    assert application.environ["CONTENT_LENGTH"] == str(size)
    assert "HTTP_TRANSFER_ENCODING" not in application.environ


def test_chunked_body_over_the_limit_arrives_as_one_byte_over_it(application: Application) -> None:
    source = io.BytesIO(b"x" * (LIMIT + 5000))

    call(application, source, HTTP_TRANSFER_ENCODING="chunked")

    assert application.environ["CONTENT_LENGTH"] == str(LIMIT + 1)
    assert application.bodies == [b"x" * (LIMIT + 1)]
    assert source.tell() == LIMIT + 1


def test_chunked_upload_over_the_limit_is_refused_rather_than_cut(application: Application) -> None:
    status, _, content = call(
        application,
        io.BytesIO(b"x" * (LIMIT + 1)),
        HTTP_TRANSFER_ENCODING="chunked",
        CONTENT_TYPE="multipart/form-data; boundary=b",
    )

    assert status.startswith("413 ")
    assert json.loads(content)["error"] == {"code": 413, "message": "The request body is too large."}
    assert application.bodies == []


def test_chunked_body_whose_end_the_server_does_not_mark_is_refused(application: Application) -> None:
    status, headers, content = call(
        application, io.BytesIO(b'{"a": 1}'), HTTP_TRANSFER_ENCODING="chunked", **{"wsgi.input_terminated": False}
    )

    assert status == "411 Length Required"
    assert json.loads(content) == refusal(411, "length-required", "The request needs a Content-Length.")
    assert headers["Content-Type"] == "application/json"
    assert headers["Content-Length"] == str(len(content))
    assert len(headers["X-Request-Id"]) == 32
    assert application.bodies == []


def test_sized_body_is_read_to_its_length_and_no_further(application: Application) -> None:
    source = io.BytesIO(b'{"a": 1}GET / HTTP/1.1')

    call(application, source, CONTENT_LENGTH="8")

    assert application.bodies == [b'{"a": 1}']
    assert source.tell() == 8


def test_body_that_breaks_off_never_reaches_the_application(application: Application) -> None:
    status, _, content = call(application, io.BytesIO(b'{"a": 1}'), CONTENT_LENGTH="100")

    assert status == "400 Bad Request"
    assert json.loads(content) == refusal(400, "bad-request", "The request body is shorter than its Content-Length.")
    assert application.bodies == []


def test_a_refusal_is_in_the_format_of_the_body(application: Application) -> None:
    _, headers, content = call(application, io.BytesIO(b"<r/>"), CONTENT_LENGTH="100", CONTENT_TYPE="application/xml")

    assert headers["Content-Type"] == "application/xml; charset=utf-8"
    message = "The request body is shorter than its Content-Length."
    assert read_xml(content) == refusal(400, "bad-request", message)


@pytest.mark.parametrize(
    ("error", "status", "message"),
    [
        (ConnectionResetError(), "400 Bad Request", "The request body ended early."),
        (TimeoutError(), "408 Request Timeout", "The request took too long. Try later."),
    ],
)
@pytest.mark.parametrize("framing", [{"HTTP_TRANSFER_ENCODING": "chunked"}, {"CONTENT_LENGTH": "100"}])
def test_connection_that_fails_while_it_is_read_is_answered(
    application: Application, error: Exception, status: str, message: str, framing: dict[str, str]
) -> None:
    got, _, content = call(application, Breaking(b'{"a": 1}', error), **framing)

    assert got == status
    assert json.loads(content)["error"]["message"] == message
    assert application.bodies == []


@pytest.mark.parametrize("length", ["", "0", str(LIMIT + 1)])
def test_body_that_is_absent_or_too_large_is_left_to_the_application(application: Application, length: str) -> None:
    source = io.BytesIO(b"")

    call(application, source, CONTENT_LENGTH=length)

    assert application.streams == [source]


def test_answer_and_body_are_closed_with_the_request(application: Application) -> None:
    call(application, io.BytesIO(b"{}"), CONTENT_LENGTH="2")

    assert application.closed == 1
    assert application.streams[0].closed


def test_body_is_closed_when_the_application_fails(application: Application) -> None:
    application.bodies = None  # type: ignore[assignment]

    with pytest.raises(AttributeError):
        call(application, io.BytesIO(b"{}"), CONTENT_LENGTH="2")

    assert application.streams[0].closed
