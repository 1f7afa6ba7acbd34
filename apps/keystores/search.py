"""Answering a query with one statement.

Names of an answer's columns never come near it, and of the rows it finds it returns no more than one answer may hold.
"""

from django.conf import settings
from django.db import connection

from apps.core.errors import AnswerTooLarge
from apps.core.querylang import Group
from apps.core.statement_time import at_most
from apps.keystores.conditions import Piece, condition_of, fields_of, text_of
from apps.keystores.models import Keystore, Kind
from apps.keystores.query import Field, Query, Whole

Row = dict[str, str | None]

TOO_SLOW = "The search took too long. Narrow it with a rule on the key, or search fewer keys with limit and offset."

# As the callers' examples have it: within a document's text every slash is escaped.
_SHOWN = {
    Kind.JSON: r"replace(i.data::text, '/', '\/')",
    Kind.RAW: "i.data #>> '{}'",
}
_PART = r"""(
    SELECT CASE WHEN json_typeof(part) IN ('object', 'array') THEN replace(part::text, '/', '\/') ELSE part #>> '{}' END
    FROM (SELECT i.data #> %s::text[] AS part OFFSET 0) AS found
)"""


def run_search(keystore: Keystore, query: Query) -> list[Row]:
    """The rows of a keystore's keys that a query asks for, in the order of the keys.

    Raises ``AnswerTooLarge`` for more than one answer holds, ``RequestTimeout`` when finding them takes too long.
    """
    statement = _statement(keystore, query)
    with at_most(settings.KEYSTORE_SEARCH_SECONDS, TOO_SLOW), connection.cursor() as cursor:
        cursor.execute(statement.sql, statement.values)
        found = cursor.fetchall()
    _check_size(found)
    names = [column.name for column in query.columns]
    return [dict(zip(names, texts, strict=True)) for *texts, _ in found]


def _check_size(found: list[tuple]) -> None:
    rows, size = settings.KEYSTORE_SEARCH_ROWS, settings.KEYSTORE_SEARCH_BYTES
    if len(found) > rows:
        raise AnswerTooLarge(
            f"The answer would have more than {rows} rows: ask for it in parts, with limit and offset."
        )
    if found and found[-1][-1] > size:
        raise AnswerTooLarge(
            f"The answer would be larger than {size} bytes: ask for it in parts, with limit and offset."
        )


def _statement(keystore: Keystore, query: Query) -> Piece:
    """Columns c0, c1, … and the size of the answer so far; the first row beyond what is allowed is the last."""
    kind = Kind(keystore.kind)
    names = [f"c{number}" for number in range(len(query.columns))]
    columns = [
        _column(column.field, kind) + Piece(f" AS {name}") for column, name in zip(query.columns, names, strict=True)
    ]
    own = "octet_length(concat(" + ", ".join(names) + "))"
    return (
        Piece(f"SELECT {', '.join(names)}, size FROM (SELECT *, {own} AS own, sum({own}) OVER ")  # noqa: S608 - c0, c1
        + Piece("(ORDER BY key ROWS UNBOUNDED PRECEDING) AS size FROM (SELECT i.key, ")
        + _joined(", ", columns)
        + Piece(" FROM (")
        + _page(keystore, query)
        + Piece(") AS i) AS chosen) AS sized WHERE size - own <= %s ORDER BY key", (settings.KEYSTORE_SEARCH_BYTES,))
    )


def _page(keystore: Keystore, query: Query) -> Piece:
    """The keys that fit."""
    texts, condition = _condition(query.where, Kind(keystore.kind))
    return (
        Piece("SELECT i.key, i.data FROM keystores_keystoreitem i")
        + texts
        + Piece(" WHERE i.keystore_id = %s AND ", (keystore.pk,))
        + condition
        + Piece(" ORDER BY i.key LIMIT %s OFFSET %s", (query.page.limit, query.page.offset))
    )


def _condition(where: Group, kind: Kind) -> tuple[Piece, Piece]:
    """Where the texts come from that rules speak of, each read once for a key; and the condition."""
    fields = fields_of(where)
    names: dict[Field, str] = {field: f"f.f{number}" for number, field in enumerate(fields)}
    if not fields:
        return Piece(""), condition_of(where, names)
    texts = [text_of(field, kind) + Piece(f" AS f{number}") for number, field in enumerate(fields)]
    # OFFSET 0 keeps the planner from working each text out anew wherever it is named.
    source = Piece(" CROSS JOIN LATERAL (SELECT ") + _joined(", ", texts) + Piece(" OFFSET 0) AS f")
    return source, condition_of(where, names)


def _column(field: Field, kind: Kind) -> Piece:
    if field is Whole.KEY:
        return Piece("i.key")
    return Piece(_SHOWN[kind]) if isinstance(field, Whole) else Piece(_PART, (list(field),))


def _joined(glue: str, pieces: list[Piece]) -> Piece:
    return Piece(glue.join(piece.sql for piece in pieces), tuple(value for piece in pieces for value in piece.values))
