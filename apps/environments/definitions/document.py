"""A whole definition: read out of a workspace, checked, brought into another workspace."""

import hashlib
import json
from collections.abc import Iterator, Sequence
from functools import cache
from typing import Any

import jsonschema_rs
from django.db import transaction

from apps.applications.caller import Caller
from apps.core.errors import BadRequest, Detail
from apps.core.jsonio import JSON
from apps.environments.definitions.section import Section, Target
from apps.environments.definitions.sections import SECTIONS

FORMAT = "flowize-project/1"
_MOST_FAULTS = 20

Definition = dict[str, Any]


def read_definition(workspace_id: int) -> Definition:
    """What the workspace's project is made of, without any secret; the same content always gives the same document."""
    return {"format": FORMAT} | {section.name: section.export(workspace_id) for section in SECTIONS}


def fingerprint(definition: Definition) -> str:
    """The SHA-256 of a definition's content."""
    text = json.dumps(definition, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


def check_definition(document: JSON) -> Definition:
    """The document as a definition; raises ``BadRequest`` naming what does not fit the format."""
    found = {(pointer(error), error.message) for error in _validator().iter_errors(document)}
    if isinstance(document, dict) and not found:
        found = set(_named_twice(document))
    if isinstance(document, dict) and not found:
        return {section.name: [] for section in SECTIONS} | document
    details = [Detail(path, message) for path, message in sorted(found)[:_MOST_FAULTS]]
    raise BadRequest("The file is no project of the format flowize-project/1.", details=details)


def apply_definition(
    caller: Caller,
    definition: Definition,
    *,
    source_id: int | None = None,
    replaceable: frozenset[str] = frozenset(),
    sections: Sequence[Section] = SECTIONS,
) -> list[str]:
    """Bring the caller's workspace in line with the definition, all or nothing; lines for the person who asked.

    ``sections`` are the parts to be applied. Raises ``BadRequest`` and ``Conflict``, each naming the part it is about.
    """
    caller.require("schema")
    caller.require("flowdiagram")
    target = Target(caller, source_id, replaceable)
    with transaction.atomic():
        for section in sections:
            _apply(section, target, definition.get(section.name, []))
    return target.notes


def pointer(error: jsonschema_rs.ValidationError) -> str:
    """Where in the document a fault is."""
    return "".join(f"/{part}" for part in error.instance_path)


def _named_twice(document: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Items that cannot be told apart from others before them."""
    for section in SECTIONS:
        yield from _repeated(document.get(section.name, []), section.key, f"/{section.name}")
    for number, table in enumerate(document.get("tables", [])):
        yield from _repeated(table["columns"], "name", f"/tables/{number}/columns")


def _repeated(items: list[dict[str, Any]], key: str, path: str) -> Iterator[tuple[str, str]]:
    seen: set[str] = set()
    for number, item in enumerate(items):
        if key in item and item[key] in seen:
            yield f"{path}/{number}/{key}", "Is named twice."
        seen.add(item.get(key, ""))


def _apply(section: Section, target: Target, items: list[dict[str, Any]]) -> None:
    try:
        section.apply(target, [_filled(section, item) for item in items])
    except BadRequest as error:
        details = [Detail(f"/{section.name}{detail.path}", detail.message) for detail in error.details]
        raise BadRequest(f"{section.name}: {error.message}", details=details) from None


def _filled(section: Section, item: dict[str, Any]) -> dict[str, Any]:
    """The item with empty texts for those it leaves out."""
    texts = {name: "" for name, schema in section.item_schema["properties"].items() if schema.get("type") == "string"}
    return texts | item


@cache
def _validator() -> jsonschema_rs.Draft202012Validator:
    properties: dict[str, Any] = {
        section.name: {"type": "array", "items": section.item_schema, "maxItems": section.most} for section in SECTIONS
    }
    schema = {
        "type": "object",
        "properties": {"format": {"const": FORMAT}, "name": {"type": "string"}, **properties},
        "required": ["format"],
        "additionalProperties": False,
    }
    return jsonschema_rs.Draft202012Validator(schema, offline=True, mask="the value")
