"""Which texts are paths of files, and as what files are served."""

import pytest

from apps.contents.media_types import media_type
from apps.contents.paths import fault_of_path, normal


@pytest.mark.parametrize(
    "path", ["a", "index.html", "a/b/c.txt", ".well-known/x", "ü/日本.html", "a b (1).txt", "..a", "a..b"]
)
def test_paths(path: str) -> None:
    assert fault_of_path(path) is None


@pytest.mark.parametrize(
    "path",
    [
        *(
            "",
            "/",
            "/etc/passwd",
            "..",
            "../a",
            "a/../b",
            "a/..",
            ".",
            "./a",
            "a//b",
            "a/",
            "a\\b",
            "..\\a",
            "C:/a",
            "c:a",
        ),
        *("a\0b", "a\nb", "a\x7f", "a\u202eb", " a", "a ", "a/ b", "a.", "a./b", "a*", "a?", 'a"', "a<b", "a>b", "a|b"),
        *("x" * 256, "/".join("x" * 21)),
    ],
)
def test_what_leads_elsewhere_or_cannot_be_kept(path: str) -> None:
    assert fault_of_path(path)


def test_composed_and_decomposed_accents_are_the_same_path() -> None:
    assert normal("u\u0308.html") == "ü.html"


@pytest.mark.parametrize(
    ("path", "content", "expected"),
    [
        ("a.html", b"<p>", "text/html; charset=utf-8"),
        ("a.HTML", b"<p>", "text/html; charset=utf-8"),
        ("a.html", b"\xe4", "text/html"),
        ("a.js", b"", "text/javascript; charset=utf-8"),
        ("a.svg", b"<svg/>", "image/svg+xml; charset=utf-8"),
        ("a.json", b"{}", "application/json; charset=utf-8"),
        ("a.png", b"\x89PNG", "image/png"),
        ("a.woff2", b"", "font/woff2"),
        ("a.php", b"<?php", "application/octet-stream"),
        ("html", b"<p>", "application/octet-stream"),
        ("a.b/html", b"<p>", "application/octet-stream"),
    ],
)
def test_types(path: str, content: bytes, expected: str) -> None:
    assert media_type(path, content) == expected
