"""Finding a key, in one statement together with the keystore it is in."""

import json
from dataclasses import dataclass
from datetime import datetime

from django.db import connection

from apps.core.errors import NotFound
from apps.core.jsonio import JSON
from apps.core.preconditions import Part
from apps.keystores.models import IDENTIFIER, Keystore, KeystoreItem, Kind

_FIND = """
SELECT k.kind, i.id, i.version, i.date_modified, i.data::text
FROM keystores_keystore k
LEFT JOIN keystores_keystoreitem i ON i.keystore_id = k.id AND i.key = %(key)s
WHERE k.workspace_id = %(workspace)s AND k.identifier = %(identifier)s
"""
# Without the document, which may be large.
_FIND_VERSION = """
SELECT i.id, i.version, i.date_modified
FROM keystores_keystore k
LEFT JOIN keystores_keystoreitem i ON i.keystore_id = k.id AND i.key = %(key)s
WHERE k.workspace_id = %(workspace)s AND k.identifier = %(identifier)s
"""


@dataclass(frozen=True, slots=True)
class Item:
    """A key with what it holds; ``data`` is JSON text, of a RAW keystore that of one string."""

    key: str
    kind: Kind
    id: int
    version: int
    date_modified: datetime
    data: str

    @property
    def document(self) -> JSON:
        """The document; a RAW keystore's text."""
        value: JSON = json.loads(self.data)
        return value

    @property
    def text(self) -> str:
        """What a RAW keystore keeps, or the JSON text of a document."""
        return self.data if self.kind is Kind.JSON else json.loads(self.data)


@dataclass(frozen=True, slots=True)
class ItemVersion:
    """Which state of a key it is, and since when."""

    id: int
    version: int
    date_modified: datetime


def version_parts(item: Item | ItemVersion | KeystoreItem) -> tuple[Part, ...]:
    """What tells this state of a key from every other."""
    return ("key", item.id, item.version)


def no_keystore() -> NotFound:
    """The error for a keystore that the workspace does not have."""
    return NotFound("There is no such keystore.")


def no_key() -> NotFound:
    """The error for a key that the keystore does not have."""
    return NotFound("There is no such key.")


def get_keystore(workspace_id: int, identifier: str) -> Keystore:
    """The workspace's keystore of that identifier; raises ``NotFound``."""
    check_identifier(identifier)
    found = Keystore.objects.in_workspace(workspace_id).filter(identifier=identifier).first()
    if found is None:
        raise no_keystore()
    return found


def find_item(workspace_id: int, identifier: str, key: str) -> Item | None:
    """The key, or nothing when the keystore has no such key; raises ``NotFound`` without the keystore."""
    kind, *rest = _one(_FIND, workspace_id, identifier, key)
    return None if rest[0] is None else Item(key, Kind(kind), *rest)


def find_version(workspace_id: int, identifier: str, key: str) -> ItemVersion | None:
    """As ``find_item``, for whoever may have the document already."""
    row = _one(_FIND_VERSION, workspace_id, identifier, key)
    return None if row[0] is None else ItemVersion(*row)


def check_identifier(identifier: str) -> None:
    """Raise ``NotFound`` for a text that no keystore can be named by."""
    if not IDENTIFIER.fullmatch(identifier):
        raise no_keystore()


def _one(statement: str, workspace_id: int, identifier: str, key: str) -> tuple:
    check_identifier(identifier)
    with connection.cursor() as cursor:
        cursor.execute(statement, {"workspace": workspace_id, "identifier": identifier, "key": key})
        row = cursor.fetchone()
    if row is None:
        raise no_keystore()
    return row
