"""What a caller asks of a keystore: which fields of which keys."""

from dataclasses import dataclass
from enum import Enum
from typing import Any

from django.conf import settings

from apps.core.jsonio import JSON
from apps.core.paging import Page, read_page
from apps.core.querylang import Group, Rule, fold, parse_where, refuse

OPERATORS = {"=": "=", "!=": "<>", "<>": "<>", "<": "<", ">": ">", "<=": "<=", ">=": ">=", "like": "LIKE"}
MOST_COLUMNS = 100
LONGEST_NAME = 1000
LONGEST_VALUE = 8192


class Whole(Enum):
    """Fields that are no part of a document."""

    KEY = "key"
    DATA = "*"


Field = Whole | tuple[str, ...]
"""The key, all that it holds, or the path of a part of it."""


@dataclass(frozen=True, slots=True)
class Column:
    """One field of an answer's rows and the name it has there."""

    name: str
    field: Field


@dataclass(frozen=True, slots=True)
class Query:
    """Columns, the keys they are wanted of, and the page: without a limit one row more than an answer may have."""

    columns: tuple[Column, ...]
    where: Group
    page: Page


EVERYTHING = (Column("key", Whole.KEY), Column("*", Whole.DATA))


def read_query(select: JSON, where: JSON, limit: Any, offset: Any) -> Query:
    """The query of a request; raises ``BadRequest`` naming the place that cannot be understood."""
    most = settings.KEYSTORE_SEARCH_ROWS + 1
    group = parse_where(where, OPERATORS)
    fold(group, _check_rule, lambda condition, members: None)
    return Query(_columns(select), group, read_page(limit, offset, default=most, most=most))


def read_field(name: str) -> Field:
    """The field of that name: a part of a document by its path, steps joined by dots."""
    if name in ("key", "keystore.key"):
        return Whole.KEY
    return Whole.DATA if name == "*" else tuple(name.split("."))


def _columns(select: JSON) -> tuple[Column, ...]:
    if select is None or select == []:
        return EVERYTHING
    if not isinstance(select, list):
        raise refuse("/select", "must be an array.")
    if len(select) > MOST_COLUMNS:
        raise refuse("/select", f"holds more than {MOST_COLUMNS} fields.")
    columns: dict[str, Column] = {}
    for number, item in enumerate(select):
        column = _column(item, f"/select/{number}")
        if column.name in columns:
            raise refuse(f"/select/{number}", "gives a name to a second field; use another alias.")
        columns[column.name] = column
    return tuple(columns.values())


def _column(item: JSON, path: str) -> Column:
    if not isinstance(item, dict):
        raise refuse(path, "must be an object with field and, if wanted, alias.")
    name, alias = item.get("field"), item.get("alias")
    if not isinstance(name, str) or not name:
        raise refuse(f"{path}/field", "must name a field.")
    if alias is not None and not isinstance(alias, str):
        raise refuse(f"{path}/alias", "must be a text.")
    _check_length(name, f"{path}/field", LONGEST_NAME)
    _check_length(alias or "", f"{path}/alias", LONGEST_NAME)
    return Column(alias or name, read_field(name))


def _check_rule(rule: Rule) -> None:
    _check_length(rule.field, f"{rule.path}/field", LONGEST_NAME)
    if rule.value is None:
        raise refuse(f"{rule.path}/value", "must be a text, a number or a truth value.")
    if isinstance(rule.value, str):
        _check_length(rule.value, f"{rule.path}/value", LONGEST_VALUE)


def _check_length(text: str, path: str, longest: int) -> None:
    if len(text) > longest:
        raise refuse(path, f"is longer than {longest} characters.")
