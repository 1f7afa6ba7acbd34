"""Defining the data fields of a workspace."""

import re
from typing import Any

from django.db import IntegrityError, transaction

from apps.accounts.models import Workspace
from apps.applications.caller import Caller
from apps.core.errors import BadRequest, Conflict, NotFound
from apps.schemas.models import LONGEST_NAME, LONGEST_PATH, DataField

MOST_FIELDS = 20
MOST_PARTS = 20
_NAME = re.compile(r"[^\x00-\x1f\x7f]+")


def create_field(caller: Caller, *, name: str, path: str, list_column: bool = False) -> DataField:
    """Define a data field; records that are there already are read by a job.

    Raises ``BadRequest`` for a name or path that cannot be used, ``Conflict`` for a name that is taken and when there
    are 20 already.
    """
    caller.require("schema")
    check_names(name, path)
    with transaction.atomic():
        others = _locked_fields(caller)
        if others.count() >= MOST_FIELDS:
            raise Conflict(f"A workspace has at most {MOST_FIELDS} data fields.")
        return _save(DataField(workspace_id=caller.workspace_id, name=name, path=path, list_column=list_column))


def change_field(caller: Caller, field_id: int, *, name: str, path: str, list_column: bool = False) -> DataField:
    """Rename a field, mark it as list column, or give it another path.

    Another path makes another field: its values have nothing to do with those of the old one.
    """
    caller.require("schema")
    check_names(name, path)
    with transaction.atomic():
        field = _locked_fields(caller).filter(pk=field_id).first()
        if field is None:
            raise NotFound("There is no such data field.")
        if field.path != path:
            field.delete()
            field = DataField(workspace_id=caller.workspace_id, path=path)
        field.name, field.list_column = name, list_column
        return _save(field)


def check_names(name: Any, path: Any) -> None:
    """Raise ``BadRequest`` unless both can be used: a name of visible characters, a path without empty parts."""
    if not (isinstance(name, str) and _NAME.fullmatch(name) and name == name.strip() and len(name) <= LONGEST_NAME):
        raise BadRequest(f"The name must be 1 to {LONGEST_NAME} characters without control characters.")
    parts = path.split(".") if isinstance(path, str) and len(path) <= LONGEST_PATH and "\0" not in path else []
    if not 0 < len(parts) <= MOST_PARTS or not all(parts):
        raise BadRequest(f"The path must be 1 to {MOST_PARTS} keys with dots between them, such as client.0.email.")


def _locked_fields(caller: Caller) -> Any:
    """The workspace's fields; their workspace is locked, so that two calls count and mark one after the other."""
    Workspace.objects.select_for_update(no_key=True).get(pk=caller.workspace_id)
    return DataField.objects.in_workspace(caller.workspace_id)


def _save(field: DataField) -> DataField:
    if field.list_column:
        DataField.objects.in_workspace(field.workspace_id).exclude(pk=field.pk).update(list_column=False)
    try:
        with transaction.atomic():
            field.save()
    except IntegrityError:
        raise Conflict(f"There is a data field named {field.name} already.") from None
    return field
