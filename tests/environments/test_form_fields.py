"""Fields of forms as documents."""

import json
import re
from pathlib import Path

import pytest

from apps.core.errors import BadRequest
from apps.environments.form_fields import read_fields


@pytest.mark.parametrize(
    ("fields", "document"),
    [
        ([], {}),
        ([("name", "Ada"), ("empty", "")], {"name": "Ada", "empty": ""}),
        ([("a", "1"), ("a", "2"), ("a", "3")], {"a": ["1", "2", "3"]}),
        ([("a[b][c]", "1"), ("a[b][d]", "2")], {"a": {"b": {"c": "1", "d": "2"}}}),
        ([("a[]", "1"), ("a[]", "2")], {"a": ["1", "2"]}),
        ([("a[]", "1")], {"a": ["1"]}),
        ([("a[1][n]", "y"), ("a[0][n]", "x"), ("a[0][m]", "z")], {"a": [{"n": "x", "m": "z"}, {"n": "y"}]}),
        ([("a[1]", "x"), ("a[]", "y"), ("a[][n]", "z")], {"a": ["x", "y", {"n": "z"}]}),
        ([("a[10]", "ten"), ("a[9]", "nine")], {"a": ["nine", "ten"]}),
        ([("a[0]", "x"), ("a[b]", "y")], {"a": {"0": "x", "b": "y"}}),
        (
            [("n:number", "34"), ("m:number", " 1.5 "), ("o:number", ""), ("p:number", "-2")],
            {"n": 34, "m": 1.5, "o": None, "p": -2},
        ),
        ([("t:boolean", "on"), ("f:boolean", ""), ("g:boolean", "FALSE")], {"t": True, "f": False, "g": False}),
        ([("a[b][]:number", "1"), ("a[b][]:number", "2")], {"a": {"b": [1, 2]}}),
        ([("n:number", "1"), ("n:number", "2")], {"n": [1, 2]}),
        (
            [("a:other", "1"), ("a[", "2"), ("]", "3"), ("a[b]c", "4"), ("[x]", "5")],
            {"a:other": "1", "a[": "2", "]": "3", "a[b]c": "4", "[x]": "5"},
        ),
        ([("", "x")], {"": "x"}),
        ([("text", "one\r\ntwo")], {"text": "one\ntwo"}),
        ([("0", "x"), ("1", "y")], {"0": "x", "1": "y"}),
        ([("__proto__[a]", "x"), ("a[__class__]", "y")], {"__proto__": {"a": "x"}, "a": {"__class__": "y"}}),
    ],
)
def test_documents(fields: list[tuple[str, str]], document: dict) -> None:
    assert read_fields(fields) == document


@pytest.mark.parametrize(
    ("fields", "path"),
    [
        ([("n:number", "many")], "n:number"),
        ([("n:number", "NaN")], "n:number"),
        ([("n:number", "1e999")], "n:number"),
        ([("n:number", "true")], "n:number"),
        ([("n:number", '"1"')], "n:number"),
        ([("n:number", "9" * 30)], "n:number"),
        ([("b:boolean", "perhaps")], "b:boolean"),
        ([("a", "1"), ("a[b]", "2")], "a[b]"),
        ([("a[b]", "1"), ("a", "2")], "a"),
        ([("a[b][c]", "1"), ("a[b]", "2")], "a[b]"),
        ([("a" + "[b]" * 20, "1")], "a" + "[b]" * 20),
        ([("a", "x\0")], "/a"),
        ([("a\0b", "x")], None),
        ([("a" * 600, "x")], None),
    ],
)
def test_fields_that_cannot_be_read_are_named(fields: list[tuple[str, str]], path: str | None) -> None:
    with pytest.raises(BadRequest) as caught:
        read_fields(fields)
    if path is not None:
        assert [detail.path for detail in caught.value.details] == [path]


def test_a_thousand_fields_are_enough() -> None:
    fields = [(str(number), "") for number in range(1_000)]
    assert len(read_fields(fields)) == 1_000
    with pytest.raises(BadRequest, match="more than 1000 fields"):
        read_fields([*fields, ("more", "")])


def test_the_documented_form_gives_the_documented_document() -> None:
    page = (Path(__file__).resolve().parents[2] / "docs" / "contents.md").read_text()
    form = page.partition("```html\n")[2].partition("```")[0]
    document = page.partition("```json\n")[2].partition("```")[0]
    names = re.findall(r'name="([^"]+)"', form)
    sent = dict.fromkeys(names, "") | {"client[name]": "Ada", "client[age]:number": "36"}
    texts = {"client[accounts][]": ["one", "two"], "client[newsletter]:boolean": ["on"]}
    fields = [(name, text) for name in sent for text in texts.get(name, [sent[name]]) if name != "website"]

    assert names.count("client[accounts][]") == 2
    assert read_fields(fields) == json.loads(document)
