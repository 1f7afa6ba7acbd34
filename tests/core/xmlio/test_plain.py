"""Plain XML: what other programs expect."""

from typing import Any

import pytest

from apps.core.xmlio import NotPlain, read_xml, write_plain_xml
from apps.core.xmlio.writing import DECLARATION


def written(value: Any) -> str:
    return write_plain_xml(value).decode().removeprefix(DECLARATION)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ({"lead": None}, "<lead></lead>"),
        ({"lead": "a<b&c>"}, "<lead>a&lt;b&amp;c&gt;</lead>"),
        ({"lead": {"age": 5, "rate": 1.5, "new": True}}, "<lead><age>5</age><rate>1.5</rate><new>true</new></lead>"),
        ({"a": {"line": [1, {"@n": 2, "#text": "x"}], "none": []}}, '<a><line>1</line><line n="2">x</line></a>'),
        ({"a": {"@xmlns": "urn:x", "@q": 'a"\n'}}, '<a xmlns="urn:x" q="a&quot;&#10;"></a>'),
        (
            {"s:Envelope": {"@xmlns:s": "urn:s", "s:Body": None}},
            '<s:Envelope xmlns:s="urn:s"><s:Body></s:Body></s:Envelope>',
        ),
    ],
)
def test_what_is_written(value: Any, text: str) -> None:
    assert written(value) == text


def test_other_readers_find_the_same_texts() -> None:
    value = {"lead": {"name": "Zoë <&> \r\n x", "tags": ["a", "b"], "@id": "7\t8"}}
    assert read_xml(write_plain_xml(value)) == value["lead"]


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ({}, "the document must be an object of one key, the root element"),
        ({"a": 1, "b": 2}, "the document must be an object of one key, the root element"),
        ("<a/>", "the document must be an object of one key, the root element"),
        ({"a": [1, 2]}, "a: there can be only one root element"),
        ({"a": {"b": [[1]]}}, "a/b: an object or list cannot stand here"),
        ({"a": {"@b": {}}}, "a/@b: an object or list cannot stand here"),
        ({"a": {"b c": 1}}, "a/b c: 'b c' cannot be the name of an element or attribute"),
        ({"a><evil": 1}, "a><evil: 'a><evil' cannot be the name of an element or attribute"),
        ({"a": {'@x="1" y': 1}}, "a: 'x=\"1\" y' cannot be the name of an element or attribute"),
        ({"a": "\x01"}, "a: XML has no spelling for a character of the text"),
    ],
)
def test_what_has_no_spelling(value: Any, message: str) -> None:
    with pytest.raises(NotPlain) as caught:
        write_plain_xml(value)
    assert str(caught.value) == message
