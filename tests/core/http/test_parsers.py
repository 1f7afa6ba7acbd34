import io
from typing import Any

import pytest

from apps.core.errors import BadRequest, BodyTooLarge, UnsupportedMediaType
from apps.core.http.parsers import JSONParser, read_body, require_utf8


@pytest.mark.parametrize(
    "media_type",
    [
        None,
        "application/json",
        "application/json; charset=utf-8",
        'application/json; charset="UTF-8"',
        "a/b; charset=utf8",
    ],
)
def test_utf8_is_accepted(media_type: str | None) -> None:
    assert JSONParser().parse(io.BytesIO('{"name": "Zoë"}'.encode()), media_type) == {"name": "Zoë"}


@pytest.mark.parametrize(
    "charset",
    ["latin-1", "iso-8859-1", "utf-16", "utf-7", "punycode", "unicode_escape", "zlib", "bz2", "no-such", "''"],
)
def test_any_other_charset_is_refused_unread(charset: str) -> None:
    body = io.BytesIO(b"{}")
    with pytest.raises(UnsupportedMediaType) as caught:
        JSONParser().parse(body, f"application/json; charset={charset}")
    assert caught.value.message == "Only the charset utf-8 is supported."
    assert body.tell() == 0


def test_extended_and_repeated_charsets_are_refused() -> None:
    for parameters in ("charset*=utf-8''latin-1", "charset=latin-1; charset=utf-8"):
        with pytest.raises(UnsupportedMediaType):
            require_utf8(f"application/json; {parameters}")


def test_a_body_of_exactly_the_limit_is_read(settings: Any) -> None:
    settings.BODY_LIMIT = 10
    assert read_body(io.BytesIO(b"x" * 10)) == b"x" * 10


def test_a_body_over_the_limit_is_refused_early(settings: Any) -> None:
    settings.BODY_LIMIT = 10
    body = io.BytesIO(b"x" * 1000)
    with pytest.raises(BodyTooLarge) as caught:
        read_body(body)
    assert caught.value.message == "The request body is larger than 10 bytes."
    assert body.tell() == 11


def test_the_place_that_cannot_be_read_is_named() -> None:
    with pytest.raises(BadRequest) as caught:
        JSONParser().parse(io.BytesIO(b'{"a": [1, NaN]}'), "application/json")
    assert [(detail.path, detail.message) for detail in caught.value.details] == [("/a/1", "NaN is no JSON number.")]
