"""Copying what a project's keystores and tables hold from one workspace to another, by name."""

from apps.core.copy_action import CopyAction
from apps.core.errors import NotFound
from apps.keystores.copying import copy_items
from apps.keystores.models import Keystore
from apps.tables.copying import copy_rows
from apps.tables.models import Table


def copy_keystore(source_id: int, target_id: int, identifier: str, action: CopyAction) -> int:
    """The keys of a keystore to that of the same name in the other workspace; how many were written.

    Raises ``NotFound`` when either has no such keystore.
    """
    return copy_items(_keystore(source_id, identifier), _keystore(target_id, identifier), action)


def copy_table(source_id: int, target_id: int, name: str, action: CopyAction) -> int:
    """The rows of a table, with their ids, to that of the same name in the other workspace; how many were written.

    Raises ``NotFound`` when either has no such table.
    """
    return copy_rows(_table(source_id, name), _table(target_id, name), action)


def _keystore(workspace_id: int, identifier: str) -> int:
    rows = Keystore.objects.in_workspace(workspace_id)
    found: int | None = rows.filter(identifier=identifier).values_list("pk", flat=True).first()
    if found is None:
        raise NotFound(f"There is no keystore {identifier}.")
    return found


def _table(workspace_id: int, name: str) -> Table:
    found: Table | None = Table.objects.in_workspace(workspace_id).prefetch_related("columns").filter(name=name).first()
    if found is None:
        raise NotFound(f"There is no table {name}.")
    return found
