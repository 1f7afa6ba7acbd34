"""``fields=``: what is chosen, and what is told wrong."""

from typing import Any

import pytest
from rest_framework.request import Request
from rest_framework.test import APIRequestFactory

from apps.core.errors import BadRequest
from apps.core.http.fields import Fields, read_fields, select

RESOURCE = {"id": 1, "info": {"name": "a", "tags": [{"k": "x", "v": 1}, {"k": "y"}]}, "rows": [], "gone": None}


def fields(text: str) -> Fields | None:
    return read_fields(Request(APIRequestFactory().get("/", {"fields": text})))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", None),
        (" , ", None),
        ("a", {"a": None}),
        ("a,b.c,b.d", {"a": None, "b": {"c": None, "d": None}}),
        (" a , b ", {"a": None, "b": None}),
        ("b.c,b", {"b": None}),
        ("b,b.c", {"b": None}),
        ("a,a", {"a": None}),
    ],
)
def test_how_the_parameter_is_read(text: str, expected: Any) -> None:
    assert fields(text) == expected


def test_the_parameter_comes_once() -> None:
    with pytest.raises(BadRequest) as caught:
        read_fields(Request(APIRequestFactory().get("/?fields=a&fields=b")))
    assert caught.value.message == "The parameter fields is given more than once."


@pytest.mark.parametrize(
    ("text", "chosen"),
    [
        ("id", {"id": 1}),
        ("info.name,id", {"info": {"name": "a"}, "id": 1}),
        ("info.tags.k", {"info": {"tags": [{"k": "x"}, {"k": "y"}]}}),
        ("info.tags.v", {"info": {"tags": [{"v": 1}, {}]}}),
        ("rows.anything", {"rows": []}),
        ("gone.anything.else", {"gone": None}),
    ],
)
def test_what_is_chosen(text: str, chosen: Any) -> None:
    wanted = fields(text)
    assert wanted is not None
    assert select(RESOURCE, wanted) == chosen
    assert select([RESOURCE, {"id": 2}], wanted)[0] == chosen


@pytest.mark.parametrize(
    ("resource", "text", "named"),
    [
        (RESOURCE, "other", "other"),
        (RESOURCE, "id,info.other", "info.other"),
        (RESOURCE, "id.other", "id.other"),
        (RESOURCE, "info.tags.other", "info.tags.other"),
        (RESOURCE, "x" * 200, "x" * 80),
        ([{"a": 1}, {"b": 1}], "a,b,c", "c"),
        ("text", "a", "a"),
        ("", "a", "a"),
        ({}, "a", "a"),
    ],
)
def test_what_no_element_has_is_named(resource: Any, text: str, named: str) -> None:
    wanted = fields(text)
    assert wanted is not None
    with pytest.raises(BadRequest) as caught:
        select(resource, wanted)
    assert caught.value.message == f"There is no field {named} in the answer."


def test_in_an_empty_list_nothing_is_wrong() -> None:
    assert select([], {"a": {"b": None}}) == []
    assert select(None, {"a": None}) is None
