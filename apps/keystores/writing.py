"""The statements that make and change keys.

Each also tells whether there is a keystore and of which kind it is, so that a write usually takes one statement: it
supposes the kind that its content speaks for, and is repeated only when the keystore turns out to be of the other.
"""

from django.db import IntegrityError, connection

from apps.keystores.content import Content
from apps.keystores.models import Kind
from apps.keystores.selectors import Item, check_identifier, no_keystore

FILL = """
WITH k AS (
    SELECT id, kind, structure FROM keystores_keystore
    WHERE workspace_id = %(workspace)s AND identifier = %(identifier)s
), kept AS (
    INSERT INTO keystores_keystoreitem AS i (keystore_id, key, data, version, date_created, date_modified)
    SELECT id, %(key)s, structure, 1, now(), now() FROM k
    ON CONFLICT (keystore_id, key) DO NOTHING
    RETURNING i.id, i.version, i.date_modified, i.data::text
)
SELECT k.kind, kept.* FROM k LEFT JOIN kept ON true
"""
INSERT = """
WITH k AS (
    SELECT id, kind FROM keystores_keystore WHERE workspace_id = %(workspace)s AND identifier = %(identifier)s
), kept AS (
    INSERT INTO keystores_keystoreitem AS i (keystore_id, key, data, version, date_created, date_modified)
    SELECT id, %(key)s, %(data)s::json, 1, now(), now() FROM k WHERE kind = %(kind)s
    ON CONFLICT (keystore_id, key) DO NOTHING
    RETURNING i.id, i.version, i.date_modified
)
SELECT k.kind, kept.* FROM k LEFT JOIN kept ON true
"""
UPSERT = """
WITH k AS (
    SELECT id, kind FROM keystores_keystore WHERE workspace_id = %(workspace)s AND identifier = %(identifier)s
), kept AS (
    INSERT INTO keystores_keystoreitem AS i (keystore_id, key, data, version, date_created, date_modified)
    SELECT id, %(key)s, %(data)s::json, 1, now(), now() FROM k WHERE kind = %(kind)s
    ON CONFLICT (keystore_id, key) DO UPDATE
    SET data = EXCLUDED.data, version = i.version + 1, date_modified = EXCLUDED.date_modified
    RETURNING i.id, i.version, i.date_modified
)
SELECT k.kind, kept.* FROM k LEFT JOIN kept ON true
"""


def fill(workspace_id: int, identifier: str, key: str) -> Item | None:
    """A new key with the keystore's structure; nothing when the key is there already."""
    kind, *rest = _run(FILL, workspace_id, identifier, key)
    return None if rest[0] is None else Item(key, Kind(kind), *rest)


def write(statement: str, workspace_id: int, identifier: str, key: str, content: Content) -> Item | None:
    """The key as it is kept now; nothing when ``statement`` is ``INSERT`` and the key is there already.

    Raises ``BadRequest`` for content that the keystore cannot keep, ``NotFound`` without the keystore.
    """
    kind: Kind = content.likely
    while True:
        data = content.kept_in(kind)
        found, item_id, version, date = _run(statement, workspace_id, identifier, key, data=data, kind=kind.value)
        if found == kind:
            return None if item_id is None else Item(key, kind, item_id, version, date, data)
        kind = Kind(found)


def _run(statement: str, workspace_id: int, identifier: str, key: str, **more: str) -> tuple:
    check_identifier(identifier)
    values: dict[str, str | int] = {"workspace": workspace_id, "identifier": identifier, "key": key, **more}
    try:
        with connection.cursor() as cursor:
            cursor.execute(statement, values)
            row = cursor.fetchone()
    except IntegrityError:  # the keystore was removed while the statement ran
        row = None
    if row is None:
        raise no_keystore()
    return row
