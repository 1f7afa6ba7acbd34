"""Copying the keys of one keystore to another, in one statement however many there are."""

from django.db import connection

from apps.core.copy_action import CopyAction

_COPY = """
INSERT INTO keystores_keystoreitem AS i (keystore_id, key, data, version, date_created, date_modified)
SELECT %(target)s, key, data, 1, now(), now() FROM keystores_keystoreitem WHERE keystore_id = %(source)s
ON CONFLICT (keystore_id, key) DO {conflict}
"""
_UPDATE = """UPDATE SET data = excluded.data, version = i.version + 1, date_modified = now()
WHERE i.data::text <> excluded.data::text"""


def copy_items(source_id: int, target_id: int, action: CopyAction) -> int:
    """The keys of a keystore to another of the same kind; how many were written.

    They never pass through this process. Runs in the caller's transaction.
    """
    conflict = _UPDATE if action is CopyAction.UPSERT else "NOTHING"
    with connection.cursor() as cursor:
        if action is CopyAction.REPLACE:
            cursor.execute("DELETE FROM keystores_keystoreitem WHERE keystore_id = %s", [target_id])
        cursor.execute(_COPY.format(conflict=conflict), {"source": source_id, "target": target_id})
        return cursor.rowcount
