"""What the database holds, to tell whether a call has changed anything."""

import re
from collections.abc import Iterator

from django.db import connection

# Counted by every call, refused ones included, or written by the machinery of the framework.
COUNTERS = {"applications_ratewindow", "records_workerpulse", "django_migrations", "django_session"}
DATES_OF_USE = ["last_used_at", "api_key_last_used_at"]
OUR_SCHEMAS = ["public", "user_tables"]

Rows = dict[str, list[str]]


def everything() -> Rows:
    """All rows of every table, the physical tables of people included, but for counters and dates of use."""
    found: Rows = {name: [] for name in _tables()}
    pieces = [
        f"SELECT %s, (to_jsonb(t) - %s::text[])::text FROM {name} t"  # names come from the catalogue
        for name in found
    ]
    values = [value for name in found for value in (name, DATES_OF_USE)]
    with connection.cursor() as cursor:
        cursor.execute(" UNION ALL ".join(pieces) + " ORDER BY 1, 2", values)
        for name, row in cursor.fetchall():
            found[name].append(row)
    return found


def growth(before: Rows, after: Rows) -> dict[str, int]:
    """The tables that differ, with the number of rows each has more than before; people's tables go by no number."""
    names = sorted(before.keys() | after.keys())
    return {
        re.sub(r"(user_tables\.t)\d+", r"\1", name): len(after.get(name, [])) - len(before.get(name, []))
        for name in names
        if before.get(name) != after.get(name)
    }


def _tables() -> Iterator[str]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT format('%%I.%%I', schemaname, tablename), tablename FROM pg_tables WHERE schemaname = ANY(%s)",
            [OUR_SCHEMAS],
        )
        for qualified, name in cursor.fetchall():
            if name not in COUNTERS:
                yield qualified.removeprefix("public.")
