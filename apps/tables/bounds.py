"""A limit to how long a statement on a table may take."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.conf import settings
from django.db import OperationalError, ProgrammingError, connection, transaction
from psycopg.errors import QueryCanceled, UndefinedColumn, UndefinedTable

from apps.core.errors import Conflict, RequestTimeout

_SET = "SELECT set_config('statement_timeout', %s, true), set_config('plan_cache_mode', %s, true)"
_READ = "SELECT current_setting('statement_timeout'), current_setting('plan_cache_mode')"


@contextmanager
def bounded(advice: str) -> Iterator[None]:
    """A transaction whose statements end after ``TABLE_SEARCH_SECONDS`` and are planned for their own values.

    Plans made for any value cannot know that a pattern begins with letters, which is what an index needs. Raises
    ``RequestTimeout`` with ``advice``.
    """
    seconds = settings.TABLE_SEARCH_SECONDS
    try:
        with transaction.atomic(), _settings(f"{round(seconds * 1000)}ms", "force_custom_plan"), unchanged():
            yield
    except OperationalError as error:
        if isinstance(error.__cause__, QueryCanceled):
            raise RequestTimeout(f"The search took longer than {seconds:g} seconds and was ended. {advice}") from None
        raise


@contextmanager
def unchanged() -> Iterator[None]:
    """Raises ``Conflict`` when a column or the table went away while a statement was on its way to it."""
    try:
        yield
    except ProgrammingError as error:
        if isinstance(error.__cause__, UndefinedColumn | UndefinedTable):
            raise Conflict("The table was changed at this moment: try again.") from None
        raise


@contextmanager
def _settings(timeout: str, plans: str) -> Iterator[None]:
    """For the rest of the transaction; inside a larger one, what held before holds again afterwards."""
    with connection.cursor() as cursor:
        before = None
        if connection.savepoint_ids:
            cursor.execute(_READ)
            before = cursor.fetchone()
        cursor.execute(_SET, [timeout, plans])
        yield
        if before:
            cursor.execute(_SET, before)
