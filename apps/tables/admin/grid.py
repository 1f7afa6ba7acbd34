"""The rows of a table as a grid: searched, ordered, paged, added, changed and removed."""

from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.template.response import TemplateResponse

from apps.core import dates
from apps.core.admin.paginator import MOST_COUNTED
from apps.core.errors import BadRequest, FlowizeError, NotFound, PreconditionFailed
from apps.core.preconditions import Part
from apps.tables import kinds, services
from apps.tables.admin.forms import RowForm
from apps.tables.admin.pages import TablePages
from apps.tables.models import Kind, Table
from apps.tables.searching import OPERATORS
from apps.tables.selectors import SYSTEM, Definition, Row, get_definition, version_of

PER_PAGE = 50
_LONGEST_CELL = 120
_PARAMETERS = ("field", "operator", "value", "order", "direction")


class Unseen:
    """The condition of a change that nobody has changed the row since its form was opened."""

    def __init__(self, basis: str) -> None:
        self.basis = basis

    def check(self, *version: Part, modified: Any = None) -> None:
        """Raise ``PreconditionFailed`` for another version."""
        if basis_of(*version) != self.basis:
            raise PreconditionFailed("Somebody has changed the row since you opened this page: reload it first.")


def basis_of(*version: Part) -> str:
    """A version as a form carries it."""
    return "|".join(map(str, version))


class GridPages(TablePages):
    """The pages of a table's rows."""

    def rows_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """One page of rows; what a search refuses is said above them."""
        table = self.row_or_404(request, object_id, "view")
        asked = {name: request.GET.get(name, "").replace("\0", "") for name in _PARAMETERS}
        page = _page_number(request.GET.get("page", "1"))
        caller, found, error = self.caller(request, table), None, ""
        try:
            found = services.search_rows(caller, table.name, **_search(asked), **_part(page))
        except NotFound:
            raise Http404 from None
        except FlowizeError as refused:
            error = refused.message
        definition = found.definition if found else get_definition(table.workspace_id, table.name)
        context = self.table_page(request, table, "Rows") | {
            "asked": asked,
            "fields": [*definition.columns, *SYSTEM],
            "operators": list(OPERATORS),
            "error": error,
            "columns": _headings(definition, asked),
            "lines": [_line(table, definition, row) for row in found.rows] if found else [],
            "columnless": not definition.columns,
            **_pages(found, asked, page),
        }
        return TemplateResponse(request, "tables/rows.html", context)

    def row_add_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """The form of a new row."""
        table = self.row_or_404(request, object_id, "change")
        definition = get_definition(table.workspace_id, table.name)
        form = RowForm(definition, table.workspace.zone, data=request.POST or None)
        if request.method == "POST" and form.is_valid():
            try:
                _, row = services.insert_row(self.caller(request, table), table.name, form.values(only_changed=False))
            except BadRequest as error:
                return self.refuse(request, error, request.path)
            messages.success(request, f"Row {row.id} was added.")
            return HttpResponseRedirect(self.link("rows", table))
        context = self.table_page(request, table, "Add row") | {"form": form, "definition": definition}
        return TemplateResponse(request, "tables/row.html", context)

    def row_view(self, request: HttpRequest, object_id: str, row_id: str) -> HttpResponse:
        """The form of a row; readers see it as it is."""
        table = self.row_or_404(request, object_id, "view" if request.method in ("GET", "HEAD") else "change")
        definition, row = self._row(request, table, row_id)
        basis, zone = basis_of(*version_of(definition, row.id, row.version)), table.workspace.zone
        form = RowForm(definition, zone, row, basis, request.POST or None)
        if request.method == "POST" and form.is_valid():
            return self._save(request, table, row, form)
        if not self.may("change", request, table):
            for field in form.fields.values():
                field.disabled = True
        context = self.table_page(request, table, f"Row {row.id}") | {
            "form": form,
            "definition": definition,
            "row": row,
            "created": dates.render(row.date_created, zone),
            "updated": dates.render(row.date_updated, zone),
            "delete_link": self.link("row_delete", table, row.id),
        }
        return TemplateResponse(request, "tables/row.html", context)

    def row_delete_view(self, request: HttpRequest, object_id: str, row_id: str) -> HttpResponse:
        """Remove a row; POST only."""
        table = self.row_or_404(request, object_id, "change")
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        try:
            services.delete_row(self.caller(request, table), table.name, row_id)
        except NotFound as error:
            return self.refuse(request, error, self.link("rows", table))
        messages.success(request, f"Row {row_id} was deleted.")
        return HttpResponseRedirect(self.link("rows", table))

    def _row(self, request: HttpRequest, table: Table, row_id: str) -> tuple[Definition, Row]:
        try:
            return services.get_row(self.caller(request, table), table.name, row_id)
        except NotFound:
            raise Http404 from None

    def _save(self, request: HttpRequest, table: Table, row: Row, form: RowForm) -> HttpResponse:
        changed = form.values(only_changed=True)
        try:
            if changed:
                services.update_rows(
                    self.caller(request, table),
                    table.name,
                    changed,
                    row_id=row.id,
                    precondition=Unseen(form.cleaned_data["basis"]),
                )
        except FlowizeError as error:
            return self.refuse(request, error, request.path)
        messages.success(request, f"Row {row.id} was saved.")
        return HttpResponseRedirect(self.link("rows", table))


def _search(asked: dict[str, str]) -> dict[str, Any]:
    """The parameters of the page as a search."""
    search: dict[str, Any] = {"order_field": asked["order"], "order_type": asked["direction"]}
    if asked["field"] and asked["operator"]:
        rule = {name: asked[name] for name in ("field", "operator", "value")}
        search["where"] = {"rules": [rule]}
    return search


def _part(page: int) -> dict[str, Any]:
    """The rows of a page; only as many are counted as a person might page through."""
    return {"limit": PER_PAGE, "offset": (page - 1) * PER_PAGE, "most_counted": MOST_COUNTED + 1}


def _page_number(text: str) -> int:
    last = MOST_COUNTED // PER_PAGE
    return min(int(text), last) if text.isascii() and text.isdecimal() and len(text) < 9 and int(text) else 1


def _headings(definition: Definition, asked: dict[str, str]) -> list[dict[str, str]]:
    """The columns, each with the link that orders by it, or the other way round."""
    fields = [SYSTEM["id"], *definition.columns.values(), SYSTEM["date_created"], SYSTEM["date_updated"]]
    ordered, falls = asked["order"] or "id", asked["direction"].lower() == "desc"
    headings = []
    for field in fields:
        turned = "desc" if field.name == ordered and not falls else "asc"
        link = "" if field.kind == Kind.JSON else "?" + _query(asked | {"order": field.name, "direction": turned})
        arrow = ("↓" if falls else "↑") if field.name == ordered else ""
        headings.append({"name": field.name, "link": link, "arrow": arrow})
    return headings


def _line(table: Table, definition: Definition, row: Row) -> dict[str, Any]:
    zone = table.workspace.zone
    texts = [kinds.show_text(column.kind, row.values[name], zone) for name, column in definition.columns.items()]
    cells = [*texts, dates.render(row.date_created, zone), dates.render(row.date_updated, zone)]
    names = [*definition.columns, "date_created", "date_updated"]
    shown = [text if len(text) <= _LONGEST_CELL else f"{text[:_LONGEST_CELL]}…" for text in cells]
    return {
        "id": row.id,
        "link": TablePages.link("row", table, row.id),
        "cells": list(zip(names, shown, strict=True)),
    }


def _pages(found: services.Found | None, asked: dict[str, str], page: int) -> dict[str, Any]:
    """Where the page stands and what surrounds it."""
    if found is None:
        return {"position": ""}
    first, counted = found.page.offset + 1, found.matches
    total = f"more than {MOST_COUNTED}" if counted > MOST_COUNTED else str(counted)
    is_last = found.page.offset + PER_PAGE >= min(counted, MOST_COUNTED)
    return {
        "position": f"{first} to {found.page.offset + len(found.rows)} of {total}" if found.rows else "",
        "previous": "?" + _query(asked | {"page": str(page - 1)}) if page > 1 else "",
        "next": "" if is_last else "?" + _query(asked | {"page": str(page + 1)}),
        "is_bounded": counted > MOST_COUNTED and is_last,
        "is_searched": bool(asked["field"] and asked["operator"]),
    }


def _query(asked: dict[str, str]) -> str:
    return urlencode({name: value for name, value in asked.items() if value})
