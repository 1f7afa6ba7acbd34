"""Searches that end in time: the database gives up on a statement that takes too long."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import OperationalError, connection, transaction
from psycopg.errors import QueryCanceled

from apps.core.errors import RequestTimeout


@contextmanager
def at_most(seconds: float, advice: str) -> Iterator[None]:
    """A transaction whose statements may take ``seconds`` each.

    Raises ``RequestTimeout`` with ``advice`` when one takes longer.
    Inside another transaction the limit of before holds again afterwards.
    """
    nested = connection.in_atomic_block
    before = _current() if nested else ""
    try:
        with transaction.atomic():
            _limit(f"{max(1, round(seconds * 1000))}ms")
            yield
    except OperationalError as error:
        if isinstance(error.__cause__, QueryCanceled):
            raise RequestTimeout(advice) from None
        raise
    if nested:
        _limit(before)


def _current() -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_setting('statement_timeout')")
        return str(cursor.fetchone()[0])


def _limit(value: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('statement_timeout', %s, true)", [value])
