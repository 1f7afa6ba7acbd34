"""CSV files in and out: upload, preview, import, export."""

from typing import Any, cast

from django.contrib import messages
from django.http import (
    Http404,
    HttpRequest,
    HttpResponse,
    HttpResponseBase,
    HttpResponseRedirect,
    StreamingHttpResponse,
)
from django.template.response import TemplateResponse
from django.utils.http import content_disposition_header

from apps.core.errors import FlowizeError
from apps.tables import transfer
from apps.tables.admin.forms import LayoutForm, UploadForm, guessed_layout
from apps.tables.admin.pages import TablePages
from apps.tables.models import Table, Upload
from apps.tables.transfer import Preview


class FilePages(TablePages):
    """The pages of a table's imports and exports."""

    def import_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Take a file or a pasted text, and go on to its preview."""
        table = self.row_or_404(request, object_id, "change")
        form = UploadForm(request.POST or None, request.FILES or None)
        if request.method == "POST" and form.is_valid():
            user_id = cast(int, request.user.pk)
            upload = Upload.objects.create(table=table, user_id=user_id, name=form.name, content=form.content)
            return HttpResponseRedirect(self.link("preview", table, upload.pk))
        context = self.table_page(request, table, "Import rows") | {"form": form}
        return TemplateResponse(request, "tables/import.html", context)

    def preview_view(self, request: HttpRequest, object_id: str, upload_id: int) -> HttpResponse:
        """The first lines as they would be stored; POST stores all lines or none."""
        table = self.row_or_404(request, object_id, "change")
        upload = Upload.objects.filter(pk=min(upload_id, 2**63 - 1), table=table, user=request.user.pk).first()
        if upload is None:
            raise Http404
        content = bytes(upload.content)
        sent = request.POST if request.method == "POST" else request.GET
        form = LayoutForm(sent if "delimiter" in sent else guessed_layout(content))
        if request.method == "POST" and form.is_valid():
            return self._import(request, table, upload, form)
        context = self.table_page(request, table, "Import rows") | {"form": form, "upload": upload}
        return TemplateResponse(request, "tables/preview.html", context | self._shown(request, table, content, form))

    def export_view(self, request: HttpRequest, object_id: str) -> HttpResponseBase:
        """All rows as a file, written while it is sent."""
        table = self.row_or_404(request, object_id, "view")
        form = LayoutForm(request.GET if "delimiter" in request.GET else None)
        if form.is_bound and form.is_valid():
            text = transfer.export_rows(self.caller(request, table), table.name, form.layout)
            return StreamingHttpResponse(
                text,
                content_type="text/csv; charset=utf-8",
                headers={
                    "Content-Disposition": content_disposition_header(True, f"{table.name}.csv") or "attachment",
                    "Cache-Control": "no-store",
                },
            )
        context = self.table_page(request, table, "Export rows") | {"form": form}
        return TemplateResponse(request, "tables/export.html", context)

    def _shown(self, request: HttpRequest, table: Table, content: bytes, form: LayoutForm) -> dict[str, Any]:
        shown: Preview | None = None
        problem = ""
        if form.is_valid():
            try:
                shown = transfer.preview(self.caller(request, table), table.name, content, form.layout)
            except FlowizeError as error:
                problem = error.message
        return {"preview": shown, "problem": problem}

    def _import(self, request: HttpRequest, table: Table, upload: Upload, form: LayoutForm) -> HttpResponse:
        try:
            count = transfer.import_rows(self.caller(request, table), table.name, bytes(upload.content), form.layout)
        except FlowizeError as error:
            context = self.table_page(request, table, "Import rows") | {
                "form": form,
                "upload": upload,
                "problem": error.message,
                "faults": error.details,
            }
            return TemplateResponse(request, "tables/preview.html", context)
        upload.delete()
        self.log_change(request, table, f"Imported {count} rows.")
        messages.success(request, f"{count} rows were imported.")
        return HttpResponseRedirect(self.link("rows", table))
