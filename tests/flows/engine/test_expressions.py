import ast
import threading
import warnings
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from apps.flows.engine.expressions import ExpressionError, compile_expression

SCOPE: dict[str, Any] = {
    "client": {"country": "NL", "age": 20, "vip": True, "tags": ["a", "b"], "first-name": "Ann", "__class__": "plain"},
    "rows": [{"n": 1}, {"n": 2}],
    "text": "Groningen",
    "nothing": None,
    "one": 1,
    "max64": 2**63 - 1,
}


def evaluate(text: str, scope: dict[str, Any] = SCOPE) -> Any:
    return compile_expression(text).evaluate(scope)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("client.country == 'NL' and client.age >= 18", True),
        ("client.country == 'BE' or client.age", 20),
        ("'' or 'other'", "other"),
        ("0 and missing.key", 0),
        ("not client.vip", False),
        ("18 <= client.age < 21", True),
        ("18 <= client.age < 20", False),
        ("'a' in client.tags", True),
        ("'c' not in client.tags", True),
        ("'ron' in text", True),
        ("'vip' in client", True),
        ("1 in nothing", False),
        ("2 in 'a2'", False),
        ("1 + 2 * 3 - 4", 3),
        ("7 / 2", 3.5),
        ("7 // 2", 3),
        ("-7 % 3", 2),
        ("'a' + 'b'", "ab"),
        ("[1] + [2]", [1, 2]),
        ("-one", -1),
        ("+one", 1),
        ("'yes' if client.vip else 'no'", "yes"),
        ("'yes' if nothing else 'no'", "no"),
        ("[one, 'x', [true, null]]", [1, "x", [True, None]]),
        ("client['first-name']", "Ann"),
        ("client.__class__", "plain"),
        ("rows[1].n", 2),
        ("rows[-1]['n']", 2),
        ("rows[5].n", None),
        ("rows['n']", None),
        ("rows[true]", None),
        ("client[0]", None),
        ("text[0]", "G"),
        ("missing.path[3].deep", None),
        ("text.upper", None),
        ("one.real", None),
        ("True == true and False == false and None == null", True),
        ("1.5e3", 1500.0),
        ("'it''s'", "its"),
        ("(one\n  + one)\n", 2),
        ("one\r\n + one", 2),
        ("  one  # the first\n + one # the second", 2),
        ("'\\d'", "\\d"),
    ],
)
def test_an_expression_has_its_value(text: str, value: Any) -> None:
    result = evaluate(text)
    assert result == value
    assert type(result) is type(value)


@pytest.mark.parametrize(
    "text", ["nothing < 3", "nothing >= nothing", "'a' < 1", "1 > 'a'", "true > 0", "[1] < [2]", "client < client"]
)
def test_ordering_values_of_different_kinds_is_false(text: str) -> None:
    assert evaluate(text) is False


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("true == 1", False),
        ("false != 0", True),
        ("1 == 1.0", True),
        ("'1' == 1", False),
        ("[true] == [1]", False),
        ("[[1, 'a']] == [[1, 'a']]", True),
        ("client == client", True),
        ("rows[0] == rows[1]", False),
        ("1 in [true]", False),
    ],
)
def test_equality_is_that_of_json(text: str, value: bool) -> None:
    assert evaluate(text) is value


@pytest.mark.parametrize(
    ("text", "message", "position"),
    [
        ("", "empty", 1),
        (" \n ", "empty", 1),
        ("# only a comment", "not one expression: check the brackets and commas", 1),
        ("1, 2", "not one expression: check the brackets and commas", 1),
        ("one) + (one", "not one expression: check the brackets and commas", 1),
        ("one) if (one) else (one", "not one expression: check the brackets and commas", 1),
        ("one ** 2", "Pow is not part of the language", 1),
        ("one + (9 ** 9)", "Pow is not part of the language", 8),
        ("é + 'ü' + f'{one}'", "JoinedStr is not part of the language", 11),
        ("one +\n lambda: 1", "not an expression: invalid syntax", 8),
        ("[\none,\n {1}]", "Set is not part of the language", 9),
        ("{'a': 1}", "Dict is not part of the language", 1),
        ("[x for x in rows]", "ListComp is not part of the language", 1),
        ("(x for x in rows)", "GeneratorExp is not part of the language", 1),
        ("lambda: 1", "Lambda is not part of the language", 1),
        ("(x := 1)", "NamedExpr is not part of the language", 2),
        ("rows[0:1]", "a range is not part of the language", 6),
        ("one is null", "use == and != instead of is", 1),
        ("one & 2", "BitAnd is not part of the language", 1),
        ("~one", "Invert is not part of the language", 1),
        ("1j", "a value of type complex is not part of the language", 1),
        ("b'x'", "a value of type bytes is not part of the language", 1),
        ("...", "a value of type ellipsis is not part of the language", 1),
        ("1e999", "a number that is not finite is not part of the language", 1),
        ("9223372036854775808", "an integer beyond 64 bit is not part of the language", 1),
        ("'\\x00'", "a NUL character is not part of the language", 1),
        ("'\\ud800'", "a lone surrogate is not part of the language", 1),
        ("text.upper()", "only the functions of the language can be called", 1),
        ("one + open('x')", "only the functions of the language can be called", 7),
        ("len()", "wrong number of arguments: len(x): length of a text, list or object; 0 for null", 1),
        ("len(x=1)", "len() takes plain arguments only", 1),
        ("len(*rows)", "len() takes plain arguments only", 1),
        ("a\0b", "contains a NUL character", 1),
        ("'\ud800'", "contains a lone surrogate", 1),
        ("1 + " * 500 + "1", "longer than 2,000 characters", 2001),
    ],
)
def test_what_is_not_in_the_language_is_refused_with_its_place(text: str, message: str, position: int) -> None:
    with pytest.raises(ExpressionError) as caught:
        compile_expression(text)
    assert (caught.value.message, caught.value.position) == (message, position)
    assert str(caught.value) == f"{message} (character {position})"


@pytest.mark.parametrize(
    ("text", "position"),
    [("(one", 1), ("one)", 4), ("one +", 5), ("client.class", 8), ("client\n .class", 10), ("'open", 1)],
)
def test_wrong_syntax_is_refused_with_its_place(text: str, position: int) -> None:
    with pytest.raises(ExpressionError, match=r"^not an expression: ") as caught:
        compile_expression(text)
    assert caught.value.position == position


@pytest.mark.parametrize("text", ["-" * 51 + "1", "[" * 51 + "]" * 51, "a" + ".b" * 60, "+".join(["1"] * 60)])
def test_deep_nesting_is_refused(text: str) -> None:
    with pytest.raises(ExpressionError, match="nested more than 50 deep"):
        compile_expression(text)


@pytest.mark.parametrize(
    "text", ["(" * 900 + "1" + ")" * 900, "-" * 1999 + "1", "[" * 990 + "]" * 990, "not " * 499 + "1"]
)
def test_nesting_beyond_the_parser_is_refused(text: str) -> None:
    with pytest.raises(ExpressionError):
        compile_expression(text)


def test_fifty_levels_are_allowed() -> None:
    assert evaluate("-" * 49 + "1") == -1


@pytest.mark.parametrize(
    ("text", "message", "position"),
    [
        ("one + nothing", "+ needs two numbers, two texts or two lists, not number and null", 1),
        ("one == one and one - text", "- needs two numbers, not number and text", 16),
        ("'a' * 1000000000", "* needs two numbers, not text and number", 1),
        ("'%d' % 1", "% needs two numbers, not text and number", 1),
        ("true + 1", "+ needs two numbers, two texts or two lists, not boolean and number", 1),
        ("-text", "- needs a number, not text", 1),
        ("+rows", "+ needs a number, not list", 1),
        ("1 / 0", "division by zero", 1),
        ("1 // 0", "division by zero", 1),
        ("1 % 0", "division by zero", 1),
        ("max64 + 1", "the result is an integer beyond 64 bit", 1),
        ("max64 * max64", "the result is an integer beyond 64 bit", 1),
        ("1e300 * 1e300", "the result is a number that is not finite", 1),
        ("1e300 * 1e300 - 1e300 * 1e300", "the result is a number that is not finite", 1),
        ("1 in one", "only text, lists and objects contain something, not number", 1),
        ("0 < one in true", "only text, lists and objects contain something, not boolean", 1),
        ("one + len(one)", "len(): needs text, a list or an object, not number", 7),
    ],
)
def test_what_cannot_be_calculated_fails_with_its_place(text: str, message: str, position: int) -> None:
    expression = compile_expression(text)
    with pytest.raises(ExpressionError) as caught:
        expression.evaluate(SCOPE)
    assert (caught.value.message, caught.value.position) == (message, position)


@pytest.mark.parametrize(
    ("text", "scope"),
    [
        ("a + a", {"a": "x" * 50_001}),
        ("a + a", {"a": [0] * 5_001}),
        ("replace(a, 'x', a)", {"a": "x" * 90_000}),
        ("join(a, b)", {"a": [""] * 10_000, "b": "x" * 11}),
        ("split(a, ',')", {"a": "," * 10_000}),
        ("upper(a)", {"a": "x" * 100_001}),
        ("upper(a)", {"a": "ß" * 60_000}),
        ("urlencode(a)", {"a": " " * 40_000}),
    ],
)
def test_a_result_too_large_is_refused(text: str, scope: dict[str, Any]) -> None:
    with pytest.raises(ExpressionError, match="longer than 1"):
        evaluate(text, scope)


def test_names_are_the_roots_an_expression_reads() -> None:
    expression = compile_expression("client.age > limits[kind] and true or len(rows)")
    assert expression.names == {"client", "limits", "kind", "rows"}


def test_a_scope_is_not_changed_by_evaluating() -> None:
    scope = {"a": [1]}
    assert compile_expression("a + [2]").evaluate(scope) == [1, 2]
    assert scope == {"a": [1]}


def test_compiling_in_many_threads_leaves_the_warning_filters_alone() -> None:
    before = list(warnings.filters)
    threads = [threading.Thread(target=lambda: [compile_expression("'\\d' + a") for _ in range(50)]) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert warnings.filters == before


WORDS = (
    "client rows text nothing len replace int sum and or not in if else is lambda: for 0 1 1e308 9999999999999999999"
)
SIGNS = ". .n [ ] ( ) , + - * ** // / % == < := { } # ' \" \\ f' é 😀"
ALPHABET = st.sampled_from([*WORDS.split(), *SIGNS.split(), " ", "\n", "\r", "\t", "\ud800", "\0"])


@given(st.one_of(st.text(max_size=200), st.lists(ALPHABET, max_size=30).map("".join)))
@settings(max_examples=400, deadline=None)
@example("(" * 300)
@example("\\\n1")
@example("1\x0c+1")
def test_any_text_gives_a_value_or_an_expression_error(text: str) -> None:
    position = 1
    try:
        compile_expression(text).evaluate(SCOPE)
    except ExpressionError as error:
        position = error.position
    assert 1 <= position <= max(len(text), 1)


def _nodes(children: st.SearchStrategy[ast.expr]) -> st.SearchStrategy[ast.expr]:
    several = st.lists(children, min_size=1, max_size=3)
    functions = st.sampled_from(
        ["len", "replace", "join", "split", "sum", "max", "int", "round", "str", "date", "exec"]
    )
    return st.one_of(
        st.builds(lambda o, v: ast.BoolOp(o, v), st.sampled_from([ast.And(), ast.Or()]), several.map(lambda v: v * 2)),
        st.builds(ast.UnaryOp, st.sampled_from([ast.Not(), ast.USub(), ast.UAdd(), ast.Invert()]), children),
        st.builds(
            ast.BinOp,
            children,
            st.sampled_from([ast.Add(), ast.Sub(), ast.Mult(), ast.Div(), ast.FloorDiv(), ast.Mod(), ast.Pow()]),
            children,
        ),
        st.builds(
            lambda left, op, right: ast.Compare(left, [op], [right]),
            children,
            st.sampled_from([ast.Eq(), ast.NotEq(), ast.Lt(), ast.GtE(), ast.In(), ast.NotIn(), ast.Is()]),
            children,
        ),
        st.builds(ast.IfExp, children, children, children),
        st.builds(lambda f, a: ast.Call(ast.Name(f), a, []), functions, several),
        st.builds(lambda v: ast.List(v), several),
        st.builds(ast.Subscript, children, children),
        st.builds(lambda v, k: ast.Attribute(v, k), children, st.sampled_from(["n", "age", "tags", "__class__"])),
        st.builds(lambda v: ast.Lambda(ast.arguments([], [], None, [], [], None, []), v), children),
    )


TREES = st.recursive(
    st.one_of(
        st.builds(ast.Constant, st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=5))),
        st.builds(ast.Name, st.sampled_from([*SCOPE, "missing"])),
    ),
    _nodes,
    max_leaves=12,
)


@given(TREES)
@settings(max_examples=400, deadline=None)
def test_any_tree_gives_a_json_value_or_an_expression_error(tree: ast.expr) -> None:
    text = ast.unparse(ast.fix_missing_locations(ast.Expression(tree)))
    try:
        value = compile_expression(text).evaluate(SCOPE)
    except ExpressionError:
        return
    assert value is None or isinstance(value, bool | int | float | str | list | dict)
