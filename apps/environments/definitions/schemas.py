"""The data schema, and the data fields that records are searched by."""

from typing import Any

from apps.environments.definitions.section import FLAG, NAME, TEXT, Items, Section, Target, described, placed
from apps.schemas.fields import change_field, create_field
from apps.schemas.models import DataField, Schema
from apps.schemas.services import check_texts

URL = {"type": "string", "maxLength": 2048}


def _export_schema(workspace_id: int) -> Items:
    return [dict(row) for row in Schema.objects.in_workspace(workspace_id).values("url", "source", "sample")]


def _apply_schema(target: Target, items: Items) -> None:
    rows = Schema.objects.in_workspace(target.workspace_id)
    if not items:
        rows.delete()
        return
    wanted = items[0]
    check_texts(wanted["source"], wanted["sample"])
    schema = rows.select_for_update().first() or Schema(workspace_id=target.workspace_id, version=0)
    if (schema.source, schema.sample, schema.url) == (wanted["source"], wanted["sample"], wanted["url"]):
        return
    schema.source, schema.sample, schema.url = wanted["source"], wanted["sample"], wanted["url"]
    schema.version += 1
    schema.save()


def _export_fields(workspace_id: int) -> Items:
    rows = DataField.objects.in_workspace(workspace_id).order_by("name")
    return [dict(row) for row in rows.values("name", "path", "list_column")]


def _apply_fields(target: Target, items: Items) -> None:
    present = {field.name: field for field in DataField.objects.in_workspace(target.workspace_id)}
    for name in present.keys() - {item["name"] for item in items}:
        present[name].delete()
    for number, item in enumerate(items):
        with placed(number, item["name"]):
            _bring_in_line(target, present.get(item["name"]), item)


def _bring_in_line(target: Target, field: DataField | None, item: dict[str, Any]) -> None:
    if field is None:
        create_field(target.caller, **item)
    elif (field.path, field.list_column) != (item["path"], item["list_column"]):
        change_field(target.caller, field.pk, **item)


SCHEMA = Section(
    name="schema",
    item_schema=described({"url": URL, "source": TEXT, "sample": TEXT}),
    export=_export_schema,
    apply=_apply_schema,
    most=1,
)
DATA_FIELDS = Section(
    name="data_fields",
    item_schema=described({"name": NAME, "path": NAME, "list_column": FLAG}),
    export=_export_fields,
    apply=_apply_fields,
)
