from typing import Any

import pytest

from apps.flows.engine.expressions import ExpressionError, compile_expression
from apps.flows.engine.functions import FUNCTIONS

USES: list[tuple[str, Any]] = [
    ("len('abc') + len([1]) + len(none) + len(o)", 6),
    ("lower('ÀB') + lower(none)", "àb"),
    ("upper('àb')", "ÀB"),
    ("strip('  a ')", "a"),
    ("int('12') + int(3.9) + int(' 4 ')", 19),
    ("float('1.5')", 1.5),
    ("str(1e20) + str(true) + str(none) + str(o)", '100000000000000000000true{"a":1,"b":2}'),
    ("[bool(''), bool([0])]", [False, True]),
    ("[round(2.5), round(3.14159, 2), round(7)]", [2, 3.14, 7]),
    ("abs(-3)", 3),
    ("[min([3, 1]), min('b', 'a'), min([])]", [1, "a", None]),
    ("[max(3, 1.5), max([])]", [3, None]),
    ("sum([1, 2.5]) + sum(1, 2) + sum(none)", 6.5),
    ("[contains('abc', 'b'), contains([1], 2), contains(o, 'a'), contains(none, 1)]", [True, False, True, False]),
    ("[starts_with('abc', 'ab'), starts_with(none, 'a')]", [True, False]),
    ("ends_with('abc', 'bc')", True),
    ("replace('a-b-c', '-', '')", "abc"),
    ("split('a,b', ',') + split(none, ',')", ["a", "b"]),
    ("join(['a', 1, none, true], ', ')", "a, 1, , true"),
    ("join(['a', 'b'])", "ab"),
    ("[default(none, 1), default('', 2), default(0, 3), default(false, 4)]", [1, 2, 0, False]),
    ("date('2026-02-28T23:30:00+01:00', 1)", "2026-03-01"),
    ("date('2026-03-01')", "2026-03-01"),
    ("timestamp('1970-01-02T00:00:00Z') + timestamp('1970-01-01')", 86400),
    ("timestamp('1970-01-01T00:00:00.5+00:00')", 0.5),
    ("urlencode('a b/ç&') + urlencode(1)", "a%20b%2F%C3%A7%261"),
]
SCOPE = {"none": None, "o": {"a": 1, "b": 2}}


@pytest.mark.parametrize(("text", "value"), USES)
def test_a_function_has_its_value(text: str, value: Any) -> None:
    assert compile_expression(text).evaluate(SCOPE) == value


def test_every_function_is_shown_by_a_use() -> None:
    text = " ".join(use for use, value in USES)
    assert [name for name in FUNCTIONS if f"{name}(" not in text] == []


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("max([none])", "max(): needs numbers only, or texts only"),
        ("min(1, 'a')", "min(): needs numbers only, or texts only"),
        ("max(3, true)", "max(): needs numbers only, or texts only"),
        ("sum('ab')", "sum(): needs a list, not text"),
        ("sum([true])", "sum(): needs a number, not boolean"),
        ("sum([1e308, 1e308])", "sum(): the result is a number that is not finite"),
        ("lower(1)", "lower(): needs text, not number"),
        ("int('x')", "int(): is no whole number"),
        ("int('" + "9" * 20 + "')", "int(): the result is an integer beyond 64 bit"),
        ("int(true)", "int(): needs a number or text, not boolean"),
        ("float(1 == 1)", "float(): needs a number or text, not boolean"),
        ("int(none)", "int(): needs a number or text, not null"),
        ("float('nan')", "float(): is no finite number"),
        ("float('1,5')", "float(): is no number"),
        ("round(1.5, 99)", "round(): takes 0 to 15 decimals"),
        ("round(1e300)", "round(): the result is an integer beyond 64 bit"),
        ("split('a', '')", "split(): needs a separator"),
        ("join([[1]])", "join(): joins texts, numbers, booleans and nulls only"),
        ("contains(1, 1)", "contains(): only text, lists and objects contain something, not number"),
        (
            "date('tomorrow')",
            "date(): needs a date in ISO 8601, like 2026-05-01 or 2026-05-01T09:00:00Z",
        ),
        ("date('2026-05-01', 1e18)", "date(): the result is beyond the calendar"),
        ("date('2026-05-01', 'x')", "date(): needs a number, not text"),
        ("timestamp(none)", "timestamp(): needs a date in ISO 8601, like 2026-05-01 or 2026-05-01T09:00:00Z"),
    ],
)
def test_a_function_refuses_what_it_cannot_use(text: str, message: str) -> None:
    with pytest.raises(ExpressionError) as caught:
        compile_expression(text).evaluate(SCOPE)
    assert caught.value.message == message
