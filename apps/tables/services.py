"""Reading, searching and changing the rows of tables."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from apps.applications.caller import Caller
from apps.core.errors import BadRequest, NotFound
from apps.core.jsonio import JSON
from apps.core.paging import Page, read_page
from apps.core.preconditions import Precondition
from apps.core.querylang import Group, parse_where
from apps.tables import rows, values
from apps.tables.bounds import bounded, unchanged
from apps.tables.searching import OPERATORS, Statement, fields_of, has_rules
from apps.tables.selectors import Definition, Row, get_definition, modified_of, version_of

MOST_ROWS = 100
_LARGEST_ID = 2**63 - 1


@dataclass(frozen=True, slots=True)
class Found:
    """The rows of one page of a search; ``matches`` counts all rows that match."""

    definition: Definition
    rows: Sequence[Row]
    matches: int
    page: Page


def get_row(caller: Caller, table: str, row_id: int | str) -> tuple[Definition, Row]:
    """One row; raises ``NotFound``."""
    caller.require("tables.read")
    definition = get_definition(caller.workspace_id, table)
    number = _row_id(definition, row_id)
    row = rows.fetch(definition, number)
    if row is None:
        raise _missing(definition, number)
    return definition, row


def search_rows(
    caller: Caller,
    table: str,
    *,
    where: JSON = None,
    limit: Any = None,
    offset: Any = None,
    order_field: Any = None,
    order_type: Any = None,
    most_counted: int | None = None,
) -> Found:
    """A page of the rows that match, with the number of all that do, counted no further than ``most_counted``.

    Empty values are the greatest of an order. Raises ``BadRequest`` naming the rule that cannot be understood, and
    ``RequestTimeout``.
    """
    caller.require("tables.read")
    definition = get_definition(caller.workspace_id, table)
    tree, page = parse_where(where, OPERATORS), read_page(limit, offset, default=MOST_ROWS, most=MOST_ROWS)
    statement = Statement(definition, caller.zone)
    condition, order = statement.where(tree), statement.order(order_field, order_type)
    with bounded(_advice(definition, tree, order_field)):
        matches, found = rows.find(statement, condition, order, page, most_counted)
    return Found(definition, found, matches, page)


def insert_row(caller: Caller, table: str, columns: Mapping[str, Any]) -> tuple[Definition, Row]:
    """Store a row; columns that are not named get their defaults. Raises ``BadRequest`` naming each fault."""
    caller.require("tables")
    caller.require_room()
    definition = get_definition(caller.workspace_id, table)
    found = values.for_insert(definition, columns, caller.zone)
    return definition, rows.insert(Statement(definition, caller.zone), found)


def update_rows(
    caller: Caller,
    table: str,
    columns: Mapping[str, Any],
    *,
    row_id: int | str | None = None,
    where: JSON = None,
    limit: Any = None,
    offset: Any = None,
    order_field: Any = None,
    order_type: Any = None,
    precondition: Precondition | None = None,
) -> int:
    """Change the rows that match, at most ``limit`` of them in order, all or none; returns how many.

    A row id and ``where`` must both hold; one of them must be given. Raises ``NotFound`` for an id that is none.
    """
    caller.require("tables")
    caller.require_room()
    definition = get_definition(caller.workspace_id, table)
    number = None if row_id is None else _row_id(definition, row_id)
    tree, page = parse_where(where, OPERATORS), read_page(limit, offset, default=MOST_ROWS, most=MOST_ROWS)
    if number is None and not has_rules(tree):
        raise BadRequest("Name the rows to change: by the id in the path, or by rules in where.")
    changes = values.for_update(definition, columns, caller.zone)
    statement = Statement(definition, caller.zone)
    condition, order = statement.where(tree, number), statement.order(order_field, order_type)
    searches = has_rules(tree) or precondition is not None
    with bounded(_advice(definition, tree, order_field)) if searches else unchanged():
        _check(definition, number, precondition)
        count = rows.update(statement, condition, order, page, changes)
        if not count and number is not None and rows.fetch(definition, number) is None:
            raise _missing(definition, number)
    return count


def delete_row(caller: Caller, table: str, row_id: int | str, *, precondition: Precondition | None = None) -> int:
    """Remove a row; returns 1. Raises ``NotFound`` for an id that is none."""
    caller.require("tables")
    definition = get_definition(caller.workspace_id, table)
    number = _row_id(definition, row_id)
    if precondition is None:
        return _delete(definition, number)
    with bounded("Somebody else holds the row: try again."):
        _check(definition, number, precondition)
        return _delete(definition, number)


def _delete(definition: Definition, number: int) -> int:
    count = rows.delete(definition, number)
    if not count:
        raise _missing(definition, number)
    return count


def _check(definition: Definition, number: int | None, precondition: Precondition | None) -> None:
    """Hold the row and compare its version with the one the caller means to change; no row has no version."""
    if precondition is None:
        return
    if number is None:
        precondition.check()
        return
    held = rows.lock(definition, number)
    if held is None:
        raise _missing(definition, number)
    version, updated = held
    precondition.check(*version_of(definition, number, version), modified=modified_of(definition, updated))


def _row_id(definition: Definition, row_id: int | str) -> int:
    text = str(row_id)
    number = int(text) if text.isascii() and text.isdecimal() and len(text) <= 19 else 0
    if not 0 < number <= _LARGEST_ID:
        raise NotFound(f"There is no row {text[:20]!r} in table {definition.name}.")
    return number


def _missing(definition: Definition, number: int) -> NotFound:
    return NotFound(f"There is no row {number} in table {definition.name}.")


def _advice(definition: Definition, tree: Group, order_field: Any) -> str:
    """Which columns would make the search fast."""
    names = fields_of(tree) | ({order_field} if isinstance(order_field, str) and order_field else set())
    columns = [definition.columns[name] for name in sorted(names) if name in definition.columns]
    slow = [column.name for column in columns if not column.indexable]
    return f"Make {', '.join(slow)[:300]} indexable." if slow else "Narrow it with more rules."
