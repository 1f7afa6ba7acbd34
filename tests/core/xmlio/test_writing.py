"""JSON values as XML, and back."""

from typing import Any
from xml.etree import ElementTree

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from apps.core.copy_action import CopyAction
from apps.core.xmlio import read_xml, write_xml

HEAD = '<?xml version="1.0" encoding="UTF-8"?>\n'


@pytest.mark.parametrize(
    ("value", "written"),
    [
        ("", "<response></response>"),
        ("a<b>&\"'c", "<response>a&lt;b&gt;&amp;\"'c</response>"),
        ("a\r\nb\t", "<response>a&#13;\nb\t</response>"),
        ("\x01\\", '<response type="escaped">\\u0001\\\\</response>'),
        ("\\u0001", "<response>\\u0001</response>"),
        (CopyAction.INSERT, "<response>insert</response>"),
        ({"@a": CopyAction.INSERT, "b": "c"}, '<response a="insert"><b>c</b></response>'),
        (5, '<response type="integer">5</response>'),
        (1e300, '<response type="number">1e+300</response>'),
        (True, '<response type="boolean">true</response>'),
        (None, '<response type="null"></response>'),
        ([], '<response type="array"></response>'),
        ({}, '<response type="object"></response>'),
        ([["a"]], '<response type="array"><item type="array"><item>a</item></item></response>'),
        ({"a": {"b": "c"}}, "<response><a><b>c</b></a></response>"),
        ({"a b": "x", "": "y"}, '<response><entry name="a b">x</entry><entry name="">y</entry></response>'),
        ({"1a": 2}, '<response><entry name="1a" type="integer">2</entry></response>'),
        ({"xmlish": "x", "Größe": "y"}, '<response><entry name="xmlish">x</entry><Größe>y</Größe></response>'),
        ({"a:b": "x"}, '<response><entry name="a:b">x</entry></response>'),
        ({"entry": "x"}, '<response><entry name="entry">x</entry></response>'),
        ({"a\n\"<": "x"}, '<response><entry name="a&#10;&quot;&lt;">x</entry></response>'),
        ({"\x01": "x"}, '<response><entry escaped="\\u0001">x</entry></response>'),
        ({"a><b x='1'>": 1}, '<response><entry name="a&gt;&lt;b x=\'1\'&gt;" type="integer">1</entry></response>'),
        ({"@id": "7", "#text": "x"}, '<response id="7">x</response>'),
        ({"@id": 7, "b": ""}, '<response><entry name="@id" type="integer">7</entry><b></b></response>'),
        ({"@type": "mobile"}, '<response type="mobile"></response>'),
        ({"@type": "array"}, '<response><entry name="@type">array</entry></response>'),
        ({"#text": "x"}, '<response><entry name="#text">x</entry></response>'),
        ({"#text": " x", "a": "b"}, '<response><entry name="#text"> x</entry><a>b</a></response>'),
        (
            {"entry": {"@name": "n", "@id": "i"}},
            '<response><entry name="entry" id="i"><entry name="@name">n</entry></entry></response>',
        ),
    ],
)  # fmt: skip
def test_how_values_are_written(value: Any, written: str) -> None:
    assert write_xml(value).decode() == HEAD + written
    assert read_xml(write_xml(value)) == value


@pytest.mark.parametrize("value", [float("nan"), float("inf"), "\ud800", object(), {"a": {1, 2}}])
def test_what_is_no_json_is_not_written(value: Any) -> None:
    with pytest.raises((ValueError, TypeError)):
        write_xml(value)


def test_more_attributes_than_a_reader_takes() -> None:
    value = {f"@a{number}": "x" for number in range(1000)}
    assert read_xml(write_xml(value)) == value


TEXTS = st.text(max_size=8) | st.sampled_from(
    ["item", "entry", "type", "name", "@type", "@name", "@id", "#text", "xml", "integer", "array", " ", "\r", "\\"]
)
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | TEXTS
    | st.text(st.characters(max_codepoint=0x20, min_codepoint=1), max_size=4)
)
KEYS = TEXTS.filter(lambda key: "\0" not in key)
VALUES = st.recursive(
    SCALARS.filter(lambda value: not isinstance(value, str) or "\0" not in value),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=12,
)


def same(one: Any, other: Any) -> bool:
    """Equal, and of the same types: 1, 1.0 and true differ."""
    if type(one) is not type(other):
        return False
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(same(one[key], other[key]) for key in one)
    if isinstance(one, list):
        return len(one) == len(other) and all(map(same, one, other))
    return repr(one) == repr(other)


@settings(max_examples=500)
@given(VALUES)
@example({"a": [{"@type": "null", "#text": "\ufffe"}, [[]], {"": {"#text": ""}}]})
@example({"entry": [{"@escaped": "\x01", "@name": "", "type": "integer"}]})
@example({"@\x01": "x", "@type": {"@type": "string"}, "#text": 5})
def test_every_value_comes_back_as_it_was(value: Any) -> None:
    written = write_xml(value)
    ElementTree.fromstring(written)
    assert same(read_xml(written), value)


@given(VALUES)
def test_what_was_read_is_written_and_read_the_same(value: Any) -> None:
    once = read_xml(write_xml(value))
    assert write_xml(once) == write_xml(value)
