"""Rules of a search as SQL: pieces of our own with everything of the caller's bound.

A part of a document is compared as its text. Two numbers, also numbers in strings, are compared as numbers; a number
and another text are different and have no order; texts know no capitals and stand in the order of their characters. A
part that is missing or null makes every rule false.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from apps.core.jsonio import write_json
from apps.core.querylang import Group, Rule, Scalar, fold
from apps.keystores.models import Kind
from apps.keystores.query import Field, Whole, read_field

LONGEST_NUMBER = 400
# So few digits of an exponent that the conversion cannot fail; the same in both languages.
_NUMBER = r"-?[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]{1,3})?"
NUMBER = re.compile(_NUMBER)

# Bytes decide the order of texts, so that it is the same in every installation.
FOLDED_VALUE = 'lower(%s::text COLLATE "default") COLLATE "C"'
# As the index has it.
FOLDED_KEY = '(lower(i.key COLLATE "default") COLLATE "C")'


@dataclass(frozen=True, slots=True)
class Piece:
    """Part of a statement and the values of its placeholders."""

    sql: str
    values: tuple[Any, ...] = ()

    def __add__(self, other: "Piece") -> "Piece":
        return Piece(self.sql + other.sql, self.values + other.values)


def fields_of(group: Group) -> tuple[Field, ...]:
    """The fields that rules need of the documents, each once; the key is at hand anyway."""
    found: dict[Field, None] = {}
    fold(group, lambda rule: found.setdefault(read_field(rule.field)), lambda condition, members: None)
    return tuple(field for field in found if field is not Whole.KEY)


def text_of(field: Field, kind: Kind) -> Piece:
    """The text of a field of a key's ``data``."""
    if field is not Whole.DATA:
        return Piece("i.data #>> %s::text[]", (list(field) if isinstance(field, tuple) else [],))
    return Piece("i.data::text") if kind is Kind.JSON else Piece("i.data #>> '{}'")


def condition_of(group: Group, names: dict[Field, str]) -> Piece:
    """The condition that a group is; ``names`` are those of the texts of its fields."""
    return fold(group, lambda rule: _rule(rule, names), _join)


def _join(condition: str, members: Sequence[Piece]) -> Piece:
    if not members:
        return Piece("true")
    glue = f" {condition} "
    values = tuple(value for member in members for value in member.values)
    return Piece("(" + glue.join(member.sql for member in members) + ")", values)


def _rule(rule: Rule, names: dict[Field, str]) -> Piece:
    field, value = read_field(rule.field), _text(rule.value)
    if field is Whole.KEY:
        return _key(rule.operator, value)
    text = names[field]
    if rule.operator == "LIKE":
        return Piece(f"lower({text}) LIKE lower(%s::text) ESCAPE ''", (value,))
    if len(value) <= LONGEST_NUMBER and NUMBER.fullmatch(value):
        return _number(text, rule.operator, value)
    return _words(text, rule.operator, value)


def _key(operator: str, value: str) -> Piece:
    """Keys are texts, also those of digits alone, which lets their index find them."""
    if operator != "LIKE":
        return Piece(f"{FOLDED_KEY} {operator} {FOLDED_VALUE}", (value,))
    beginning = re.split("[%_]", value, maxsplit=1)[0]
    low, high = f"{FOLDED_KEY} >= {FOLDED_VALUE}", f"{FOLDED_KEY} < ({FOLDED_VALUE} || chr(1114111))"
    like = f"{FOLDED_KEY} LIKE {FOLDED_VALUE} ESCAPE ''"
    return Piece(f"({low} AND {high} AND {like})", (beginning, beginning, value))


def _number(text: str, operator: str, value: str) -> Piece:
    otherwise = f"{text} IS NOT NULL" if operator == "<>" else "false"
    return Piece(
        f"CASE WHEN {_is_number(text)} THEN {text}::numeric {operator} %s::numeric ELSE {otherwise} END", (value,)
    )


def _words(text: str, operator: str, value: str) -> Piece:
    compared = f'lower({text}) COLLATE "C" {operator} {FOLDED_VALUE}'
    if operator not in ("=", "<>"):
        compared = f"(NOT ({_is_number(text)}) AND {compared})"
    return Piece(compared, (value,))


def _is_number(text: str) -> str:
    return f"length({text}) <= {LONGEST_NUMBER} AND {text} ~ '^{_NUMBER}$'"


def _text(value: Scalar | tuple[Scalar, ...]) -> str:
    """A rule's value as documents spell it."""
    return value if isinstance(value, str) else write_json(value).decode()  # type: ignore[arg-type]
