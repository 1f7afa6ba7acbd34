"""Rows in and out as CSV files."""

from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from apps.core.errors import BadRequest, MissingScope
from apps.tables import services, transfer
from apps.tables.models import Table
from apps.tables.spreadsheets import Format, defuse, guess_delimiter, restore
from tests.conftest import Tenant
from tests.tables.conftest import make_table

COMMA, NO_HEADER = Format(), Format(header=False)


def load(tenant: Tenant, text: str | bytes, layout: Format = COMMA, table: str = "people") -> int:
    return transfer.import_rows(tenant.caller, table, text if isinstance(text, bytes) else text.encode(), layout)


def stored(tenant: Tenant, table: str = "people") -> list[dict[str, Any]]:
    return [row.values for row in services.search_rows(tenant.caller, table).rows]


def test_a_file_with_a_header(acme: Tenant, people: Table) -> None:
    text = '\ufeffage,username,extra,balance\r\n5,"Zoë, ""Z""\nB","{""a"": [1]}",1.50\r\n\r\n,,,\r\n7,x,,\r\n'
    assert load(acme, text) == 2
    first, second = stored(acme)
    assert (first["age"], first["username"], first["extra"], str(first["balance"])) == (
        5,
        'Zoë, "Z"\nB',
        '{"a": [1]}',
        "1.5",
    )
    assert (second["age"], second["username"], second["extra"], second["balance"]) == (7, "x", None, None)


def test_a_file_without_a_header_fills_the_columns_in_their_order(acme: Tenant) -> None:
    make_table(acme, "pairs", a="text", b="integer")
    assert load(acme, "x;1\ny;2", Format("semicolon", header=False), "pairs") == 2
    assert stored(acme, "pairs") == [{"a": "x", "b": 1}, {"a": "y", "b": 2}]


def test_columns_the_file_does_not_have_get_their_defaults(acme: Tenant) -> None:
    make_table(acme, "t", a="text", b={"kind": "integer", "default": "7"}, c={"kind": "json", "default": "[1]"})
    load(acme, "a\nx\n", table="t")
    assert stored(acme, "t") == [{"a": "x", "b": 7, "c": "[1]"}]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "The file is empty."),
        ("\n\n", "The file is empty."),
        ("age\n", "The file holds no rows."),
        ("age,nope\n1,2\n", "The table has no column 'nope'. Is the first line no header, or the delimiter another?"),
        ("age,age\n1,2\n", "The first line names 'age' more than once."),
        ("id,date_created\n1,2\n", "The file names no column of the table."),
        (b"age\n\xff\n", "The file is not UTF-8: save it as CSV UTF-8."),
        ('age\n"1"x\n', "Line 2 is no CSV: ',' expected after '\"'."),
        ('age\n"1\n', "Line 2 is no CSV: unexpected end of data."),
        ("age\n1\nx\n", "Nothing was imported. line 3, age: Must be a whole number of 64 bits."),
        ("age,born\n1,2026-01-01\n1\n", "Nothing was imported. line 3: The line has 1 cells instead of 2."),
        (
            "username\na\0b\n",
            "Nothing was imported. line 2, username: Must be a text without NUL characters and lone surrogates.",
        ),
    ],
)
def test_files_that_are_refused(acme: Tenant, people: Table, text: str | bytes, message: str) -> None:
    with pytest.raises(BadRequest) as caught:
        load(acme, text)
    assert caught.value.message == message
    assert stored(acme) == []


def test_the_first_faults_are_told_by_line_and_column(acme: Tenant, people: Table) -> None:
    text = "age,born\n" + "".join(f"{n},no\n" for n in range(30))
    with pytest.raises(BadRequest) as caught:
        load(acme, text)
    assert [detail.path for detail in caught.value.details] == [f"line {n}, born" for n in range(2, 22)]
    assert stored(acme) == []


def test_required_columns(acme: Tenant) -> None:
    make_table(acme, "t", a={"required": True}, b="integer")
    with pytest.raises(BadRequest, match="lacks the column 'a', which is required"):
        load(acme, "b\n1\n", table="t")
    with pytest.raises(BadRequest, match="line 2, a: Must be given"):
        load(acme, "a,b\n,1\n", table="t")


def test_a_preview_marks_what_cannot_be_stored(acme: Tenant, people: Table) -> None:
    text = "id,age,born\n9,1,no\n9,x\n" + "9,1,\n" * 30
    shown = transfer.preview(acme.caller, "people", text.encode(), COMMA)
    assert (shown.columns, shown.ignored, len(shown.lines), shown.faults) == (["age", "born"], ["id"], 20, 3)
    assert [(number, [(cell.text, bool(cell.fault)) for cell in cells]) for number, cells in shown.lines[:3]] == [
        (2, [("1", False), ("no", True)]),
        (3, [("x", True), ("", True)]),
        (4, [("1", False), ("", False)]),
    ]
    assert stored(acme) == []


def test_a_hundred_thousand_rows(acme: Tenant, people: Table) -> None:
    text = "username,age,balance\n" + "".join(f"user {n},{n},{n}.25\n" for n in range(100_000))
    assert load(acme, text) == 100_000
    assert (
        services.search_rows(
            acme.caller, "people", where={"rules": [{"field": "age", "operator": ">=", "value": 99_999}]}
        ).matches
        == 1
    )
    pieces = list(transfer.export_rows(acme.caller, "people", COMMA))
    assert len(pieces) > 100
    assert "".join(pieces).count("\r\n") == 100_001


def test_rights(acme: Tenant, people: Table) -> None:
    nobody = replace(acme.caller, scopes=frozenset({"tables.read"}))
    for act in (transfer.preview, transfer.import_rows):
        with pytest.raises(MissingScope):
            act(nobody, "people", b"age\n1\n", COMMA)
    with pytest.raises(MissingScope):
        transfer.export_rows(replace(acme.caller, scopes=frozenset()), "people", COMMA)


DANGEROUS = ["=HYPERLINK(1)", "+1", "-2+3", "@SUM(A1)", "\tx", "\rx", "\nx", "'=1", "''+x", "'"]


def test_no_cell_of_an_export_is_a_formula(acme: Tenant) -> None:
    make_table(acme, "t", **{"=cmd": "text"}, n="integer", j="json")
    for text in DANGEROUS:
        services.insert_row(acme.caller, "t", {"=cmd": text, "n": -5, "j": -5})
    lines = "".join(transfer.export_rows(acme.caller, "t", Format("semicolon"))).split("\r\n")
    assert lines[0] == "id;date_created;date_updated;'=cmd;n;j"
    assert lines[1].endswith(";'=HYPERLINK(1);-5;'-5")
    make_table(acme, "copy", **{"=cmd": "text"}, n="integer", j="json")
    content = "".join(transfer.export_rows(acme.caller, "t", Format("tab")))
    assert load(acme, content, Format("tab"), "copy") == len(DANGEROUS)
    assert stored(acme, "copy") == stored(acme, "t")


@given(st.text("'=+-@\t\r\nab", max_size=6))
def test_defusing_can_be_undone_and_leaves_nothing_dangerous(text: str) -> None:
    assert restore(defuse(text)) == text
    assert not defuse(text).startswith(("=", "+", "-", "@", "\t", "\r", "\n"))


@pytest.mark.parametrize(
    ("content", "delimiter"),
    [
        (b"a,b;c,d", "comma"),
        (b"a;b;c,d\n,,,,", "semicolon"),
        (b"\xef\xbb\xbfa\tb", "tab"),
        (b'"a,b,c"|d', "bar"),
        (b"a", "comma"),
        (b"", "comma"),
    ],
)
def test_the_delimiter_is_guessed_from_the_first_line(content: bytes, delimiter: str) -> None:
    assert guess_delimiter(content) == delimiter


@pytest.mark.django_db
def test_what_is_exported_is_imported_as_it_was(acme: Tenant) -> None:
    kinds = {"a": "text", "b": "integer", "c": "decimal", "d": "boolean", "e": "date", "f": "datetime", "g": "json"}
    make_table(acme, "from", **kinds)
    rows = st.fixed_dictionaries(
        {
            "a": st.none() | st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), min_size=1),
            "b": st.none() | st.integers(-(2**63), 2**63 - 1),
            "c": st.none() | st.decimals(-(10**9), 10**9, places=6).map(str),
            "d": st.none() | st.booleans(),
            "e": st.none() | st.dates().map(str),
            "f": st.none() | st.datetimes(datetime(3, 1, 1), datetime(9998, 1, 1)).map(str),
            "g": st.none() | st.lists(st.integers(-9, 9) | st.text("=a\"',;", max_size=3), max_size=3),
        }
    )

    @settings(max_examples=150, suppress_health_check=list(HealthCheck))
    @given(rows, st.sampled_from(["comma", "semicolon", "tab", "bar"]))
    def agree(row: dict[str, Any], delimiter: str) -> None:
        if all(value is None for value in row.values()):
            return
        services.insert_row(acme.caller, "from", row)
        content = "".join(transfer.export_rows(acme.caller, "from", Format(delimiter)))
        assert load(acme, content, Format(delimiter), "from") == 1
        (first, again) = services.search_rows(acme.caller, "from").rows
        assert first.values == again.values
        for row_id in (first.id, again.id):
            services.delete_row(acme.caller, "from", row_id)

    agree()
