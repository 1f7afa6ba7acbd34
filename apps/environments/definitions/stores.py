"""Keystores and tables as they are defined; what they hold is copied apart, see ``copying``."""

from typing import Any

from apps.core.errors import Conflict
from apps.core.jsonio import read_json
from apps.environments.definitions.section import FLAG, NAME, TEXT, Items, Section, Target, described, placed
from apps.keystores.content import Text
from apps.keystores.models import Keystore
from apps.keystores.models import Kind as KeystoreKind
from apps.tables.models import Column, Kind, Table
from apps.tables.structure import change_column, create_table, remove_column, save_new_column

COLUMN = described(
    {"name": NAME, "kind": {"enum": Kind.values}},
    {"default": TEXT, "required": FLAG, "indexable": FLAG},
)


def _export_keystores(workspace_id: int) -> Items:
    rows = Keystore.objects.in_workspace(workspace_id).order_by("identifier")
    return [dict(row) for row in rows.values("identifier", "kind", "description", "structure")]


def _apply_keystores(target: Target, items: Items) -> None:
    present = {row.identifier: row for row in Keystore.objects.in_workspace(target.workspace_id)}
    for number, item in enumerate(items):
        keystore = present.get(item["identifier"]) or Keystore(workspace_id=target.workspace_id, **item)
        if keystore.pk and keystore.kind != item["kind"]:
            raise Conflict(f"The keystore {item['identifier']} is {keystore.kind} there and {item['kind']} here.")
        with placed(number, item["identifier"]):
            keystore.description, keystore.structure = item["description"], _checked(item)
            keystore.full_clean(exclude=["workspace"])
        keystore.save()
    for identifier in sorted(present.keys() - {item["identifier"] for item in items}):
        target.notes.append(f"The keystore {identifier} is no longer part of the project; it keeps its keys.")


def _checked(item: dict[str, Any]) -> str:
    """The structure, once it is of the keystore's kind."""
    value = read_json(item["structure"])
    kind = KeystoreKind(item["kind"])
    text = value if kind is KeystoreKind.RAW and isinstance(value, str) else item["structure"]
    return Text(text).kept_in(kind)


def _export_tables(workspace_id: int) -> Items:
    rows = Table.objects.in_workspace(workspace_id).order_by("name").prefetch_related("columns")
    return [{"name": row.name, "description": row.description, "columns": _columns(row)} for row in rows]


def _columns(table: Table) -> Items:
    return [
        {
            "name": column.name,
            "kind": column.kind,
            "default": column.default,
            "required": column.required,
            "indexable": column.indexable,
        }
        for column in table.columns.all()
    ]


def _apply_tables(target: Target, items: Items) -> None:
    present = {row.name: row for row in Table.objects.in_workspace(target.workspace_id)}
    for number, item in enumerate(items):
        with placed(number, item["name"]):
            table = present.get(item["name"]) or _create_table(target, item["name"])
            if table.description != item["description"]:
                table.description = item["description"]
                table.save(update_fields=["description"])
            _apply_columns(target, table, item["columns"])
    for name in sorted(present.keys() - {item["name"] for item in items}):
        target.notes.append(f"The table {name} is no longer part of the project; it keeps its rows.")


def _create_table(target: Target, name: str) -> Table:
    Table(workspace_id=target.workspace_id, name=name).full_clean(exclude=["workspace"])
    return create_table(target.caller, name=name)


def _apply_columns(target: Target, table: Table, wanted: Items) -> None:
    present = {column.name: column for column in table.columns.all()}
    for name in present.keys() - {item["name"] for item in wanted}:
        remove_column(target.caller, present.pop(name))
    for position, item in enumerate(wanted):
        column = present.get(item["name"])
        if column is not None and column.kind != item["kind"]:
            _refuse_unless_replaceable(target, table, column, item["kind"])
            remove_column(target.caller, column)
            column = None
        with placed(f"columns/{position}", item["name"]):
            _bring_in_line(target, table, column, item | {"position": position})


def _refuse_unless_replaceable(target: Target, table: Table, column: Column, kind: str) -> None:
    if table.name not in target.replaceable:
        raise Conflict(
            f"The column {column.name} of the table {table.name} is {column.kind} there and {kind} here: its rows can "
            "only be replaced, with the action delete and insert."
        )


def _bring_in_line(target: Target, table: Table, column: Column | None, item: dict[str, Any]) -> None:
    emptied = table.name in target.replaceable
    if column is None:
        column = Column(table=table, **item)
        column.full_clean(exclude=["table"])
        save_new_column(target.caller, column, emptied=emptied)
        return
    if any(getattr(column, name) != value for name, value in item.items()):
        for name, value in item.items():
            setattr(column, name, value)
        change_column(target.caller, column, emptied=emptied)


KEYSTORES = Section(
    name="keystores",
    item_schema=described(
        {"identifier": NAME, "kind": {"enum": KeystoreKind.values}, "structure": TEXT}, {"description": TEXT}
    ),
    export=_export_keystores,
    apply=_apply_keystores,
    key="identifier",
)
TABLES = Section(
    name="tables",
    item_schema=described(
        {"name": NAME, "columns": {"type": "array", "items": COLUMN, "maxItems": 200}},
        {"description": {"type": "string", "maxLength": 500}},
    ),
    export=_export_tables,
    apply=_apply_tables,
)
