"""The apps that read and write rows of the workspace's tables."""

from typing import Any

from .app import VARIABLE, App

_TABLE = {"type": "string", "minLength": 1, "maxLength": 64, "description": "Name of the table."}
_ID = {"type": ["string", "integer"], "description": "The row's id."}
_VALUES = {
    "type": "object",
    "description": "Columns and their values.",
    "minProperties": 1,
    "maxProperties": 500,
}
_SEARCH: dict[str, Any] = {
    "where": {"type": "object", "description": "As in searches of the API: `condition` and `rules`."},
    "limit": {"type": ["integer", "string"], "description": "Most rows, at most and by default 100."},
    "offset": {"type": ["integer", "string"]},
    "order_field": {"type": "string", "maxLength": 64, "description": "Column to order by, by default the id."},
    "order_type": {"type": "string", "maxLength": 10, "description": "ASC or DESC."},
}


def _app(act: str, title: str, ports: tuple[str, ...], more: dict[str, Any], required: tuple[str, ...] = ()) -> App:
    return App(
        name=f"core.table.{act}",
        version=1,
        title=title,
        kind="internal",
        config_schema={
            "type": "object",
            "properties": {"table": _TABLE, **more},
            "required": ["table", *required],
            "additionalProperties": False,
        },
        ports=ports,
        timeout=5.0,
        references=(("table", "table"),),
    )


def _saved(what: str) -> dict[str, Any]:
    return {"save_to": {**VARIABLE, "description": f"Variable that keeps {what}."}}


INSERT = _app("insert", "Insert a row", ("ok",), {"values": _VALUES, **_saved("the new row")}, ("values",))
SELECT = _app("select", "Find rows", ("ok", "missing"), {**_SEARCH, **_saved("`rows` and the number of `matches`")})
UPDATE = _app(
    "update",
    "Change rows",
    ("ok", "missing"),
    {"id": _ID, **_SEARCH, "values": _VALUES, **_saved("the number of rows `changed`")},
    ("values",),
)
DELETE = _app("delete", "Remove a row", ("ok", "missing"), {"id": _ID}, ("id",))
