import json
import math
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.core.errors import BadRequest, Detail
from apps.core.jsonio import JSON, Limits, check_value, nearest_pointer, pointer, read_json, write_json

SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**63), 2**63 - 1),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(alphabet=st.characters(exclude_categories=["Cs"], exclude_characters="\0")),
)
KEYS = st.text(alphabet=st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=20)
DOCUMENTS = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=5) | st.dictionaries(KEYS, inner, max_size=5), max_leaves=30
)


def refusal_of(body: bytes | str, limits: Limits | None = None) -> BadRequest:
    with pytest.raises(BadRequest) as refusal:
        read_json(body, limits=limits or Limits())
    assert len(refusal.value.message) < 500
    assert refusal.value.details
    return refusal.value


@pytest.mark.parametrize(
    ("body", "value"),
    [
        (b'{"client":[{"name":"\\ud83d\\ude00"}]}', {"client": [{"name": "\U0001f600"}]}),
        ('{"a":"é€"}'.encode(), {"a": "é€"}),
        (b'\xef\xbb\xbf{"client":[]}', {"client": []}),
        ('\ufeff{"client":[]}', {"client": []}),
        (b'{"__proto__":{"x":1},"__class__":"y"}', {"__proto__": {"x": 1}, "__class__": "y"}),
        (b"null", None),
        (b" 5\n", 5),
        (b'"x"', "x"),
        (b"[]", []),
        (b'{"a":"\\\\u0000"}', {"a": "\\u0000"}),
        (b'{"":1}', {"": 1}),
        (b"[9223372036854775807,-9223372036854775808]", [2**63 - 1, -(2**63)]),
    ],
)
def test_what_is_accepted(body: bytes | str, value: JSON) -> None:
    assert read_json(body) == value


@pytest.mark.parametrize(
    ("number", "value"),
    [
        ("0.1", 0.1),
        ("-0.0", -0.0),
        ("0e5", 0.0),
        ("0.00000000000000000000", 0.0),
        ("1.50000000000000000000000", 1.5),
        ("0.000000000000000000000012345", 1.2345e-23),
        ("0.10000000000000001", 0.1),
        ("3.141592653589793", math.pi),
        ("1.7976931348623157e308", 1.7976931348623157e308),
        ("100000000000000000000000.0", 1e23),
    ],
)
def test_decimals_of_up_to_17_significant_digits_are_doubles(number: str, value: float) -> None:
    read = read_json(f"[{number}]".encode())
    assert read == [value]
    assert isinstance(read, list)
    assert str(read[0]) == str(value)


@pytest.mark.parametrize(
    ("number", "message"),
    [
        ("1e400", "The number is not finite, or too large for a double."),
        ("-1e400", "The number is not finite, or too large for a double."),
        ("1e-400", "The number is too small for a double."),
        (
            "0.1000000000000000055511151231257827",
            "The number has more than 17 significant digits; send it as a string.",
        ),
        ("123456789012345678.5", "The number has more than 17 significant digits; send it as a string."),
        ("123456789012345678e1", "The number has more than 17 significant digits; send it as a string."),
        ("9223372036854775808", "The whole number does not fit 64 bits."),
        ("-9223372036854775809", "The whole number does not fit 64 bits."),
        ("9" * 5000, "The whole number does not fit 64 bits."),
        ("NaN", "NaN is no JSON number."),
        ("Infinity", "Infinity is no JSON number."),
        ("-Infinity", "-Infinity is no JSON number."),
    ],
)
def test_a_number_that_would_change_is_refused_where_it_stands(number: str, message: str) -> None:
    refusal = refusal_of(f'{{"rows":[1,{{"a/b":{number}}}]}}')
    assert refusal.details == (Detail("/rows/1/a~1b", message),)
    assert refusal.message == f"/rows/1/a~1b: {message}"


@pytest.mark.parametrize(
    ("body", "path", "message"),
    [
        (b'{"a":"\\u0000"}', "/a", "The string holds a NUL character."),
        (b'{"a":{"\\u0000":1}}', "/a", "A key holds a NUL character."),
        (b'{"a":"\\ud800"}', "/a", "The string holds half of a surrogate pair."),
        (b'{"a":"\\uDE00\\ud83d"}', "/a", "The string holds half of a surrogate pair."),
        (b'{"\\udc00":1}', "", "A key holds half of a surrogate pair."),
        ('["\ud800"]', "/0", "The string holds half of a surrogate pair."),
        (b'{"a":1,"a":2}', "", "The key 'a' is given twice."),
        (b'[{"a":{"b":1,"c":2,"b":1}}]', "/0/a", "The key 'b' is given twice."),
        (b'{"a":1,"\\u0061":2}', "", "The key 'a' is given twice."),
        (b'{"a":{"' + b"k" * 513 + b'":1}}', "/a", "A key has 513 characters; 512 are allowed."),
    ],
)
def test_text_that_cannot_be_kept_is_refused_where_it_stands(body: bytes | str, path: str, message: str) -> None:
    assert refusal_of(body).details == (Detail(path, message),)


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"", "Not valid JSON: the document is empty at line 1, column 1."),
        (b'{"a":"\x00"}', "Not valid JSON: Invalid control character at line 1, column 7."),
        (b'{"client":[{"name":"x"', "Not valid JSON: Expecting ',' delimiter at line 1, column 23."),
        (b'{\n"a":1,}', "Not valid JSON: Expecting property name enclosed in double quotes at line 2, column 7."),
        (b"{'a':1}", "Not valid JSON: Expecting property name enclosed in double quotes at line 1, column 2."),
        (b"[1]//x", "Not valid JSON: Extra data at line 1, column 4."),
        (b"[01]", "Not valid JSON: Expecting ',' delimiter at line 1, column 3."),
        (b"nan", "Not valid JSON: Expecting value at line 1, column 1."),
        (b"\xef\xbb\xbf\xef\xbb\xbf1", "Not valid JSON: Expecting value at line 1, column 1."),
        (b'{"a":"\xff\xfe"}', "The document is not UTF-8: byte 7 cannot be read."),
        (b'"\xed\xa0\x80"', "The document is not UTF-8: byte 2 cannot be read."),
        ('{"a":1}'.encode("utf-16"), "The document is not UTF-8: byte 1 cannot be read."),
    ],
)
def test_what_is_no_json_is_refused_by_line_and_column(body: bytes, message: str) -> None:
    refusal = refusal_of(body)
    assert refusal.message == message
    assert refusal.details == (Detail("", message),)


def test_every_fault_is_listed_up_to_twenty() -> None:
    refusal = refusal_of(b'{"a":NaN,"b":[1e400,"\\u0000"],"c":{"x":1,"x":1}}')
    assert [detail.path for detail in refusal.details] == ["/a", "/b/0", "/b/1", "/c"]
    assert len(refusal_of(b"[" + b"NaN," * 99 + b"NaN]").details) == 20


@pytest.mark.parametrize("wrap", [lambda inner: b"[" + inner + b"]", lambda inner: b'{"a":' + inner + b"}"])
def test_a_hundred_levels_are_read_and_one_more_is_not(wrap: Any) -> None:
    body = b"[]"
    for _ in range(99):
        body = wrap(body)
    read_json(body)
    assert refusal_of(wrap(body)).details[0].message == "The document is nested more than 100 levels deep."


@pytest.mark.parametrize("levels", [900, 5_000, 100_000])
@pytest.mark.parametrize(("opening", "closing"), [(b"[", b"]"), (b'{"a":', b"}"), (b"[", b"")])
def test_no_depth_exhausts_the_stack(levels: int, opening: bytes, closing: bytes) -> None:
    refusal_of(opening * levels + b"1" * bool(closing) + closing * levels)


def test_the_limits_can_be_set() -> None:
    limits = Limits(depth=1, key_length=3)
    assert read_json(b'{"abc":1}', limits=limits) == {"abc": 1}
    assert read_json(b"1", limits=Limits(depth=0)) == 1
    assert refusal_of(b'{"abcd":1}', limits).details == (Detail("", "A key has 4 characters; 3 are allowed."),)
    assert refusal_of(b'{"a":[]}', limits).details == (Detail("/a", "The document is nested more than 1 levels deep."),)
    assert refusal_of(b"[]", Limits(depth=0)).details[0].path == ""


def test_long_keys_never_make_a_long_message() -> None:
    key = "\U000e0001" * 400
    refusal = refusal_of(json.dumps({key: [{"a": 1}]}).replace('"a": 1', f'"{key}": 1, "{key}": 2'))
    assert refusal.details[0].path == ""
    deep: Any = math.nan
    for _ in range(50):
        deep = {"k" * 30: deep}
    assert refusal_of(json.dumps(deep)).details[0].path == ("/" + "k" * 30) * 6


@pytest.mark.parametrize(
    ("value", "path", "message"),
    [
        ({"a": math.nan}, "/a", "The number is not finite, or too large for a double."),
        ([math.inf], "/0", "The number is not finite, or too large for a double."),
        ([2**63], "/0", "The whole number does not fit 64 bits."),
        ({"a": "\0"}, "/a", "The string holds a NUL character."),
        ({"a": "é\ud800"}, "/a", "The string holds half of a surrogate pair."),
        ({"k" * 513: 1}, "", "A key has 513 characters; 512 are allowed."),
        ({1: 1}, "", "A key is of type int, not a string."),
        ([(1, 2)], "/0", "A value of type tuple is no JSON value."),
        ({"a": Decimal("1.5")}, "/a", "A value of type Decimal is no JSON value."),
        ([date(2026, 1, 1)], "/0", "A value of type date is no JSON value."),
        (b"x", "", "A value of type bytes is no JSON value."),
    ],
)
def test_decoded_values_are_held_to_the_same_rules(value: object, path: str, message: str) -> None:
    with pytest.raises(BadRequest) as refusal:
        check_value(value)
    assert refusal.value.details == (Detail(path, message),)


def test_a_circular_value_is_too_deep() -> None:
    value: list[object] = []
    value.append(value)
    with pytest.raises(BadRequest, match="nested more than 100 levels"):
        check_value(value)


def test_writing_is_compact_utf8() -> None:
    assert write_json({"a": [1, 1.5, None, True], "é": "€\U0001f600\n"}) == (
        '{"a":[1,1.5,null,true],"é":"€\U0001f600\\n"}'.encode()
    )


@pytest.mark.parametrize("value", [math.nan, [math.inf], {"a": "\ud800"}])
def test_writing_refuses_what_could_not_be_read(value: JSON) -> None:
    with pytest.raises(ValueError):
        write_json(value)


def test_pointers_escape_their_parts() -> None:
    assert pointer(()) == ""
    assert pointer(("a", 0, "b/c", "d~e", "")) == "/a/0/b~1c/d~0e/"
    assert nearest_pointer(("aaa", "bbb"), longest=8) == "/aaa/bbb"
    assert nearest_pointer(("aaa", "bbb"), longest=7) == "/aaa"


@given(DOCUMENTS)
def test_what_was_written_reads_back_equal(value: Any) -> None:
    check_value(value)
    body = write_json(value)
    assert read_json(body) == value
    assert write_json(read_json(body)) == body


@given(DOCUMENTS)
def test_escaped_spelling_reads_the_same(value: Any) -> None:
    assert read_json(json.dumps(value).encode()) == value


@given(st.one_of(st.binary(), st.text(alphabet='[]{}",:\\u0dD8eE+-.19aNI\ud800\0')))
def test_any_input_is_read_or_refused_and_what_is_read_can_be_written(body: bytes | str) -> None:
    refusal = None
    try:
        value = read_json(body)
    except BadRequest as error:
        refusal = error
    if refusal is None:
        check_value(value)
        assert read_json(write_json(value)) == value
    else:
        assert len(refusal.message.encode()) < 2000
        assert len(refusal.message) < 500
        assert refusal.details
