"""From the search language to SQL: physical names from the table's definition, every value bound.

Rules are either true or false, never unknown: an empty value fits no comparison, and each negated operator fits exactly
the rows that its plain form does not.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from apps.core.querylang import MANY_VALUES, TWO_VALUES, Group, Rule, fold, refuse
from apps.tables import kinds
from apps.tables.kinds import TYPES, Unreadable, Zone
from apps.tables.models import Kind
from apps.tables.selectors import Definition, Field
from apps.tables.storage import folded, prefix

_SPELLINGS = {"<>": "!=", "=>": ">="}
_NEGATED = {
    "!=": "=",
    "not_between": "between",
    "not_in": "in",
    "not_begins_with": "begins_with",
    "not_ends_with": "ends_with",
    "not_contains": "contains",
    "is_not_empty": "is_empty",
}
_ORDERED = {"=": "=", "<": "<", ">": ">", "<=": "<=", ">=": ">="}
_PATTERNS = {"begins_with": "{}%", "ends_with": "%{}", "contains": "%{}%"}
_PLAIN = (*_ORDERED, "between", "in", *_PATTERNS, "is_empty")
OPERATORS: Mapping[str, str] = {operator: operator for operator in (*_PLAIN, *_NEGATED)} | _SPELLINGS

_BY_KIND: dict[str, frozenset[str]] = {
    Kind.TEXT: frozenset(_PLAIN),
    Kind.BOOLEAN: frozenset({"=", "in", "is_empty"}),
    Kind.JSON: frozenset({"is_empty"}),
}
_OTHERS = frozenset(_PLAIN) - set(_PATTERNS)
# So much of a pattern's beginning is sure to be inside the part of a text that an index holds.
_SURELY_INDEXED = 60


@dataclass(slots=True)
class Statement:
    """Parts of a statement under construction, with the values that are bound to it."""

    definition: Definition
    zone: Zone
    values: dict[str, Any] = field(default_factory=dict)

    def bind(self, value: Any, sql_type: str) -> str:
        """A placeholder for the value."""
        name = f"v{len(self.values)}"
        self.values[name] = value
        return f"%({name})s::{sql_type}"

    def where(self, tree: Group, row_id: int | None = None) -> str:
        """The condition of a tree and, when given, of the one row."""
        condition = fold(tree, self._rule, _join)
        return condition if row_id is None else f"id = {self.bind(row_id, 'bigint')} AND {condition}"

    def order(self, name: Any, direction: Any) -> str:
        """The order asked for; ties go by id in the same direction, so that one index serves both."""
        wanted = self.definition.field(name or "id")
        if wanted is None or wanted.kind == Kind.JSON:
            raise refuse("/order_field", "must be a column of the table that can be ordered.")
        word = "ASC" if direction in (None, "") else direction
        if not isinstance(word, str) or word.upper() not in ("ASC", "DESC"):
            raise refuse("/order_type", "must be ASC or DESC.")
        word = word.upper()
        key = prefix(wanted.sql) if wanted.kind == Kind.TEXT else wanted.sql
        return f"id {word}" if wanted.sql == "id" else f"{key} {word}, id {word}"

    def _rule(self, rule: Rule) -> str:
        column = self.definition.field(rule.field)
        if column is None:
            raise refuse(f"{rule.path}/field", f"the table has no column {rule.field[:64]!r}.")
        operator = _NEGATED.get(rule.operator, rule.operator)
        if operator not in _BY_KIND.get(column.kind, _OTHERS):
            raise refuse(f"{rule.path}/operator", f"{rule.operator} does not suit columns of type {column.kind}.")
        condition = self._condition(column, operator, rule)
        return condition if operator == rule.operator else f"({condition}) IS NOT TRUE"

    def _condition(self, column: Field, operator: str, rule: Rule) -> str:
        if operator == "is_empty" or (operator == "=" and rule.value is None):
            return _is_empty(column)
        values = self._values(column, operator, rule)
        if values == [None]:
            return _is_empty(column) if operator == "=" else self._missing(rule)
        compare = self._compare_text if column.kind == Kind.TEXT else self._compare
        if operator == "in":
            return _join("OR", [compare(column, "=", value) for value in values]) if values else "false"
        if operator == "between":
            return f"({compare(column, '>=', values[0])} AND {compare(column, '<=', values[1])})"
        if operator in _PATTERNS:
            return self._match(column, operator, values[0])
        return compare(column, _ORDERED[operator], values[0])

    def _values(self, column: Field, operator: str, rule: Rule) -> list[Any]:
        several = operator in MANY_VALUES | TWO_VALUES
        sent = list(rule.value) if several and isinstance(rule.value, tuple) else [rule.value]
        paths = [f"{rule.path}/value/{n}" if several else f"{rule.path}/value" for n in range(len(sent))]
        found = [_read(column, value, self.zone, path) for value, path in zip(sent, paths, strict=True)]
        if several and None in found:
            raise refuse(paths[found.index(None)], "must not be empty.")
        return found

    @staticmethod
    def _missing(rule: Rule) -> str:
        raise refuse(f"{rule.path}/value", f"{rule.operator} needs a value.")

    def _compare(self, column: Field, operator: str, value: Any) -> str:
        return f"{column.sql} {operator} {self.bind(value, TYPES[Kind(column.kind)].sql)}"

    def _compare_text(self, column: Field, operator: str, value: str) -> str:
        """The whole text decides; its beginning is compared too, because that is what an index holds."""
        given = self.bind(value, "text")
        nearly = {"<": "<=", ">": ">="}.get(operator, operator)
        return f"({prefix(column.sql)} {nearly} {prefix(given)} AND {folded(column.sql)} {operator} {folded(given)})"

    def _match(self, column: Field, operator: str, value: str) -> str:
        """Signs that mean something in a pattern stand for themselves."""
        pattern = self.bind(_PATTERNS[operator].format(_literal(value)), "text")
        whole = f"lower({column.sql}) LIKE lower({pattern})"
        if operator != "begins_with":
            return whole
        beginning = self.bind(f"{_literal(value[:_SURELY_INDEXED])}%", "text")
        return f"({prefix(column.sql)} LIKE {folded(beginning)} AND {whole})"


def has_rules(tree: Group) -> bool:
    """Whether a tree says anything at all."""
    return any(isinstance(member, Rule) or has_rules(member) for member in tree.members)


def fields_of(tree: Rule | Group) -> set[str]:
    """The names of the columns a tree asks about."""
    if isinstance(tree, Rule):
        return {tree.field}
    names: Callable[[Rule | Group], set[str]] = fields_of
    return set().union(*map(names, tree.members))


def _literal(text: str) -> str:
    return text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")


def _is_empty(column: Field) -> str:
    if column.kind == Kind.TEXT:
        return f"({column.sql} IS NULL OR {column.sql} = '')"
    return f"{column.sql} IS NULL"


def _read(column: Field, value: Any, zone: Zone, path: str) -> Any:
    try:
        return kinds.read(column.kind, value, zone)
    except Unreadable as error:
        raise refuse(path, f"must be {error}: {column.name} is of type {column.kind}.") from None


def _join(condition: str, members: Sequence[str]) -> str:
    if not members:
        return "true"
    return "(" + f" {condition} ".join(members) + ")"
