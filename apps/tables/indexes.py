"""Which indexes the values of a column have, named by its id."""

from collections.abc import Iterator
from typing import NamedTuple

from django.db import connection

from apps.tables import storage
from apps.tables.models import Kind


class Index(NamedTuple):
    """An index, and what is written behind the table it is on."""

    name: str
    keys: str


def wanted(column_id: int, kind: str) -> Iterator[Index]:
    """For ranges and orders; of texts also for what they contain, where the database can."""
    values = storage.column(column_id)
    key = storage.prefix(values) if kind == Kind.TEXT else values
    yield Index(f"tr_{column_id:d}", f"(({key}), id)")
    if kind == Kind.TEXT and has_trigrams():
        yield Index(f"tg_{column_id:d}", f"USING gin (lower({values}) gin_trgm_ops)")


def has_trigrams() -> bool:
    """Whether the database has the extension pg_trgm."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT EXISTS (SELECT FROM pg_extension WHERE extname = 'pg_trgm')")
        return bool(cursor.fetchone()[0])
