"""The grammar page says what the language takes: every sentence of it can be read."""

import re
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from apps.flows.engine.expressions import ExpressionError, compile_expression
from apps.flows.engine.functions import FUNCTIONS

PAGE = Path(__file__).resolve().parents[3] / "docs" / "expressions.md"
SIGN = re.compile(r'"[^"]*"|\w+|[|,;=(){}\[\]]')
# What the page says in words, and what joins without a space.
WORDS: dict[str, st.SearchStrategy[str]] = {
    "integer": st.sampled_from(["0", "7", "1_000", "0x1f"]),
    "decimal": st.sampled_from(["2.5", "1e3", ".5"]),
    "text": st.sampled_from(["'a'", '"b\\n"', "''", "'it\\'s'"]),
    "function": st.sampled_from(sorted(FUNCTIONS)),
    "name": st.sampled_from(["client", "_x1", "vars", "system", "static", "é"]),
}


class Grammar:
    """The rules of the page as strategies, one for each name."""

    def __init__(self, text: str) -> None:
        self.rules: dict[str, list[str]] = {}
        for rule in re.findall(r"(\w+)\s*=\s*(.*?)\s;", text, re.DOTALL):
            self.rules[rule[0]] = SIGN.findall(rule[1])
        self.strategies: dict[str, st.SearchStrategy[Any]] = dict(WORDS)

    def strategy(self, name: str) -> st.SearchStrategy[Any]:
        """Sentences of a rule."""
        if name not in self.strategies:
            self.strategies[name] = st.deferred(lambda: self._alternatives(list(self.rules[name]), ""))
        return self.strategies[name]

    def _alternatives(self, signs: list[str], end: str) -> st.SearchStrategy[Any]:
        found = [self._sequence(signs)]
        while signs and signs[0] == "|":
            signs.pop(0)
            found.append(self._sequence(signs))
        assert (signs.pop(0) if signs else "") == end
        return st.one_of(found)

    def _sequence(self, signs: list[str]) -> st.SearchStrategy[Any]:
        parts = [self._part(signs)]
        while signs and signs[0] == ",":
            signs.pop(0)
            parts.append(self._part(signs))
        return st.tuples(*parts).map(" ".join)

    def _part(self, signs: list[str]) -> st.SearchStrategy[Any]:
        sign = signs.pop(0)
        if sign.startswith('"'):
            return st.just(sign[1:-1])
        if sign in "([{":
            inner = self._alternatives(signs, {"(": ")", "[": "]", "{": "}"}[sign])
            least, most = {"(": (1, 1), "[": (0, 1), "{": (0, 2)}[sign]
            return st.lists(inner, min_size=least, max_size=most).map(" ".join)
        return self.strategy(sign)


GRAMMAR = Grammar(re.findall(r"```ebnf\n(.*?)```", PAGE.read_text(), re.DOTALL)[0])


def test_every_name_of_the_grammar_has_a_rule_or_is_explained() -> None:
    used = {sign for signs in GRAMMAR.rules.values() for sign in signs if re.fullmatch(r"\w+", sign)}
    assert used - set(GRAMMAR.rules) - set(WORDS) == {"letter", "digit"}
    assert len(GRAMMAR.rules) == 16


@given(GRAMMAR.strategy("expression"))
@settings(max_examples=300, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
def test_every_sentence_of_the_grammar_can_be_read(sentence: str) -> None:
    message = ""
    try:
        compile_expression(sentence)
    except ExpressionError as error:
        message = error.message
    meant = ("wrong number of arguments", "nested more than", "longer than")
    assert not message or message.startswith(meant), (sentence, message)
