"""The one module that calls other people's servers.

A customer names the URL, so the call must not reach what only this machine can reach: the name is resolved once, every
address it has is judged, and the connection goes to exactly that address while TLS still proves the name. Nothing is
redirected, no proxy or credential is taken from the environment, and one deadline covers everything from the name
lookup to the last byte.
"""

import io
import re
import socket
import ssl
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from functools import lru_cache
from http.client import HTTPConnection, HTTPException, HTTPResponse
from ipaddress import ip_address
from queue import Empty, SimpleQueue
from typing import NoReturn, TypeAlias
from urllib.parse import SplitResult, quote, urlsplit

from apps.core.addresses import Address, Network
from apps.core.public_addresses import literal_address, not_public

Resolver: TypeAlias = Callable[[str, int], Sequence[str]]
"""Answers the addresses of a host name (and port), or raises OSError."""

_LONGEST_URL = 8192
_LONGEST_HOST = 253
_LONGEST_TIMEOUT = 3600
_MOST_ADDRESSES = 8
_CHUNK = 64 * 1024
_HOST = re.compile(r"[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)*\.?")
_UNSAFE_IN_URL = re.compile(r"[\x00-\x20\x7f\\]")
_TOKEN = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
_HEADER_VALUE = re.compile(r"[\t\x20-\x7e\x80-\xff]*")
# What frames the message is ours to say; anything else could smuggle a second request.
_OWN_HEADERS = frozenset({"host", "content-length", "transfer-encoding", "connection", "te", "trailer", "upgrade"})
_BODILESS_METHODS = frozenset({"GET", "HEAD", "OPTIONS", "DELETE", "TRACE"})


class EgressErrorCode(StrEnum):
    """Why a call did not come to an answer."""

    REFUSED_ADDRESS = "refused_address"  # the host has an address that may not be called
    BAD_URL = "bad_url"  # not an http(s) URL, or one with credentials in it
    BAD_REQUEST = "bad_request"  # the method or a header cannot be sent
    DNS = "dns"  # the name has no address
    CONNECTION = "connection"  # refused, reset, cut short or not HTTP
    TIMEOUT = "timeout"  # the deadline passed
    TOO_LARGE = "too_large"  # the answer exceeds the policy's size
    TLS = "tls"  # the certificate or the handshake failed


class EgressError(Exception):
    """A call that came to no answer; ``message`` names the host at most, never the path, query or headers."""

    def __init__(self, code: EgressErrorCode, message: str) -> None:
        self.code = code
        self.message = message
        super().__init__(message)


@dataclass(frozen=True, slots=True)
class EgressRequest:
    """One call; ``timeout`` in seconds is the deadline for the whole of it."""

    method: str
    url: str
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    timeout: float = 30.0


@dataclass(frozen=True, slots=True)
class EgressPolicy:
    """What the installation permits: networks exempt from refusal, the largest answer, further authorities in PEM."""

    allow: tuple[Network, ...] = ()
    max_response_bytes: int = 5 * 1024 * 1024
    extra_authorities: str = ""


@dataclass(frozen=True, slots=True)
class EgressResponse:
    """The answer as it came: redirects are not followed, an encoded body is not decoded."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes

    def header(self, name: str) -> str | None:
        """The first value of a header, whatever its case."""
        return next((value for given, value in self.headers if given.lower() == name.lower()), None)


def resolve(host: str, port: int) -> Sequence[str]:
    """Ask the system for the addresses of a host name; raises OSError when there are none."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


def fetch(request: EgressRequest, policy: EgressPolicy, *, resolver: Resolver = resolve) -> EgressResponse:
    """Make one call; any status the other server answers is an answer.

    Raises EgressError.
    """
    url = _split(request.url)
    _check_message(request)
    deadline = _Deadline(request.timeout)
    host, port = _ascii_host(url), _port(url)
    addresses = _permitted(_addresses(host, port, deadline, resolver), host, policy)
    try:
        with _connect(addresses, host, port, deadline) as plain:
            stream = _secure(plain, host, deadline, policy) if url.scheme == "https" else plain
            with stream:
                return _exchange(stream, request, url, host, deadline, policy)
    except TimeoutError:
        _fail(EgressErrorCode.TIMEOUT, f"{host} did not answer within {request.timeout:g} seconds.")
    except ssl.SSLError as error:
        _fail(EgressErrorCode.TLS, f"No trusted TLS connection to {host}: {_reason(error)}.")
    except (OSError, HTTPException) as error:
        _fail(EgressErrorCode.CONNECTION, f"The connection to {host} failed: {_reason(error)}.")


def check_url(url: str) -> None:
    """Raise EgressError for a URL that could never be called, wherever its host may lead."""
    _ascii_host(_split(url))


def is_free_header(name: str) -> bool:
    """Whether callers may choose a header of that name; those that frame the message are ours to say."""
    return _TOKEN.fullmatch(name) is not None and name.lower() not in _OWN_HEADERS


def _fail(code: EgressErrorCode, message: str) -> NoReturn:
    raise EgressError(code, message) from None


def _reason(error: Exception) -> str:
    """Name the kind of fault; texts of the other side are not repeated."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return str(error.verify_message).rstrip(".")
    if isinstance(error, ssl.SSLError):
        return (error.reason or type(error).__name__).lower().replace("_", " ")
    if isinstance(error, OSError) and error.strerror:
        return error.strerror.lower()
    return type(error).__name__


class _Deadline:
    """A moment that no step may pass."""

    def __init__(self, seconds: float) -> None:
        self._end = time.monotonic() + seconds

    def left(self) -> float:
        """Seconds left; raises TimeoutError when there are none."""
        left = self._end - time.monotonic()
        if left <= 0:
            raise TimeoutError
        return left


def _split(url: str) -> SplitResult:
    if len(url) > _LONGEST_URL or _UNSAFE_IN_URL.search(url):
        _fail(EgressErrorCode.BAD_URL, f"The URL is longer than {_LONGEST_URL} characters or holds spaces.")
    try:
        url.encode()
        split = urlsplit(url)
        usable = split.scheme in ("http", "https") and bool(split.hostname) and split.port != 0
    except ValueError:
        _fail(EgressErrorCode.BAD_URL, "The URL cannot be read.")
    if not usable:
        _fail(EgressErrorCode.BAD_URL, "The URL must begin with http:// or https:// and name a host.")
    if "@" in split.netloc:
        _fail(EgressErrorCode.BAD_URL, "The URL must not hold credentials; send them in a header.")
    return split


def _port(url: SplitResult) -> int:
    return url.port or (443 if url.scheme == "https" else 80)


def _ascii_host(url: SplitResult) -> str:
    """The host as it goes on the wire: international names in their ASCII form, IPv6 addresses without brackets."""
    host = url.hostname or ""
    if "[" in url.netloc:
        if "%" not in host and literal_address(host):
            return host
        _fail(EgressErrorCode.BAD_URL, "The URL's host is not an IPv6 address.")
    try:
        host = host[: _LONGEST_HOST + 1].encode("idna").decode()
    except UnicodeError:
        _fail(EgressErrorCode.BAD_URL, "The URL's host is not a host name.")
    if len(host) > _LONGEST_HOST or not _HOST.fullmatch(host):
        _fail(EgressErrorCode.BAD_URL, "The URL's host is not a host name.")
    return host


def _check_message(request: EgressRequest) -> None:
    if not _TOKEN.fullmatch(request.method) or request.method.upper() == "CONNECT":
        _fail(EgressErrorCode.BAD_REQUEST, "The method is not an HTTP method.")
    if not 0 < request.timeout <= _LONGEST_TIMEOUT:
        _fail(EgressErrorCode.BAD_REQUEST, f"The timeout must lie between 0 and {_LONGEST_TIMEOUT} seconds.")
    for name, value in request.headers.items():
        if not _TOKEN.fullmatch(name):
            _fail(EgressErrorCode.BAD_REQUEST, f"{name[:60]!r} is not a header name.")
        if not _HEADER_VALUE.fullmatch(value):
            _fail(EgressErrorCode.BAD_REQUEST, f"The value of the header {name[:60]} cannot be sent.")
        if name.lower() in _OWN_HEADERS:
            _fail(EgressErrorCode.BAD_REQUEST, f"The header {name} cannot be chosen.")


def _addresses(host: str, port: int, deadline: _Deadline, resolver: Resolver) -> list[Address]:
    literal = literal_address(host)
    if literal is not None:
        return [literal]
    try:
        found = [ip_address(text.partition("%")[0]) for text in _resolve_in_time(host, port, deadline, resolver)]
    except TimeoutError:
        _fail(EgressErrorCode.TIMEOUT, f"The name {host} was not resolved in time.")
    except (OSError, ValueError):
        found = []
    if not found:
        _fail(EgressErrorCode.DNS, f"The name {host} has no address.")
    return found


def _resolve_in_time(host: str, port: int, deadline: _Deadline, resolver: Resolver) -> Sequence[str]:
    """A system lookup knows no deadline, so it runs in a thread that may be left behind."""
    answers: SimpleQueue[Sequence[str] | OSError] = SimpleQueue()

    def look_up() -> None:
        try:
            answers.put(resolver(host, port))
        except (OSError, UnicodeError) as error:
            answers.put(error if isinstance(error, OSError) else OSError(str(error)))

    threading.Thread(target=look_up, daemon=True, name="egress-lookup").start()
    try:
        answer = answers.get(timeout=deadline.left())
    except Empty:
        raise TimeoutError from None
    if isinstance(answer, OSError):
        raise answer
    return answer


def _permitted(addresses: Sequence[Address], host: str, policy: EgressPolicy) -> list[Address]:
    """The addresses, if every one may be called: a name that also leads inside is not to be trusted at all."""
    for address in addresses:
        if any(address in network for network in policy.allow):
            continue
        what = not_public(address)
        if what:
            _fail(EgressErrorCode.REFUSED_ADDRESS, f"{host} leads to an address that may not be called ({what}).")
    return list(addresses[:_MOST_ADDRESSES])


def _connect(addresses: Sequence[Address], host: str, port: int, deadline: _Deadline) -> socket.socket:
    """Connect to the first address that answers; each has its share of the time that is left."""
    failure: OSError = OSError("no address")
    for tried, address in enumerate(addresses):
        try:
            return socket.create_connection((str(address), port), deadline.left() / (len(addresses) - tried))
        except OSError as error:
            failure = error
    raise failure


def _secure(plain: socket.socket, host: str, deadline: _Deadline, policy: EgressPolicy) -> ssl.SSLSocket:
    plain.settimeout(deadline.left())
    return _tls_context(policy.extra_authorities).wrap_socket(plain, server_hostname=host.rstrip("."))


@lru_cache(maxsize=8)
def _tls_context(extra_authorities: str) -> ssl.SSLContext:
    context = ssl.create_default_context()
    if extra_authorities:
        context.load_verify_locations(cadata=extra_authorities)
    return context


class _TimedReader(io.RawIOBase):
    """Reads from a socket, each time for no longer than is left: a byte a second does not outlive the deadline."""

    def __init__(self, stream: socket.socket, deadline: _Deadline) -> None:
        self._stream = stream
        self._deadline = deadline

    def readable(self) -> bool:
        """It is."""
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        """Read what is there; 0 at the end."""
        self._stream.settimeout(self._deadline.left())
        return self._stream.recv_into(buffer)


class _TimedStream:
    """As much of a socket as http.client uses, within the deadline."""

    def __init__(self, stream: socket.socket, deadline: _Deadline) -> None:
        self._stream = stream
        self._deadline = deadline

    def sendall(self, data: bytes) -> None:
        """Send in pieces, since a TLS socket would grant every piece the whole timeout."""
        view = memoryview(data)
        while view:
            self._stream.settimeout(self._deadline.left())
            view = view[self._stream.send(view[:_CHUNK]) :]

    def makefile(self, mode: str) -> io.BufferedReader:
        """The reading end."""
        return io.BufferedReader(_TimedReader(self._stream, self._deadline))

    def close(self) -> None:
        """The caller of fetch's parts closes the socket."""


def _exchange(
    stream: socket.socket,
    request: EgressRequest,
    url: SplitResult,
    host: str,
    deadline: _Deadline,
    policy: EgressPolicy,
) -> EgressResponse:
    connection = HTTPConnection(host, _port(url))
    connection.sock = _TimedStream(stream, deadline)
    connection.putrequest(request.method.upper(), _target(url), skip_host=True, skip_accept_encoding=True)
    for name, value in _headers(request, url, host).items():
        connection.putheader(name, value.encode("latin-1"))
    connection.endheaders(request.body or None)
    with connection.getresponse() as response:
        body = _read_body(response, policy.max_response_bytes, host)
        return EgressResponse(response.status, tuple(response.getheaders()), body)


def _target(url: SplitResult) -> str:
    query = f"?{url.query}" if url.query else ""
    return quote((url.path or "/") + query, safe="!#$%&'()*+,/:;=?@[]~-._|")


def _headers(request: EgressRequest, url: SplitResult, host: str) -> dict[str, str]:
    shown = f"[{host}]" if ":" in host else host
    headers = {"Host": shown if url.port is None else f"{shown}:{url.port}"}
    given = {name.lower() for name in request.headers}
    for name, value in (("User-Agent", "Flowize"), ("Accept", "*/*"), ("Accept-Encoding", "identity")):
        if name.lower() not in given:
            headers[name] = value
    headers |= request.headers
    if request.body or request.method.upper() not in _BODILESS_METHODS:
        headers["Content-Length"] = str(len(request.body))
    return headers | {"Connection": "close"}


def _read_body(response: HTTPResponse, most: int, host: str) -> bytes:
    body = bytearray()
    if (response.length or 0) > most:
        _fail(EgressErrorCode.TOO_LARGE, f"The answer of {host} is larger than {most} bytes.")
    while chunk := response.read(min(_CHUNK, most + 1 - len(body))):
        body += chunk
        if len(body) > most:
            _fail(EgressErrorCode.TOO_LARGE, f"The answer of {host} is larger than {most} bytes.")
    if response.length:
        _fail(EgressErrorCode.CONNECTION, f"The answer of {host} was cut short.")
    return bytes(body)
