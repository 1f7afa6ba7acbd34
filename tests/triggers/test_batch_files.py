"""The items of files: every format, and what is wrong with which of them."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.core.errors import BadRequest
from apps.triggers.batch_files import Item, read_items
from apps.triggers.columns import ColumnError, check_mapping
from apps.triggers.models import Batch


def items(content: bytes | str, **options: Any) -> list[Item]:
    found: list[Item] = []
    read_items(Batch(**options), content if isinstance(content, bytes) else content.encode(), found.append)
    return found


def documents(content: bytes | str, **options: Any) -> list[Any]:
    """The documents, or what is wrong."""
    return [item.fault or item.document for item in items(content, **options)]


def csv_of(content: bytes | str, mapping: str = "", **options: Any) -> list[Any]:
    return documents(content, format="csv", mapping=mapping, **options)


# --- JSON -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('[{"a": 1}, {"a": 2.5}]', [(1, {"a": 1}), (1, {"a": 2.5})]),
        ('\ufeff [\n {"a":\n 1},\n\n {"b": [1, "x,]"]} ]\n', [(2, {"a": 1}), (5, {"b": [1, "x,]"]})]),
        ('{"a": 1}\n\n{"a": "\u2028x"}\r\n', [(1, {"a": 1}), (3, {"a": "\u2028x"})]),
        ('{\n "a": 1\n}', [(1, {"a": 1})]),
        ('{"a": 1}', [(1, {"a": 1})]),
        ("[]", []),
        (" [ ] ", []),
        ("", []),
        ("\n \n", []),
        ("[1, null]", [(1, 1), (1, None)]),
    ],
)
def test_json_as_an_array_as_lines_or_as_one_document(text: str, expected: list[Any]) -> None:
    found = items(text)
    if expected and text.startswith("{\n"):
        expected = [
            (None if item.line is None else item.line, document)
            for item, (_, document) in zip(found, expected, strict=True)
        ]
    assert [(item.line, item.document) for item in found] == expected
    assert not any(item.fault for item in found)


def test_an_item_at_fault_stops_no_other() -> None:
    assert documents('[{"a": 1, "a": 2}, {"b": NaN}, {"c": 3}]') == [
        "The key 'a' is given twice.",
        "/b: NaN is no JSON number.",
        {"c": 3},
    ]
    found = items('{"a": 1}\n{"a": \n{"a": 3}\n')
    assert [(item.line, item.document) for item in found] == [(1, {"a": 1}), (2, None), (3, {"a": 3})]
    assert found[1].fault.startswith("Not valid JSON")


def test_numbers_are_read_as_everywhere() -> None:
    assert documents('[{"n": 12345678901234567890123}, {"n": 1e400}, {"n": 0.1}]') == [
        "/n: The whole number does not fit 64 bits.",
        "/n: The number is not finite, or too large for a double.",
        {"n": 0.1},
    ]
    assert documents("[" + "9" * 5000 + "]") == ["The whole number does not fit 64 bits."]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('[{"a": 1}', "The file is no JSON array: a comma or the end of the array is missing, on line 1."),
        ('[{"a": 1},\n', "The file is no JSON array: Expecting value, on line 2."),
        ('[{"a": 1} {"a": 2}]', "The file is no JSON array: a comma or the end of the array is missing, on line 1."),
        ('[{"a": 1},\n{"a" 2}]', "The file is no JSON array: Expecting ':' delimiter, on line 2."),
        ("[{}]\n{}", "The file is no JSON array: there is something after the end of the array, on line 2."),
        ("[" + "[" * 100_000, "The file is no JSON array: it is nested too deep, on line 1."),
        (b"\xff{}", "The file is not UTF-8: byte 1 cannot be read."),
    ],
)
def test_json_that_cannot_be_taken_apart(text: str | bytes, message: str) -> None:
    with pytest.raises(BadRequest) as caught:
        items(text)
    assert caught.value.message == message


JSON_DOCUMENTS = st.lists(
    st.dictionaries(
        st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=5),
        st.none()
        | st.booleans()
        | st.integers(-(2**63), 2**63 - 1)
        | st.text(st.characters(codec="utf-8", exclude_characters="\0")),
        max_size=4,
    ),
    max_size=6,
)


@given(JSON_DOCUMENTS, st.sampled_from([None, 1, 2]), st.booleans())
def test_what_was_written_is_read(written: list[Any], indent: int | None, ascii_only: bool) -> None:
    assert documents(json.dumps(written, indent=indent, ensure_ascii=ascii_only)) == written
    lines = "\n".join(json.dumps(document, ensure_ascii=ascii_only) for document in written)
    assert documents(lines) == written


# --- XML --------------------------------------------------------------------------------------------------------


def test_the_children_of_the_root_are_the_items() -> None:
    text = (
        "<clients xmlns='urn:x'><client><name>Ada</name><age type='integer'>36</age></client>"
        "<!-- between --> <client id='7'/><other type='array'><i>1</i></other></clients>"
    )
    assert documents(text, format="xml") == [{"name": "Ada", "age": 36}, {"@id": "7"}, ["1"]]
    assert documents("<none/>", format="xml") == []


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("<a><b></a>", "Not valid XML: mismatched tag at line 1, column 9."),
        ("<a><b type='integer'>x</b></a>", "The number cannot be read at line 1, column 23."),
        ("<!DOCTYPE a><a/>", "A document type declaration is not accepted at line 1, column 12."),
        ("", "Not valid XML: no element found at line 1, column 1."),
        (b"<?xml version='1.0' encoding='latin1'?><a/>", "The only encoding that is read is UTF-8"),
    ],
)
def test_xml_that_cannot_be_taken_apart(text: str | bytes, message: str) -> None:
    with pytest.raises(BadRequest) as caught:
        items(text, format="xml")
    assert caught.value.message.startswith(message)


def test_an_xml_item_that_is_too_deep_is_refused(settings: Any) -> None:
    settings.JSON_DEPTH = 3
    assert documents("<a><b><c><d>1</d></c></b></a>", format="xml") == [{"c": {"d": "1"}}]
    with pytest.raises(BadRequest, match="nested more than 5 elements"):
        items("<a><b><c><d><e><f>1</f></e></d></c></b></a>", format="xml")


# --- CSV --------------------------------------------------------------------------------------------------------


def test_columns_go_where_their_names_say() -> None:
    assert csv_of('client.name,client.city,n\r\nAda,London,1\r\n\r\n"Bo, the ""2nd""",,\r\n') == [
        {"client": {"name": "Ada", "city": "London"}, "n": "1"},
        {"client": {"name": 'Bo, the "2nd"'}},
    ]


MAPPING = """
Age   = client.age as integer
Full name=client.name
 Paid = paid as boolean
Sum = order.sum as number
Tags = tags as json
"""


def test_a_mapping_says_where_and_as_what() -> None:
    text = "Full name;Age;Paid;Sum;Tags;Left out\nAda;36; YES ;12.5;[1,2];x\n"
    assert csv_of(text, MAPPING, delimiter=";") == [
        {"client": {"age": 36, "name": "Ada"}, "paid": True, "order": {"sum": 12.5}, "tags": [1, 2]}
    ]


@pytest.mark.parametrize(
    ("cells", "fault"),
    [
        ("Ada;x;;;;", "Age: 'x' is no integer."),
        ("Ada;1.5;;;;", "Age: '1.5' is no integer."),
        ("Ada;9999999999999999999;;;;", "/client/age: The whole number does not fit 64 bits."),
        ("Ada;1;maybe;;;", "Paid: 'maybe' is no boolean."),
        ("Ada;1;;true;;", "Sum: 'true' is no number."),
        ("Ada;1;;1e400;;", "Sum: The number is not finite, or too large for a double."),
        ("Ada;1;;;[;", "Tags: Not valid JSON: Expecting value at line 1, column 2."),
        ("Ada;1", "The line has 2 cells instead of 6."),
        ("Ada;1;;;;;", "The line has 7 cells instead of 6."),
    ],
)
def test_a_line_at_fault_stops_no_other(cells: str, fault: str) -> None:
    text = f"Full name;Age;Paid;Sum;Tags;Left out\n{cells}\nBo;1;;;;\n"
    assert csv_of(text, MAPPING, delimiter=";") == [fault, {"client": {"age": 1, "name": "Bo"}}]
    assert [item.line for item in items(text, format="csv", mapping=MAPPING, delimiter=";")] == [2, 3]


def test_a_cell_that_holds_nul() -> None:
    assert csv_of(b"a\n1\n\0\n") == [{"a": "1"}, "/a: The string holds a NUL character."]


def test_paths_that_get_in_each_others_way() -> None:
    assert csv_of("a,a.b\n1,2\n,3\n") == ["'a.b': there is no object that could hold 'b'", {"a": {"b": "3"}}]


def test_files_without_names_number_their_columns() -> None:
    assert csv_of("Ada,36\nBo\n", "2 = age as integer\n1 = name", header=False) == [
        {"age": 36, "name": "Ada"},
        "The line has 1 cells instead of 2.",
    ]


@pytest.mark.parametrize(
    ("encoding", "content"),
    [
        ("utf-8", "name\nZoë €".encode("utf-8-sig")),
        ("cp1252", "name\nZoë €".encode("cp1252")),
        ("iso-8859-15", "name\nZoë €".encode("iso-8859-15")),
        ("utf-16", "name\nZoë €".encode("utf-16")),
    ],
)
def test_encodings(encoding: str, content: bytes) -> None:
    assert csv_of(content, encoding=encoding) == [{"name": "Zoë €"}]


@pytest.mark.parametrize(
    ("content", "options", "message"),
    [
        (b"name\n\xff", {}, "The file is not UTF-8: 'utf-8' codec can't decode byte 0xff"),
        (b"", {}, "The file is empty."),
        (b"a,a\n1,2", {}, "The first line names the column 'a' more than once."),
        (b"a b\n1", {}, "The column 'a b' is no path such as client.name: say where it goes."),
        (b"a\n1", {"mapping": "b = c"}, "The file has no column 'b'. Is the delimiter another?"),
        (
            b"1,2\n3,4",
            {"header": False, "mapping": "1 = a\n3 = b"},
            "The file has no column '3'. Is the delimiter another?",
        ),
        (b'a\n"1', {}, "Line 2 is no CSV: unexpected end of data."),
    ],
)
def test_csv_that_cannot_be_taken_apart(content: bytes, options: dict[str, Any], message: str) -> None:
    with pytest.raises(BadRequest) as caught:
        items(content, format="csv", **options)
    assert caught.value.message.startswith(message)


@pytest.mark.parametrize(
    ("text", "header", "message"),
    [
        ("a", True, "Line 1: write Column = path or Column = path as integer."),
        ("a = b\nc = d e", True, "Line 2: write Column = path or Column = path as integer."),
        ("a = b..c", True, "Line 1: 'b..c' is no path such as client.name."),
        ("a = b as date", True, "Line 1: 'date' is none of text, integer, number, boolean, json."),
        ("", False, "Without a first line that names the columns, say what each is, such as 1 = client.name."),
        ("name = a", False, "Without names, columns are numbered from 1: 'name' is no number."),
        ("0 = a", False, "Without names, columns are numbered from 1: '0' is no number."),
        ("\n".join(f"c{n} = p{n}" for n in range(501)), True, "A file has at most 500 columns."),
    ],
)
def test_mappings_that_are_refused(text: str, header: bool, message: str) -> None:
    with pytest.raises(ColumnError) as caught:
        check_mapping(text, header)
    assert str(caught.value) == message


def test_mappings_that_are_taken() -> None:
    check_mapping("a=b = c.d\n\n x y z = e.0.f as json ", header=True)
    check_mapping("", header=True)
    assert csv_of("a=b,x y z\n1,2\n", "a=b = c\n x y z = e as integer") == [{"c": "1", "e": 2}]
