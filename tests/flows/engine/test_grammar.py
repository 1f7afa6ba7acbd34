"""The grammar page says what the language takes: every sentence of it can be read."""

import random
import re
from pathlib import Path

from apps.flows.engine.expressions import ExpressionError, compile_expression
from apps.flows.engine.functions import FUNCTIONS

PAGE = Path(__file__).resolve().parents[3] / "docs" / "expressions.md"
SIGN = re.compile(r'"[^"]*"|\w+|[|,;=(){}\[\]]')
# What the page says in words, and what joins without a space.
WORDS = {
    "integer": ["0", "7", "1_000", "0x1f"],
    "decimal": ["2.5", "1e3", ".5"],
    "text": ["'a'", '"b\\n"', "''", "'it\\'s'"],
    "function": sorted(FUNCTIONS),
    "name": ["client", "_x1", "vars", "system", "static", "é"],
}
CLOSED_BY = {"(": ")", "[": "]", "{": "}"}

# A tree: a word, ("rule", name), ("all", parts), ("one", parts), or ("some", part, least, most).
Tree = str | tuple


def parsed(signs: list[str], end: str = "") -> Tree:
    """The alternatives up to the sign ``end``."""
    found = [sequence(signs)]
    while signs and signs[0] == "|":
        signs.pop(0)
        found.append(sequence(signs))
    assert (signs.pop(0) if signs else "") == end
    return ("one", found)


def sequence(signs: list[str]) -> Tree:
    parts = [part(signs)]
    while signs and signs[0] == ",":
        signs.pop(0)
        parts.append(part(signs))
    return ("all", parts)


def part(signs: list[str]) -> Tree:
    sign = signs.pop(0)
    if sign.startswith('"'):
        return sign[1:-1]
    if sign in CLOSED_BY:
        least, most = {"(": (1, 1), "[": (0, 1), "{": (0, 2)}[sign]
        return ("some", parsed(signs, CLOSED_BY[sign]), least, most)
    return ("rule", sign)


RULES = {
    name: parsed(SIGN.findall(right))
    for name, right in re.findall(
        r"(\w+)\s*=\s*(.*?)\s;", re.findall(r"```ebnf\n(.*?)```", PAGE.read_text(), re.DOTALL)[0], re.DOTALL
    )
}


def sentence(tree: Tree, chance: random.Random, depth: int = 0) -> str:
    """A sentence of the tree; deep down only what must be there."""
    match tree:
        case str():
            return tree
        case ("rule", name):
            return chance.choice(WORDS[name]) if name in WORDS else sentence(RULES[name], chance, depth + 1)
        case ("all", parts):
            return " ".join(filter(None, (sentence(part, chance, depth) for part in parts)))
        case ("one", parts):
            return sentence(parts[0] if depth > 16 else chance.choice(parts), chance, depth)
    _, inner, least, most = tree
    times = least if depth > 16 or chance.random() < 0.8 else chance.randint(least, most)
    return " ".join(sentence(inner, chance, depth) for _ in range(times))


def names_in(tree: Tree) -> set[str]:
    match tree:
        case str():
            return set()
        case ("rule", name):
            return {name}
        case ("some", inner, _, _):
            return names_in(inner)
    return {name for part in tree[1] for name in names_in(part)}


def test_every_name_of_the_grammar_has_a_rule_or_is_explained() -> None:
    used = {name for tree in RULES.values() for name in names_in(tree)}
    assert used - set(RULES) - set(WORDS) == {"letter", "digit"}
    assert len(RULES) == 16


def test_every_sentence_of_the_grammar_can_be_read() -> None:
    chance, meant = random.Random(7), ("wrong number of arguments", "nested more than", "longer than")
    read = 0
    for _ in range(1_000):
        text = sentence(("rule", "expression"), chance)
        try:
            compile_expression(text)
            read += 1
        except ExpressionError as error:
            message = error.message
            assert message.startswith(meant), (text, message)
    assert read > 500
