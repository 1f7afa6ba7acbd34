import pytest
from rest_framework.parsers import BaseParser
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request
from rest_framework.test import APIRequestFactory

from apps.core.errors import NotAcceptable
from apps.core.http.negotiation import Negotiation


class Json(BaseRenderer):
    media_type = "application/json"


class Xml(BaseRenderer):
    media_type = "application/xml"


class Text(BaseRenderer):
    media_type = "text/plain"


class JsonParser(BaseParser):
    media_type = "application/json"


RENDERERS = [Json(), Xml(), Text()]


def chosen(accept: str | None = None, content_type: str | None = None) -> str:
    headers = {
        name: text for name, text in {"Accept": accept, "Content-Type": content_type}.items() if text is not None
    }
    request = Request(APIRequestFactory().get("/", headers=headers))
    renderer, media_type = Negotiation().select_renderer(request, RENDERERS)
    assert renderer.media_type == media_type
    return media_type


@pytest.mark.parametrize(
    ("accept", "shown"),
    [
        ("application/json", "application/json"),
        ("application/xml", "application/xml"),
        ("text/plain", "text/plain"),
        ("application/json, */*;q=0.1", "application/json"),
        ("text/html, */*;q=0.1", "text/plain"),
        ("application/json;q=0.9, */*;q=0.9", "application/json"),
        ("application/xml;q=0.2, */*", "text/plain"),
        ("*/*, text/plain;q=0, application/json;q=0", "application/xml"),
        ("application/*", "application/json"),
        ("application/*, application/json;q=0", "application/xml"),
        ("text/*", "text/plain"),
        ("APPLICATION/XML", "application/xml"),
        ("application/xml;q=0.5, application/json;q=0.4", "application/xml"),
        ("application/xml;q=0.4, application/json;q=0.5", "application/json"),
        ("image/png, application/xml;q=0.1", "application/xml"),
        ("text/html,application/xhtml+xml,application/xml;q=0.9,image/webp,*/*;q=0.8", "application/xml"),
        ("application/json;q=0, */*", "text/plain"),
        ("application/xml;charset=utf-8", "application/xml"),
        ("application/json;q=nonsense, application/xml;q=0.1", "application/xml"),
        (",,application/xml", "application/xml"),
    ],
)
def test_an_explicit_accept_wins(accept: str, shown: str) -> None:
    assert chosen(accept, "text/plain") == shown


@pytest.mark.parametrize("accept", ["image/png", "application/json;q=0", "application", "text/html, image/*", ",", "*"])
def test_an_accept_that_names_nothing_we_have_is_refused(accept: str) -> None:
    with pytest.raises(NotAcceptable) as caught:
        chosen(accept)
    assert caught.value.message == "Available formats: application/json, application/xml, text/plain."


@pytest.mark.parametrize(
    ("content_type", "shown"),
    [
        (None, "application/json"),
        ("application/xml", "application/xml"),
        ("application/xml; charset=utf-8", "application/xml"),
        ("Application/XML", "application/xml"),
        ("text/plain", "text/plain"),
        ("image/png", "application/json"),
    ],
)
@pytest.mark.parametrize("accept", [None, "", "  ", "*/*", "*/*;q=0.8"])
def test_without_an_accept_the_answer_is_like_the_body(accept: str | None, content_type: str, shown: str) -> None:
    assert chosen(accept, content_type) == shown


def test_only_the_first_ranges_are_read() -> None:
    many = ", ".join(["image/png"] * 32)
    with pytest.raises(NotAcceptable):
        chosen(f"{many}, application/json")


@pytest.mark.parametrize(
    ("content_type", "found"),
    [
        ("application/json", True),
        ("application/json; charset=latin-1", True),
        ("text/json", False),
        ("", False),
        ("nonsense", False),
    ],
)
def test_the_parser_is_that_of_the_content_type(content_type: str, found: bool) -> None:
    request = Request(APIRequestFactory().generic("POST", "/", b"{}", content_type))
    parser = Negotiation().select_parser(request, [JsonParser()])
    assert isinstance(parser, JsonParser) is found
