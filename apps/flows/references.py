"""Whether what a flow names exists in its workspace."""

from collections.abc import Callable, Iterable
from typing import Any

from apps.contents.models import Template
from apps.flows.engine.document import Problem
from apps.flows.engine.references import Reference, references
from apps.flows.models import Flow
from apps.keystores.models import Keystore
from apps.tables.models import Table
from apps.webhooks.models import Webhook

Exists = Callable[[int, Iterable[str]], set[str]]


def _named(model: Any, field: str) -> Exists:
    """Which of the names the workspace has."""

    def find(workspace_id: int, names: Iterable[str]) -> set[str]:
        rows = model.objects.in_workspace(workspace_id).filter(**{f"{field}__in": list(names)})
        return set(rows.values_list(field, flat=True))

    return find


# What can be named, and how it is found.
KINDS: dict[str, Exists] = {
    "flow": _named(Flow, "name"),
    "keystore": _named(Keystore, "identifier"),
    "webhook": _named(Webhook, "name"),
    "table": _named(Table, "name"),
    "template": _named(Template, "name"),
}


def missing(document: dict[str, Any], workspace_id: int) -> list[Problem]:
    """A problem for each reference that leads nowhere; the document's shape must be right."""
    found = references(document)
    known = {kind: KINDS[kind](workspace_id, _names(found, kind)) for kind in {item.kind for item in found}}
    return [
        Problem(item.object, item.path, f"there is no {item.kind} named '{item.name}'")
        for item in found
        if item.name not in known[item.kind]
    ]


def _names(found: Iterable[Reference], kind: str) -> set[str]:
    # PostgreSQL takes no NUL, and nothing is named by one.
    return {item.name for item in found if item.kind == kind and "\0" not in item.name}
