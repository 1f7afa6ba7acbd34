from typing import Any

import pytest
from rest_framework.request import Request
from rest_framework.test import APIRequestFactory

from apps.core.errors import BadRequest
from apps.core.http.parameters import one_of


def request(url: str = "/", **headers: str) -> Request:
    return Request(
        APIRequestFactory().get(url, headers={name.replace("_", "-"): text for name, text in headers.items()})
    )


def read(url: str = "/", **headers: str) -> str | None:
    return one_of(request(url, **headers), headers=("X-Uuid", "uuid"), parameters=("uuid", "id"))


@pytest.mark.parametrize(
    ("url", "headers", "found"),
    [
        ("/", {}, None),
        ("/?uuid=", {}, None),
        ("/?uuid=%20", {"X_Uuid": "  "}, None),
        ("/?uuid=a", {}, "a"),
        ("/?id=b", {}, "b"),
        ("/?id=b&uuid=a", {}, "a"),
        ("/?uuid=a", {"X_Uuid": "h"}, "h"),
        ("/?uuid=a", {"uuid": "i"}, "i"),
        ("/?uuid=a", {"uuid": "i", "X_Uuid": "h"}, "h"),
        ("/?uuid=a", {"X_Uuid": ""}, "a"),
        ("/?uuid=%20a%20", {}, "a"),
        ("/", {"X_Uuid": " h "}, "h"),
        ("/?uuid=Zo%C3%AB", {}, "Zoë"),
    ],
)
def test_the_first_name_with_a_value_counts(url: str, headers: dict[str, str], found: str | None) -> None:
    assert read(url, **headers) == found


@pytest.mark.parametrize(
    ("sent", "read_as"),
    [("Zoë".encode().decode("latin-1"), "Zoë"), ("Łódź".encode().decode("latin-1"), "Łódź"), ("Zo\xeb", "Zoë")],
)
def test_headers_hold_utf8_or_latin1(sent: str, read_as: str) -> None:
    assert read(X_Uuid=sent) == read_as


def test_a_repeated_parameter_is_refused() -> None:
    with pytest.raises(BadRequest) as caught:
        read("/?uuid=a&uuid=a")
    assert caught.value.message == "The parameter uuid is given more than once."


def test_a_repeated_parameter_of_another_name_is_no_matter() -> None:
    assert read("/?uuid=a&x=1&x=2") == "a"


@pytest.mark.parametrize(
    ("url", "headers", "name"),
    [
        ("/?uuid=a%00b", {}, "uuid"),
        ("/?uuid=a%0Ab", {}, "uuid"),
        ("/?id=%7F", {}, "id"),
        ("/?id=x%C2%85y", {}, "id"),
        ("/", {"X_Uuid": "a\0b"}, "X-Uuid"),
        ("/", {"X_Uuid": "a\tb"}, "X-Uuid"),
    ],
)
def test_control_characters_are_refused(url: str, headers: dict[str, Any], name: str) -> None:
    with pytest.raises(BadRequest) as caught:
        read(url, **headers)
    assert caught.value.message == f"{name} holds control characters."


def test_overlong_values_are_refused() -> None:
    assert read(X_Uuid="a" * 8192) == "a" * 8192
    with pytest.raises(BadRequest) as caught:
        read(X_Uuid="a" * 8193)
    assert caught.value.message == "X-Uuid is longer than 8192 characters."
