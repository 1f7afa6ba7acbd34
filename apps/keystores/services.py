"""Reading, writing, removing and searching the keys of keystores.

Keystores themselves are made by people in the admin; keys come and go through callers and flows.
"""

from contextlib import nullcontext
from typing import Any

from django.db import transaction

from apps.applications.caller import Caller
from apps.core.errors import BadRequest, Conflict, PreconditionFailed
from apps.core.jsonio import JSON
from apps.core.preconditions import Precondition
from apps.keystores import selectors
from apps.keystores.content import Content
from apps.keystores.models import KeystoreItem, fault_of_key
from apps.keystores.query import read_query
from apps.keystores.search import Row, run_search
from apps.keystores.selectors import Item, ItemVersion, no_key, version_parts
from apps.keystores.writing import INSERT, UPSERT, fill, write


def get_item(caller: Caller, keystore: str, key: str) -> Item:
    """A key that is there; raises ``NotFound`` without it or without the keystore."""
    caller.require("keystore.read")
    check_key(key)
    item = selectors.find_item(caller.workspace_id, keystore, key)
    if item is None:
        raise no_key()
    return item


def get_or_create_item(caller: Caller, keystore: str, key: str) -> Item:
    """The key, made with the keystore's structure when it is not there; raises ``NotFound`` without the keystore.

    Reading is enough of a right: the structure is all that can come about.
    """
    caller.require("keystore.read")
    check_key(key)
    while True:
        where = (caller.workspace_id, keystore, key)
        item = selectors.find_item(*where) or _filled(caller, *where)
        if item is not None:  # else somebody made it between the two
            return item


def _filled(caller: Caller, workspace_id: int, keystore: str, key: str) -> Item | None:
    caller.require_room()
    return fill(workspace_id, keystore, key)


def find_version(caller: Caller, keystore: str, key: str) -> ItemVersion | None:
    """Which state of the key it is, for whoever may have it already; nothing for a key that is not there."""
    caller.require("keystore.read")
    check_key(key)
    return selectors.find_version(caller.workspace_id, keystore, key)


def create_item(caller: Caller, keystore: str, key: str, content: Content) -> Item:
    """Keep ``content`` under a key that is not there yet; raises ``Conflict`` when it is."""
    caller.require("keystore")
    caller.require_room()
    check_key(key)
    item = write(INSERT, caller.workspace_id, keystore, key, content)
    if item is None:
        raise Conflict("The key exists already: replace it with PUT.")
    return item


def put_item(
    caller: Caller, keystore: str, key: str, content: Content, *, precondition: Precondition | None = None
) -> Item:
    """Keep ``content`` under a key in place of whatever it held; a key that is not there is made."""
    caller.require("keystore")
    caller.require_room()
    check_key(key)
    with transaction.atomic() if precondition else nullcontext():
        held = precondition is None or _held(caller, keystore, key, precondition) is not None
        item = write(UPSERT if held else INSERT, caller.workspace_id, keystore, key, content)
    if item is None:  # somebody made it after it was found missing
        raise PreconditionFailed
    return item


def delete_item(caller: Caller, keystore: str, key: str, *, precondition: Precondition | None = None) -> None:
    """Remove a key; raises ``NotFound`` without it or without the keystore."""
    caller.require("keystore")
    check_key(key)
    with transaction.atomic():
        if precondition:
            _held(caller, keystore, key, precondition)
        removed, _ = _rows(caller, keystore, key).delete()
    if not removed:
        selectors.get_keystore(caller.workspace_id, keystore)
        raise no_key()


def search(
    caller: Caller, keystore: str, *, select: JSON = None, where: JSON = None, limit: JSON = None, offset: JSON = None
) -> list[Row]:
    """One row for each key that fits ``where``, in the order of the keys: a text or nothing under each selected name.

    ``select`` and ``where`` are as callers write them, ``limit`` and ``offset`` numbers or texts of digits. Raises
    ``BadRequest`` naming the place that cannot be understood, ``AnswerTooLarge`` and ``RequestTimeout`` when it is too
    much for one answer.
    """
    caller.require("keystore.read")
    query = read_query(select, where, limit, offset)
    return run_search(selectors.get_keystore(caller.workspace_id, keystore), query)


def check_key(key: str) -> None:
    """Raise ``BadRequest`` for a text that cannot be a key."""
    if fault := fault_of_key(key):
        raise BadRequest(fault)


def _rows(caller: Caller, keystore: str, key: str) -> Any:
    selectors.check_identifier(keystore)
    return KeystoreItem.objects.in_workspace(caller.workspace_id).filter(keystore__identifier=keystore, key=key)


def _held(caller: Caller, keystore: str, key: str, precondition: Precondition) -> KeystoreItem | None:
    """The key, held until the transaction ends, once it is the one the caller means to change."""
    row: KeystoreItem | None = _rows(caller, keystore, key).select_for_update(of=("self",)).defer("data").first()
    if row is None:
        selectors.get_keystore(caller.workspace_id, keystore)
        precondition.check()
    else:
        precondition.check(*version_parts(row), modified=row.date_modified)
    return row
