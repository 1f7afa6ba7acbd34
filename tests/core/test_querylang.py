"""The tree of a search, and the place of everything that is none."""

from typing import Any

import pytest

from apps.core.errors import BadRequest
from apps.core.querylang import EVERYTHING, Group, Rule, fold, parse_where

OPERATORS = {"=": "=", "<>": "!=", "!=": "!=", "like": "like", "between": "between", "in": "in", "is_empty": "is_empty"}


def rule(value: Any = 1, operator: Any = "=", field: Any = "age") -> dict[str, Any]:
    return {"field": field, "operator": operator, "value": value}


def test_a_nested_search() -> None:
    where = {"condition": "or", "rules": [rule(), {"rules": [rule("a%", "LIKE", "name"), rule("", "<>", "name")]}]}
    assert parse_where(where, OPERATORS) == Group(
        "OR",
        (
            Rule("age", "=", 1, "/where/rules/0"),
            Group(
                "AND",
                (
                    Rule("name", "like", "a%", "/where/rules/1/rules/0"),
                    Rule("name", "!=", "", "/where/rules/1/rules/1"),
                ),
            ),
        ),
    )


@pytest.mark.parametrize("where", [None, {}, {"rules": []}, {"condition": None, "rules": []}, {"condition": "and"}])
def test_searches_for_everything(where: Any) -> None:
    assert parse_where(where, OPERATORS) == EVERYTHING


@pytest.mark.parametrize(
    ("operator", "value", "read"),
    [
        ("between", [1, 2], (1, 2)),
        ("between", "1, 2", ("1", "2")),
        ("in", "a, b,c", ("a", "b", "c")),
        ("in", [], ()),
        ("in", 5, (5,)),
        ("is_empty", [1], None),
        ("=", None, None),
    ],
)
def test_values_by_operator(operator: str, value: Any, read: Any) -> None:
    (member,) = parse_where({"rules": [rule(value, operator)]}, OPERATORS).members
    assert isinstance(member, Rule)
    assert member.value == read


def nested(depth: int) -> dict[str, Any]:
    return {"rules": [nested(depth - 1)]} if depth else {"rules": []}


@pytest.mark.parametrize(
    ("where", "place"),
    [
        ([], "/where"),
        ("x", "/where"),
        ({"condition": "XOR"}, "/where/condition"),
        ({"condition": 1}, "/where/condition"),
        ({"rules": {}}, "/where/rules"),
        ({"rules": [1]}, "/where/rules/0"),
        ({"rules": [rule(field="")]}, "/where/rules/0/field"),
        ({"rules": [rule(field=["a"])]}, "/where/rules/0/field"),
        ({"rules": [rule(operator="~")]}, "/where/rules/0/operator"),
        ({"rules": [rule(operator=None)]}, "/where/rules/0/operator"),
        ({"rules": [{"field": "age", "operator": "="}]}, "/where/rules/0/value"),
        ({"rules": [rule({"a": 1})]}, "/where/rules/0/value"),
        ({"rules": [rule([1], "between")]}, "/where/rules/0/value"),
        ({"rules": [rule([1, [2]], "in")]}, "/where/rules/0/value/1"),
        ({"rules": [rule(list(range(1001)), "in")]}, "/where/rules/0/value"),
        ({"rules": [rule()] * 101}, "/where/rules/100"),
        (nested(10), "/where" + "/rules/0" * 10),
    ],
)
def test_the_place_of_a_fault_is_named(where: Any, place: str) -> None:
    with pytest.raises(BadRequest) as refused:
        parse_where(where, OPERATORS)
    assert [detail.path for detail in refused.value.details] == [place]
    assert refused.value.message.startswith(f"{place}: ")


def test_a_tree_is_compiled_from_its_leaves() -> None:
    tree = parse_where({"condition": "OR", "rules": [rule(), {"rules": [rule(2), rule(3)]}]}, OPERATORS)
    text = fold(
        tree, lambda leaf: f"{leaf.field}{leaf.operator}{leaf.value}", lambda word, parts: f"({word.join(parts)})"
    )
    assert text == "(age=1OR(age=2ANDage=3))"
