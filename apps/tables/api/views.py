"""``/v1/tables``."""

from collections.abc import Sequence
from typing import Any

from rest_framework.request import Request
from rest_framework.response import Response

from apps.applications.api.base import PROJECT_KEY, CallerViewSet
from apps.core.http.openapi.operation import operation
from apps.tables import services, values
from apps.tables.api import openapi
from apps.tables.api.payloads import columns_of, search_of
from apps.tables.selectors import Definition, Row, modified_of, version_of

_ACTIONS = {
    "create": "tables",
    "retrieve": "tables.read",
    "search": "tables.read",
    "update": "tables",
    "destroy": "tables",
}


class RowsViewSet(CallerViewSet):
    """The rows of one table; answers are bare documents, but for that of a removal."""

    required_scopes = _ACTIONS
    extra_styles = dict.fromkeys(_ACTIONS, PROJECT_KEY)

    @operation(openapi.CREATE)
    def create(self, request: Request, table: str, row: str | None = None) -> Response:
        """Store a row; an id in the path says nothing, the answer names the new one."""
        definition, stored = services.insert_row(self.caller, table, columns_of(self.document(request)))
        return self.bare(_page([self._shown(definition, stored)]))

    @operation(openapi.RETRIEVE)
    def retrieve(self, request: Request, table: str, row: str) -> Response:
        """One row."""
        definition, found = services.get_row(self.caller, table, row)
        modified = modified_of(definition, found.date_updated)
        self.unless_current(*version_of(definition, found.id, found.version), modified=modified)
        return self.bare(_page([self._shown(definition, found)], next_element=1, max_results=1))

    @operation(openapi.SEARCH)
    def search(self, request: Request, table: str) -> Response:
        """A page of the rows that match."""
        found = services.search_rows(self.caller, table, **search_of(self.document(request)))
        rows = [self._shown(found.definition, row) for row in found.rows]
        offset = found.page.offset
        return self.bare(
            _page(rows, next_element=offset + len(rows), max_results=found.matches)
            | {"start_at": offset, "limit": found.page.limit, "offset": offset}
        )

    @operation(openapi.UPDATE)
    def update(self, request: Request, table: str, row: str | None = None) -> Response:
        """Change the rows that match."""
        body = self.document(request)
        count = services.update_rows(
            self.caller,
            table,
            columns_of(body, with_search=True),
            row_id=row,
            **search_of(body),
            precondition=self.precondition(),
        )
        return self.bare(_page([]) | {"total": count})

    @operation(openapi.DESTROY)
    def destroy(self, request: Request, table: str, row: str) -> Response:
        """Remove a row."""
        count = services.delete_row(self.caller, table, row, precondition=self.precondition())
        return self.answer(count, f"Successfully deleted row {row} in table {table}")

    def _shown(self, definition: Definition, row: Row) -> dict[str, Any]:
        return values.for_caller(definition, row, self.caller.zone)


def _page(rows: Sequence[Any], *, next_element: int = 0, max_results: int = 0) -> dict[str, Any]:
    return {
        "data": list(rows),
        "total": len(rows),
        "start_at": 0,
        "next_element": next_element,
        "limit": services.MOST_ROWS,
        "offset": 0,
        "max_results": max_results,
    }
