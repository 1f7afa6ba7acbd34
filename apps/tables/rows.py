"""The statements that read and change rows: physical names and bound values alone."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime

from django.db import connection

from apps.core.paging import Page
from apps.tables.bounds import unchanged
from apps.tables.kinds import TYPES, Value
from apps.tables.models import Kind
from apps.tables.searching import Statement
from apps.tables.selectors import Definition, Field, Row

_AT_ONCE = 2000


def fetch(definition: Definition, row_id: int) -> Row | None:
    """One row."""
    with unchanged(), connection.cursor() as cursor:
        cursor.execute(f"SELECT {definition.selected} FROM {definition.relation} WHERE id = %s", [row_id])
        line = cursor.fetchone()
    return Row.of(definition, line) if line else None


def lock(definition: Definition, row_id: int) -> tuple[int, datetime] | None:
    """Hold a row until the transaction ends; its version and the date of its last change."""
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT version, date_updated FROM {definition.relation} WHERE id = %s FOR UPDATE", [row_id])
        line: tuple[int, datetime] | None = cursor.fetchone()
    return line


def find(
    statement: Statement, condition: str, order: str, page: Page, most_counted: int | None
) -> tuple[int, list[Row]]:
    """How many rows match, counted no further than ``most_counted``, and those of one page; in one statement."""
    definition = statement.definition
    source = f"{definition.relation} WHERE {condition}"
    counted = "" if most_counted is None else f" LIMIT {statement.bind(most_counted, 'bigint')}"
    sql = (
        f"WITH page AS (SELECT {definition.selected} FROM {source} ORDER BY {order} {_part(statement, page)}) "
        f"SELECT (SELECT count(*) FROM (SELECT FROM {source}{counted}) AS matching), page.* "
        f"FROM (SELECT) AS always LEFT JOIN page ON true ORDER BY {order}"
    )
    with connection.cursor() as cursor:
        cursor.execute(sql, statement.values)
        lines = cursor.fetchall()
    return lines[0][0], [Row.of(definition, line[1:]) for line in lines if line[1] is not None]


def insert(statement: Statement, values: Mapping[Field, Value]) -> Row:
    """Store a row."""
    definition = statement.definition
    names = ", ".join(column.sql for column in values)
    placed = ", ".join(_bind(statement, column, value) for column, value in values.items())
    with unchanged(), connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {definition.relation} ({names}) VALUES ({placed}) RETURNING {definition.selected}",
            statement.values,
        )
        return Row.of(definition, cursor.fetchone())


def update(statement: Statement, condition: str, order: str, page: Page, values: Mapping[Field, Value]) -> int:
    """Change the rows of one page of those that match; returns how many."""
    definition = statement.definition
    changed = ", ".join(f"{column.sql} = {_bind(statement, column, value)}" for column, value in values.items())
    sql = (
        f"WITH chosen AS (SELECT id AS chosen_id FROM {definition.relation} WHERE {condition} "
        f"ORDER BY {order} {_part(statement, page)} FOR UPDATE) "
        f"UPDATE {definition.relation} SET {changed}, version = version + 1, "
        "date_updated = date_trunc('second', clock_timestamp()) FROM chosen WHERE id = chosen_id"
    )
    with connection.cursor() as cursor:
        cursor.execute(sql, statement.values)
        return cursor.rowcount


def delete(definition: Definition, row_id: int) -> int:
    """Remove a row; returns how many there were."""
    with unchanged(), connection.cursor() as cursor:
        cursor.execute(f"DELETE FROM {definition.relation} WHERE id = %s", [row_id])
        return cursor.rowcount


def copy(definition: Definition, columns: Iterable[Field], lines: Iterable[list[Value]]) -> int:
    """Store many rows as they come; returns how many."""
    names = ", ".join(column.sql for column in columns)
    count = 0
    with (
        unchanged(),
        connection.cursor() as cursor,
        cursor.copy(f"COPY {definition.relation} ({names}) FROM STDIN") as to,
    ):
        for line in lines:
            to.write_row(line)
            count += 1
    return count


def walk(definition: Definition) -> Iterator[Row]:
    """All rows by their ids, a few thousand at a time and each part as it is then: nothing is held for long."""
    last = 0
    while True:
        with unchanged(), connection.cursor() as cursor:
            cursor.execute(
                f"SELECT {definition.selected} FROM {definition.relation} WHERE id > %s ORDER BY id LIMIT %s",
                [last, _AT_ONCE],
            )
            lines = cursor.fetchall()
        for line in lines:
            yield Row.of(definition, line)
        if len(lines) < _AT_ONCE:
            return
        last = lines[-1][0]


def _part(statement: Statement, page: Page) -> str:
    return f"LIMIT {statement.bind(page.limit, 'bigint')} OFFSET {statement.bind(page.offset, 'bigint')}"


def _bind(statement: Statement, column: Field, value: Value) -> str:
    return statement.bind(value, TYPES[Kind(column.kind)].sql)
