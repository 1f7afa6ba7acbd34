"""Removing a workspace with all that is in it: set by set, children before parents, a piece at a time.

Which rows those are is read from the models, so that nothing that an app adds later is forgotten. The physical tables
of people go with the rows that define them: what nothing refers to is dropped by ``tables``.
"""

from collections.abc import Callable, Iterator
from functools import cache
from graphlib import TopologicalSorter
from typing import Any

from django.apps import apps
from django.db.models import CASCADE, ForeignKey, Model

from apps.accounts.models import Workspace

PIECE = 5_000
Models = type[Model]


def remove_workspace(workspace: Workspace, renew: Callable[[], None], piece: int = PIECE) -> int:
    """Delete the workspace; returns how many rows went with it. ``renew`` is called after each piece.

    Rows that arrive in the meantime make the last statement fail; doing it again then removes them, too.
    """
    for model, path, field in circles():
        _rows(model).filter(**{path: workspace.pk, f"{field}__isnull": False}).update(**{field: None})
    removed = 0
    for model, path in contents():
        while count := _delete(model, path, workspace.pk, piece):
            removed += count
            renew()
    _raw_delete(Workspace, pk=workspace.pk)
    return removed


def _delete(model: Models, path: str, workspace_id: int, piece: int) -> int:
    keys = list(_rows(model).filter(**{path: workspace_id}).values_list("pk", flat=True)[:piece])
    return _raw_delete(model, pk__in=keys) if keys else 0


def _raw_delete(model: Models, **which: Any) -> int:
    """Without reading the rows or looking for more that goes with them: the order has seen to that."""
    return int(_rows(model).filter(**which)._raw_delete("default"))


def _rows(model: Models) -> Any:
    return model._base_manager.all()


@cache
def contents() -> tuple[tuple[Models, str], ...]:
    """Every model whose rows belong to a workspace with each path that leads there; children before parents."""
    paths = _paths()
    order: TopologicalSorter[Models] = TopologicalSorter({model: set() for model in paths})
    for model in paths:
        for field in _references(model):
            parent = field.related_model
            if parent in paths and parent is not model and not _may_be_cut(field):
                order.add(parent, model)
    return tuple((model, path) for model in order.static_order() for path in paths[model])


@cache
def circles() -> tuple[tuple[Models, str, str], ...]:
    """References that may go round in circles, as a flow knows its live version: cut before anything is deleted."""
    paths = _paths()
    return tuple(
        (model, path, field.name)
        for model in paths
        for field in _references(model)
        if field.related_model in paths and _may_be_cut(field)
        for path in paths[model]
    )


def _paths() -> dict[Models, list[str]]:
    found: dict[Models, list[str]] = {}
    for model, path in _owned(Workspace, "", frozenset({Workspace})):
        found.setdefault(model, []).append(path)
    return found


def _owned(parent: Models, path: str, above: frozenset[Models]) -> Iterator[tuple[Models, str]]:
    """The models whose rows go with a row of ``parent``."""
    for model in apps.get_models(include_auto_created=True):
        for field in _references(model):
            if field.related_model is parent and _owns(field) and model not in above:
                here = f"{field.name}__{path}" if path else field.name
                yield model, here
                yield from _owned(model, here, above | {model})


def _owns(field: Any) -> bool:
    return bool(field.remote_field.on_delete is CASCADE)


def _may_be_cut(field: Any) -> bool:
    return bool(field.null) and not _owns(field)


def _references(model: Models) -> list[Any]:
    return [field for field in model._meta.concrete_fields if isinstance(field, ForeignKey)]
