"""The list of tables and the page of one: its columns and the state of their indexes."""

from collections.abc import Callable
from typing import Any

from django.contrib import admin, messages
from django.db.models import Count, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseNotAllowed, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html

from apps.core.admin.display import DASH
from apps.core.admin.filters import TenantRelatedFilter
from apps.core.admin.tenancy import TenantTabularInline
from apps.tables import structure
from apps.tables.admin.files import FilePages
from apps.tables.admin.forms import ColumnForm
from apps.tables.admin.grid import GridPages
from apps.tables.models import Column, IndexState, Table


class ColumnInline(TenantTabularInline):
    """The columns of a table, on its page."""

    model = Column
    form = ColumnForm
    fields = ("name", "kind", "default", "required", "indexable", "position", "index")
    readonly_fields = ("index",)
    hide_title = True
    organization_path = "table__workspace__project__organization"

    def get_extra(self, request: HttpRequest, obj: Any = None, **kwargs: Any) -> int:
        """Room for the first columns of a new table."""
        return 3 if obj is None else 0

    @admin.display(description="index")
    def index(self, column: Column) -> str:
        """Where its index stands."""
        return column.get_index_state_display() if column.pk else DASH


@admin.register(Table)
class TableAdmin(GridPages, FilePages):
    """Developers make tables and fill them; everybody of the organization reads them."""

    organization_path = "workspace__project__organization"
    list_display = ("name", "project", "columns_count", "description", "open_rows")
    list_filter = (("workspace", TenantRelatedFilter),)
    search_fields = ("name", "description")
    actions = None
    inlines = (ColumnInline,)
    change_form_template = "tables/table_form.html"
    fieldsets = ((None, {"fields": ("workspace", "name", "description")}),)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Table]:
        """With the names that stand beside each table."""
        rows = super().get_queryset(request).select_related("workspace__project")
        return rows.annotate(number_of_columns=Count("columns"))

    def get_urls(self) -> list[URLPattern]:
        """Also the pages of rows and files."""
        pages: dict[str, tuple[str, Callable[..., HttpResponseBase]]] = {
            "rows": ("rows/", self.rows_view),
            "row_add": ("rows/add/", self.row_add_view),
            "row": ("rows/<str:row_id>/", self.row_view),
            "row_delete": ("rows/<str:row_id>/remove/", self.row_delete_view),
            "import": ("import/", self.import_view),
            "preview": ("import/<int:upload_id>/", self.preview_view),
            "export": ("export/", self.export_view),
            "build_again": ("build-again/", self.build_again_view),
        }
        view = self.admin_site.admin_view
        own = [
            path(f"<path:object_id>/{route}", view(page), name=f"tables_table_{name}")
            for name, (route, page) in pages.items()
        ]
        return own + super().get_urls()

    def save_model(self, request: HttpRequest, obj: Table, form: Any, change: bool) -> None:
        """The table; its columns come with the formset."""
        if change:
            super().save_model(request, obj, form, change)
            return
        made = structure.create_table(self.caller(request, obj), name=obj.name, description=obj.description)
        obj.pk, obj._state.adding = made.pk, False
        obj.refresh_from_db()

    def save_formset(self, request: HttpRequest, form: Any, formset: Any, change: bool) -> None:
        """Columns are added, changed and removed as services do it."""
        formset.save(commit=False)
        caller = self.caller(request, form.instance)
        for column in formset.deleted_objects:
            structure.remove_column(caller, column)
        for column, _ in formset.changed_objects:
            structure.change_column(caller, column)
        for number, column in enumerate(formset.new_objects):
            column.position = column.position or form.instance.columns.count() + number
            structure.save_new_column(caller, column)

    def render_change_form(self, request: HttpRequest, context: Any, *args: Any, **kwargs: Any) -> HttpResponse:
        """With the links to rows and files, and what is wrong with indexes."""
        table = context.get("original")
        if table is not None:
            notes = table.columns.exclude(index_error="")
            context.update(self.table_page(request, table, context["title"]))
            context["index_notes"] = notes
            context["has_failed"] = any(column.index_state == IndexState.FAILED for column in notes)
        return super().render_change_form(request, context, *args, **kwargs)

    def build_again_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Have failed indexes, and those that were built without an extension, built once more; POST only."""
        table = self.row_or_404(request, object_id, "change")
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        for column in table.columns.filter(indexable=True).exclude(index_error=""):
            structure.build_again(self.caller(request, table), column)
        messages.success(request, "The indexes are built again in a moment.")
        return HttpResponseRedirect(reverse("admin:tables_table_change", args=[table.pk]))

    @admin.display(description="project", ordering="workspace__project__name")
    def project(self, table: Table) -> str:
        """Whose it is, and which copy when there are several."""
        return table.workspace.label

    @admin.display(description="columns", ordering="number_of_columns")
    def columns_count(self, table: Any) -> int:
        """How many it has."""
        return int(table.number_of_columns)

    @admin.display(description="rows")
    def open_rows(self, table: Table) -> Any:
        """The way to them."""
        return format_html('<a class="flowize-button" href="{}">Open rows</a>', self.link("rows", table))
