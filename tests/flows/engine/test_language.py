"""The language under fire: mutated expressions, hostile templates, and a small model that must agree."""

import operator
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from apps.flows.engine.expressions import MAX_LENGTH, ExpressionError, compile_expression
from apps.flows.engine.operators import MAX_LIST, MAX_TEXT
from apps.flows.engine.templates import MAX_OUTPUT, TemplateError, compile_template
from apps.flows.engine.values import ValueRefused, measure

SCOPE: dict[str, Any] = {
    "client": {"age": 30, "name": "Ann", "tags": ["a", "b"], "first-name": "Ada"},
    "rows": [{"n": 1}, {"n": 2.5}, {"n": None}],
    "text": "x" * 200,
    "record": {"client": {"age": 30}, "rows": [1, 2, 3]},
    "vars": {"crm": {"status": 200, "body": {"id": 7}}},
    "system": {"now": "2026-05-01T08:00:00+00:00", "error": None},
    "keystore": lambda store, key: {"of": f"{store}/{key}", "list": [1, 2]},
    "static": lambda: {"vat": 21, "rates": [1, 2]},
}
VALID = [
    "client.age >= 18 and client.name in ['Ann', 'Bob']",
    "0 < client.age < 100 or not client.none",
    "rows[-1].n == null",
    "client[\"first-name\"] + '!'",
    "default(client.none, upper(client.name))",
    "sum(rows[0].n, rows[1].n, 3) / 2 - 1 % 3",
    "replace(text, 'x', 'yz')",
    "join(split('a,b,c', ','), ';')",
    "keystore.users[client.name].of if keystore.users.ann else static.vat",
    "keystore['a b']['c'].list[0] + static.rates[1]",
    "date(system.now, 3) > '2026-05-01'",
    "len(client.tags) * 3 // 2",
    "min(3, 4, -5) + abs(-7) + round(2.345, 2) + int('12') + float('1e3')",
    "contains(client.tags, 'a') != starts_with(client.name, 'A')",
    "[1, [2, 'three'], null, true][1][0]",
    "'a\\n\\u00e9' + \"b\"",
    "urlencode(str(vars.crm.body))",
]
PIECES = [
    *".,()[]{}'\"\\+-*/%<>=!:;@#$~`^&|\n\r\t 019aZ_é😀",
    "\0",
    "\ud800",
    "and",
    "keystore",
    "static",
    "if",
    "9" * 30,
]


@st.composite
def mutated(draw: Any) -> str:
    """A valid expression in which some characters were removed, replaced, doubled or put in."""
    text = draw(st.sampled_from(VALID))
    for _ in range(draw(st.integers(1, 6))):
        at = draw(st.integers(0, len(text)))
        match draw(st.integers(0, 3)):
            case 0:
                text = text[:at] + text[at + draw(st.integers(1, 4)) :]
            case 1:
                text = text[:at] + draw(st.sampled_from(PIECES)) + text[at + 1 :]
            case 2:
                text = text[:at] + draw(st.sampled_from(PIECES)) + text[at:]
            case _:
                text = text[:at] + text[max(0, at - draw(st.integers(1, 8))) :]
    return text


def within_limits(value: Any) -> None:
    """What the language promises of every value it computes."""
    assert value is None or isinstance(value, bool | int | float | str | list | dict)
    measure(value, 10 * MAX_TEXT)
    if isinstance(value, str):
        assert len(value) <= MAX_TEXT
    if isinstance(value, list):
        assert len(value) <= MAX_LIST


def fault_of(text: str) -> ExpressionError | None:
    """The one error an expression may give, after a look at the value when it gives none."""
    try:
        value = compile_expression(text).evaluate(SCOPE)
    except ExpressionError as error:
        return error
    within_limits(value)
    return None


@pytest.mark.parametrize("text", VALID)
def test_the_seeds_are_valid(text: str) -> None:
    within_limits(compile_expression(text).evaluate(SCOPE))


@given(mutated())
@settings(max_examples=600)
@example("keystore.a")
@example("keystore[1].b")
@example("keystore[static].b")
@example("keystore.a[keystore.b]")
@example("keystore . a . b")
@example("(keystore).a.b")
@example("keystore.a[0:1]")
def test_a_mutated_expression_gives_a_value_or_an_error_inside_it(text: str) -> None:
    fault = fault_of(text)
    assert fault is None or (1 <= fault.position <= max(len(text), 1) and len(fault.message) < 500)


@given(st.text(alphabet=st.sampled_from([*"()[]-+ not", "1", "a"]), min_size=1, max_size=MAX_LENGTH + 5))
@settings(max_examples=100)
@example("(" * (MAX_LENGTH // 2) + "1" + ")" * (MAX_LENGTH // 2))
@example("[" * 99 + "]" * 99)
@example("-" * MAX_LENGTH + "1")
@example("not " * (MAX_LENGTH // 4) + "1")
@example("1" + "+1" * (MAX_LENGTH // 2 - 1))
@example("a" + ".b" * (MAX_LENGTH // 2 - 1))
@example("a" + "[0]" * (MAX_LENGTH // 3 - 1))
@example("1 if 1 else " * (MAX_LENGTH // 12) + "1")
def test_depth_and_length_are_bounded(text: str) -> None:
    fault = fault_of(text)
    assert fault is None or 1 <= fault.position <= max(len(text), 1)


TEMPLATE_PIECES = [
    *[
        "{{",
        "}}",
        "{",
        "}",
        "@",
        "@data.client.age@",
        "@data.x",
        "@data..a@",
        "@static.vat@",
        "@static@",
        "'",
        '"',
        "\\",
    ],
    *["@keystore.a@", "@keystore.a.b@", "@keystore.a.b.list.0@", "@data.rows.0@", "{{ client.age }}", "{{ 1 / 0 }}"],
    *["{{ '}}' }}", "{{ rows }}", "{{ text }}", "{{}}", "{{ keystore }}", "{{ static }}", " ", "é", "\0", "\n"],
]
TEMPLATE_TEXTS = st.lists(st.one_of(st.sampled_from(TEMPLATE_PIECES), mutated()), max_size=6).map("".join)
TEMPLATES = st.recursive(
    st.one_of(TEMPLATE_TEXTS, st.none(), st.integers(), st.booleans()),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=3), inner, max_size=3)),
    max_leaves=5,
)


def text_at(value: Any, path: tuple[str, ...]) -> Any:
    for key in path:
        value = value[int(key)] if isinstance(value, list) else value[key]
    return value


@given(TEMPLATES)
@settings(max_examples=500)
def test_a_hostile_template_gives_a_value_or_an_error_at_its_place(value: Any) -> None:
    fault = None
    try:
        compile_template(value).render(SCOPE)
    except TemplateError as error:
        fault = error
    if fault is not None and fault.position:
        text = text_at(value, fault.path)
        assert isinstance(text, str)
        assert 1 <= fault.position <= len(text)


@given(TEMPLATES)
@settings(max_examples=200)
def test_what_is_no_template_stays_as_it_is(value: Any) -> None:
    try:
        template = compile_template(value)
        measure(value, MAX_OUTPUT)
    except (TemplateError, ValueRefused):
        return
    assert template.dynamic or template.render({}) == value


def test_the_output_of_a_template_is_bounded() -> None:
    scope = {"big": "x" * 90_000}
    with pytest.raises(TemplateError, match="larger than"):
        compile_template(["{{ big }}" for _ in range(12)]).render(scope)
    with pytest.raises(TemplateError, match="larger than"):
        compile_template("".join("{{ big }}-" for _ in range(12))).render(scope)
    assert MAX_OUTPUT == 1_000_000


# --- The model --------------------------------------------------------------------------------------------------

# A tree is a value, ("name", key), ("op", symbol, left, right), ("not", tree) or ("if", then, test, other).
LEAVES = st.one_of(
    st.sampled_from([None, True, False]), st.integers(-9, 9), st.sampled_from(["", "a", "ab"]),
    st.sampled_from([("name", "n"), ("name", "s"), ("name", "missing")]),
)  # fmt: skip
SYMBOLS = ["+", "-", "*", "==", "!=", "<", "<=", ">", ">=", "and", "or", "in"]
TREES = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        st.tuples(st.just("op"), st.sampled_from(SYMBOLS), inner, inner),
        st.tuples(st.just("not"), inner),
        st.tuples(st.just("if"), inner, inner, inner),
    ),
    max_leaves=10,
)
NAMES = {"n": 4, "s": "abc"}


class Wrong(Exception):
    """The model finds no value."""


def written(tree: Any) -> str:
    if not isinstance(tree, tuple):
        return "null" if tree is None else str(tree).lower() if isinstance(tree, bool) else f"({tree!r})"
    match tree:
        case ("name", key):
            return key
        case ("not", inner):
            return f"(not {written(inner)})"
        case ("if", then, test, other):
            return f"({written(then)} if {written(test)} else {written(other)})"
    _, symbol, left, right = tree
    return f"({written(left)} {symbol} {written(right)})"


def number(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def calculated(symbol: str, left: Any, right: Any) -> Any:
    if symbol == "+" and isinstance(left, str) and isinstance(right, str):
        return left + right
    if not (number(left) and number(right)):
        raise Wrong
    return {"+": operator.add, "-": operator.sub, "*": operator.mul}[symbol](left, right)


def compared(symbol: str, left: Any, right: Any) -> bool:
    same = type(left) is type(right) and left == right
    if symbol in ("==", "!="):
        return same if symbol == "==" else not same
    ordered = (number(left) and number(right)) or (isinstance(left, str) and isinstance(right, str))
    return ordered and {"<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge}[symbol](left, right)


def model(tree: Any) -> Any:
    """What the documentation says an expression means, in as few words as possible."""
    if not isinstance(tree, tuple):
        return tree
    match tree:
        case ("name", key):
            return NAMES.get(key)
        case ("not", inner):
            return not model(inner)
        case ("if", then, test, other):
            return model(then) if model(test) else model(other)
        case ("op", "and", left, right):
            return model(left) and model(right)
        case ("op", "or", left, right):
            return model(left) or model(right)
    _, symbol, left, right = (*tree[:2], model(tree[2]), model(tree[3]))
    if symbol == "in":
        if right is not None and not isinstance(right, str):
            raise Wrong
        return right is not None and isinstance(left, str) and left in right
    return calculated(symbol, left, right) if symbol in "+-*" else compared(symbol, left, right)


def outcome(act: Callable[[], Any]) -> Any:
    try:
        return act()
    except (Wrong, ExpressionError):
        return "wrong"


@given(TREES)
@settings(max_examples=600)
def test_the_language_means_what_the_model_says(tree: Any) -> None:
    expected = outcome(lambda: model(tree))
    found = outcome(lambda: compile_expression(written(tree)).evaluate(NAMES))
    assert (type(found), found) == (type(expected), expected), written(tree)
