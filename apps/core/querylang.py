"""The search language of keystores and tables: ``{"condition", "rules"}`` read once into a small tree.

The tree is plain values: whoever compiles it binds ``Rule.value`` and looks ``Rule.field`` up, so that no text of a
caller ever becomes part of a statement. Every refusal names its place as a JSON Pointer.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from apps.core.errors import BadRequest, Detail
from apps.core.jsonio import JSON

MOST_RULES = 100
MOST_DEPTH = 10
CONDITIONS = ("AND", "OR")

NO_VALUE = frozenset({"is_empty", "is_not_empty"})
TWO_VALUES = frozenset({"between", "not_between"})
MANY_VALUES = frozenset({"in", "not_in"})

Scalar = str | int | float | bool | None


@dataclass(frozen=True, slots=True)
class Rule:
    """One comparison.

    ``value`` is a scalar; of ``between`` and ``not_between`` two scalars, of ``in`` and ``not_in`` any number of them,
    of ``is_empty`` and ``is_not_empty`` nothing. ``path`` is where the rule stands in the request.
    """

    field: str
    operator: str
    value: Scalar | tuple[Scalar, ...]
    path: str


@dataclass(frozen=True, slots=True)
class Group:
    """Members joined by ``AND`` or ``OR``; one without members is true."""

    condition: str
    members: tuple["Rule | Group", ...] = ()


EVERYTHING = Group("AND")
Compiled = TypeVar("Compiled")


def parse_where(where: JSON, operators: Mapping[str, str], path: str = "/where") -> Group:
    """The tree of a ``where`` object; an absent one (``None``) matches everything.

    ``operators`` maps each accepted spelling, in lower case, to the operator it stands for. Raises ``BadRequest`` that
    names the place of a rule, operator, condition or value that cannot be understood.
    """
    if where is None:
        return EVERYTHING
    return _Reader(operators).group(where, path, depth=1)


def fold(
    node: Rule | Group,
    rule: Callable[[Rule], Compiled],
    join: Callable[[str, Sequence[Compiled]], Compiled],
) -> Compiled:
    """Compile a tree from its leaves: ``rule`` for each comparison, ``join`` for the members of each group."""
    if isinstance(node, Rule):
        return rule(node)
    return join(node.condition, [fold(member, rule, join) for member in node.members])


def refuse(path: str, message: str) -> BadRequest:
    """The error for a place of the request."""
    return BadRequest(f"{path}: {message}", details=[Detail(path, message)])


class _Reader:
    def __init__(self, operators: Mapping[str, str]) -> None:
        self.operators = operators
        self.rules = 0

    def group(self, node: Any, path: str, depth: int) -> Group:
        if not isinstance(node, dict):
            raise refuse(path, "must be an object with condition and rules.")
        if depth > MOST_DEPTH:
            raise refuse(path, f"groups are nested more than {MOST_DEPTH} deep.")
        members = node.get("rules", [])
        if not isinstance(members, list):
            raise refuse(f"{path}/rules", "must be an array.")
        condition = self._condition(node.get("condition"), f"{path}/condition")
        return Group(condition, tuple(self._member(m, f"{path}/rules/{n}", depth) for n, m in enumerate(members)))

    def _member(self, node: Any, path: str, depth: int) -> Rule | Group:
        if not isinstance(node, dict):
            raise refuse(path, "must be a rule or a group of rules.")
        return self.group(node, path, depth + 1) if "rules" in node else self._rule(node, path)

    def _rule(self, node: dict[str, Any], path: str) -> Rule:
        self.rules += 1
        if self.rules > MOST_RULES:
            raise refuse(path, f"there are more than {MOST_RULES} rules.")
        field = node.get("field")
        if not isinstance(field, str) or not field:
            raise refuse(f"{path}/field", "must name a field.")
        operator = self._operator(node.get("operator"), f"{path}/operator")
        return Rule(field, operator, _value(node, operator, f"{path}/value"), path)

    def _operator(self, spelling: Any, path: str) -> str:
        known = self.operators.get(spelling.strip().lower()) if isinstance(spelling, str) else None
        if known is None:
            raise refuse(path, f"must be one of {' '.join(self.operators)}.")
        return known

    @staticmethod
    def _condition(condition: Any, path: str) -> str:
        known = "AND" if condition in (None, "") else condition
        if not isinstance(known, str) or known.upper() not in CONDITIONS:
            raise refuse(path, "must be AND or OR.")
        return known.upper()


def _value(node: dict[str, Any], operator: str, path: str) -> Scalar | tuple[Scalar, ...]:
    if operator in NO_VALUE:
        return None
    if "value" not in node:
        raise refuse(path, "is missing.")
    value = node["value"]
    if operator in TWO_VALUES | MANY_VALUES:
        return _values(value, operator, path)
    return _scalar(value, path)


def _values(value: Any, operator: str, path: str) -> tuple[Scalar, ...]:
    """Those of an array, or of a text with commas."""
    members = [part.strip() for part in value.split(",")] if isinstance(value, str) else value
    if operator in TWO_VALUES and (not isinstance(members, list) or len(members) != 2):
        raise refuse(path, "must be an array of two values.")
    if operator in MANY_VALUES and not isinstance(members, list):
        members = [members]
    if len(members) > MOST_RULES * 10:
        raise refuse(path, f"holds more than {MOST_RULES * 10} values.")
    return tuple(_scalar(member, f"{path}/{n}") for n, member in enumerate(members))


def _scalar(value: Any, path: str) -> Scalar:
    if isinstance(value, dict | list):
        raise refuse(path, "must be a single value.")
    return value
