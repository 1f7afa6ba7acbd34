"""``core.table.insert``, ``select``, ``update`` and ``delete``: what callers may do with rows, done by a flow."""

from typing import Any

from django.conf import settings

from apps.core.errors import NotFound
from apps.flows.engine.results import AppResult
from apps.flows.engine.walk import Call
from apps.records.place import Place
from apps.tables import services, values
from apps.tables.selectors import get_definition

_SEARCH = ("where", "limit", "offset", "order_field", "order_type")


def insert_row(place: Place, call: Call) -> AppResult:
    """Stores a row; the output is the row as callers get it."""
    caller = place.caller()
    definition, row = services.insert_row(caller, call.config["table"], call.config["values"])
    return _result(call, "ok", values.for_caller(definition, row, caller.zone))


def select_rows(place: Place, call: Call) -> AppResult:
    """Leaves by ``ok`` with the rows of one page, or by ``missing`` when there are none."""
    caller = place.caller()
    found = services.search_rows(caller, call.config["table"], **_search(call), most_counted=settings.SEARCH_COUNT)
    rows = [values.for_caller(found.definition, row, caller.zone) for row in found.rows]
    return _result(call, "ok" if rows else "missing", {"rows": rows, "matches": found.matches})


def update_rows(place: Place, call: Call) -> AppResult:
    """Leaves by ``ok`` with the number of rows changed, or by ``missing`` when that is none."""
    config = call.config
    try:
        changed = services.update_rows(
            place.caller(), config["table"], config["values"], row_id=config.get("id"), **_search(call)
        )
    except NotFound:
        _require_table(place, config["table"])
        changed = 0
    return _result(call, "ok" if changed else "missing", {"changed": changed})


def delete_row(place: Place, call: Call) -> AppResult:
    """Leaves by ``missing`` when there was no such row."""
    try:
        services.delete_row(place.caller(), call.config["table"], call.config["id"])
    except NotFound:
        _require_table(place, call.config["table"])
        return AppResult("missing")
    return AppResult("ok")


def _result(call: Call, port: str, output: Any) -> AppResult:
    return AppResult(port, output, {call.config["save_to"]: output} if "save_to" in call.config else {})


def _search(call: Call) -> dict[str, Any]:
    return {name: call.config[name] for name in _SEARCH if name in call.config}


def _require_table(place: Place, table: str) -> None:
    """Raises ``NotFound`` when it is the table that is missing, not the row."""
    get_definition(place.workspace_id, table)
