"""Reads curl command lines as curl itself does, as far as the API's documentation uses it."""

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass, field
from urllib.parse import urlsplit

FORM = "application/x-www-form-urlencoded"
ALONE = {"-s", "--silent", "-i", "--include", "-L", "--location", "-G", "--get", "-I", "--head"}
NAMES = {"--request": "-X", "--header": "-H", "--get": "-G", "--head": "-I", "--user": "-u"}
DATA = {"-d", "--data", "--data-raw", "--data-binary", "--data-ascii"}


@dataclass(frozen=True)
class CurlCall:
    """What goes over the wire; ``target`` is path and query."""

    method: str
    target: str
    headers: dict[str, str] = field(default_factory=dict)
    body: str = ""

    @property
    def path(self) -> str:
        return self.target.partition("?")[0]


def read_curl(command: str) -> CurlCall:
    """The call of a command line; options that are not known are refused."""
    words = shlex.split(command)
    assert words[0] == "curl", command
    method, url, data, headers = "", "", [], {}
    options = list(_options(words[1:]))
    flags = {name for name, _ in options}
    for name, value in options:
        if name == "-X":
            method = value
        elif name == "-H":
            headers |= _header(value)
        elif name in DATA:
            data.append(value)
        elif not name:
            assert not url, f"two addresses: {url} and {value}"
            url = value
    return _call(method, url, headers, "&".join(data), flags)


def _options(words: list[str]) -> Iterator[tuple[str, str]]:
    """Each option with its value; what is no option has no name."""
    rest = iter(words)
    for word in rest:
        name = NAMES.get(word, word)
        if name in ALONE:
            yield name, ""
        elif name in {"-X", "-H"} | DATA:
            yield name, next(rest)
        else:
            assert not word.startswith("-"), f"unknown option {word}"
            yield "", word


def _header(text: str) -> dict[str, str]:
    """curl leaves a header out when nothing follows its colon."""
    name, colon, value = text.partition(":")
    assert colon, text
    return {name: value.strip()} if value.strip() else {}


def _call(method: str, url: str, headers: dict[str, str], data: str, flags: set[str]) -> CurlCall:
    parts = urlsplit(url)
    assert parts.scheme in ("http", "https"), url
    assert not re.search(r"\s", url), f"curl refuses an address with white space: {url!r}"
    target = parts.path + (f"?{parts.query}" if parts.query else "")
    if "-G" in flags and data:
        target, data = f"{target}{'&' if parts.query else '?'}{data.replace(' ', '%20')}", ""
    if data and "Content-Type" not in headers:
        headers = headers | {"Content-Type": FORM}
    usual = "HEAD" if "-I" in flags else "POST" if data else "GET"
    return CurlCall(method or usual, target, {"Accept": "*/*"} | headers, data)
