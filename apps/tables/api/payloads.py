"""The bodies of table calls: columns in either of their two forms, and what says which rows."""

from typing import Any

from apps.core.errors import BadRequest
from apps.core.querylang import refuse

SEARCH = ("where", "limit", "offset", "order_field", "order_type")


def columns_of(body: Any, *, with_search: bool = False) -> dict[str, Any]:
    """The values by column, from ``{column: value}`` or ``{"columns": [{"column_name", "column_value"}]}``.

    Raises ``BadRequest`` for a body that is neither or both, and for a column that is named twice.
    """
    if not isinstance(body, dict):
        raise BadRequest("The body must be an object with the columns of one row.")
    plain = {name: value for name, value in body.items() if not (with_search and name in SEARCH)}
    if "columns" not in plain:
        return plain
    listed = plain.pop("columns")
    if plain:
        raise BadRequest("The body names columns both inside and outside of columns: use one form.")
    return _listed(listed)


def search_of(body: Any) -> dict[str, Any]:
    """The parts of a body that say which rows, and in which order."""
    if not isinstance(body, dict):
        raise BadRequest("The body must be an object.")
    return {name: body[name] for name in SEARCH if name in body}


def _listed(listed: Any) -> dict[str, Any]:
    if not isinstance(listed, list):
        listed = [listed]  # a list of one, as XML has it
    found: dict[str, Any] = {}
    for number, entry in enumerate(listed):
        place = f"/columns/{number}"
        name = entry.get("column_name") if isinstance(entry, dict) else None
        if not isinstance(name, str) or not name:
            raise refuse(f"{place}/column_name", "must name a column.")
        if "column_value" not in entry:
            raise refuse(f"{place}/column_value", "is missing.")
        if name in found:
            raise refuse(f"{place}/column_name", "names a column for the second time.")
        found[name] = entry["column_value"]
    return found
