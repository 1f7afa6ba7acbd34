"""The page of a batch: its file, how far it is, what came of it."""

from typing import Any, cast

from django import forms
from django.conf import settings
from django.contrib import admin
from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect, StreamingHttpResponse
from django.urls import URLPattern, path
from unfold.decorators import display
from unfold.widgets import UnfoldAdminFileFieldWidget, UnfoldAdminSelectWidget

from apps.applications.caller import Caller
from apps.core.admin.display import BAD, BUSY, GOOD, NEUTRAL, moment, pretty
from apps.core.admin.filters import TenantRelatedFilter
from apps.core.admin.forms import CodeWidget, ProseWidget
from apps.core.errors import FlowizeError
from apps.tables.spreadsheets import defuse, write_lines
from apps.triggers import batches
from apps.triggers.admin.acts import ActingAdmin
from apps.triggers.admin.forms import TriggerForm
from apps.triggers.columns import ColumnError, check_mapping
from apps.triggers.models import Batch, BatchFormat, BatchStatus, Encoding

PILLS = {
    BatchStatus.DRAFT: NEUTRAL,
    BatchStatus.READY: BUSY,
    BatchStatus.PROCESSING: BUSY,
    BatchStatus.FINISHED: GOOD,
    BatchStatus.ERROR: BAD,
}
UNDER_WAY = (BatchStatus.READY, BatchStatus.PROCESSING)
FAULTS_SHOWN = 20
REFRESH_SECONDS = 3
MOST_COUNTED = 20_000  # items whose records a page that refreshes itself counts each time


class BatchForm(TriggerForm):
    """A batch with its file, which may also be pasted."""

    flow = forms.ChoiceField(required=False, widget=UnfoldAdminSelectWidget())
    file = forms.FileField(required=False, widget=UnfoldAdminFileFieldWidget())
    text = forms.CharField(required=False, strip=False, widget=CodeWidget(10), label="Or paste it here")
    mapping = forms.CharField(
        required=False,
        max_length=50_000,
        label="Columns",
        widget=CodeWidget(6),
        help_text=(
            "One a line: Column = path, or Column = path as integer (text, integer, number, boolean, json). Without "
            "any, each column goes where its name says, as text."
        ),
    )

    class Meta:
        model = Batch
        fields = (
            "workspace",
            "name",
            "description",
            "application",
            "flow",
            "format",
            "delimiter",
            "encoding",
            "header",
            "mapping",
        )
        widgets = {"description": ProseWidget(rows=2)}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.size and "file" in self.fields:
            self.fields["file"].help_text = f"Takes the place of {self.instance.file_name or 'the present one'}."

    def clean(self) -> dict[str, Any] | None:
        """A file or a text, and columns that can be read."""
        cleaned = super().clean()
        self.require_scope("batch")
        file, text = self.cleaned_data.get("file"), self.cleaned_data.get("text", "")
        if file and text.strip():
            self.add_error("text", ValidationError("Choose a file or paste a text, not both."))
        elif text.strip():
            self.cleaned_data["encoding"] = Encoding.UTF_8  # a text that is pasted has none of its own
        if not (file or text.strip() or self.instance.size) and "file" not in self.errors:
            self.add_error("file", ValidationError("Choose a file or paste a text."))
        size = file.size if file else len(text.encode(errors="replace"))
        if size > settings.BATCH_BYTES:
            self.add_error("file", ValidationError(f"That is more than {settings.BATCH_BYTES} bytes."))
        self._clean_mapping()
        return cleaned

    def _clean_mapping(self) -> None:
        if self.cleaned_data.get("format") == BatchFormat.CSV and "mapping" not in self.errors:
            try:
                check_mapping(self.cleaned_data.get("mapping", ""), bool(self.cleaned_data.get("header")))
            except ColumnError as error:
                self.add_error("mapping", ValidationError(str(error)))

    @property
    def content(self) -> bytes | None:
        """What was sent, if anything was."""
        file, text = self.cleaned_data.get("file"), self.cleaned_data.get("text", "")
        if file:
            return cast(bytes, file.read())
        return text.encode(errors="surrogatepass") if text.strip() else None

    @property
    def file_name(self) -> str:
        """What the file is called."""
        file = self.cleaned_data.get("file")
        return str(file.name) if file else "Pasted text"


@admin.register(Batch)
class BatchAdmin(ActingAdmin):
    """Operators make batches and run them; everybody of the organization sees what came of them."""

    form = BatchForm
    organization_path = "workspace__project__organization"
    least_role = {
        "view": "viewer",
        "add": "operator",
        "change": "operator",
        "delete": "operator",
        "run": "operator",
        "clone": "operator",
    }
    acts = ("run", "clone")
    list_display = ("name", "project", "status_pill", "format", "progress", "made", "faults", "created")
    list_filter = ("status", ("workspace", TenantRelatedFilter), "format")
    search_fields = ("name", "description")
    actions = None
    change_form_template = "triggers/batch.html"
    fieldsets = (
        (None, {"fields": ("workspace", "name", "description")}),
        ("Records", {"fields": ("application", "flow")}),
        ("File", {"fields": ("format", "file", "text")}),
        ("CSV only", {"fields": ("delimiter", "encoding", "header", "mapping")}),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Batch]:
        """With workspace, project and application."""
        return super().get_queryset(request).select_related("workspace__project", "application")

    def get_urls(self) -> list[URLPattern]:
        """Also the file of faults."""
        view = self.admin_site.admin_view(self.faults_view)
        return [path("<path:object_id>/faults/", view, name="triggers_batch_faults"), *super().get_urls()]

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """Only a draft has a form; the page of any other says all there is."""
        return super().get_fieldsets(request, obj) if self._is_open(request, obj) else ()

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Drafts only."""
        return super().has_change_permission(request, obj) and (obj is None or obj.status == BatchStatus.DRAFT)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Not while its records are being made."""
        return super().has_delete_permission(request, obj) and (obj is None or obj.status in batches.REMOVABLE)

    def _is_open(self, request: HttpRequest, row: Any) -> bool:
        return row is None or self.has_change_permission(request, row)

    def save_model(self, request: HttpRequest, obj: Batch, form: Any, change: bool) -> None:
        """The row and, when there is a new one, its file."""
        if not self.may("change" if change else "add", request, obj):
            raise PermissionDenied
        batches.save_batch(obj, form.content, form.file_name)

    def delete_model(self, request: HttpRequest, obj: Batch) -> None:
        """As services do it."""
        batches.remove_batch(obj)

    def get_deleted_objects(
        self, objs: Any, request: HttpRequest
    ) -> tuple[list[Any], dict[str, int], set[str], list[Any]]:
        """Only the batch: what goes with it is its own, and collecting it would read its file."""
        denied = not all(self.has_delete_permission(request, obj) for obj in objs)
        return [str(obj) for obj in objs], {}, {str(self.opts.verbose_name)} if denied else set(), []

    def delete_view(self, request: HttpRequest, object_id: str, extra_context: Any = None) -> Any:
        """What a service refuses at the last moment becomes a message."""
        try:
            return super().delete_view(request, object_id, extra_context)
        except FlowizeError as error:
            return self.refuse(request, error, request.path.replace("/delete/", "/change/"))

    def response_add(self, request: HttpRequest, obj: Batch, post_url_continue: str | None = None) -> HttpResponse:
        """On to its page, which shows the first items and has the button that runs it."""
        super().response_add(request, obj, post_url_continue)  # says that it was added
        return HttpResponseRedirect(self.page_of(obj))

    def render_change_form(self, request: HttpRequest, context: Any, *args: Any, **kwargs: Any) -> HttpResponse:
        """With progress, first items and faults; a page under way asks for itself again."""
        if row := context.get("original"):
            context.update(self._page(request, row))
        elif kwargs.get("add"):
            context |= {"show_save": False, "show_save_and_add_another": False}
        return super().render_change_form(request, context, *args, **kwargs)

    def _page(self, request: HttpRequest, row: Batch) -> dict[str, Any]:
        labels = {"clone": ("content_copy", "Clone")}
        if row.status in batches.RUNNABLE:
            again = "Run again" if row.total is None else "Continue"
            labels = {"run": ("play_arrow", "Run" if row.status == BatchStatus.DRAFT else again)} | labels
        shown = {
            "pill": PILLS[BatchStatus(row.status)],
            "buttons": self.buttons(request, row, labels),
            "facts": _facts(row),
            "fault_rows": batches.first_faults(row, FAULTS_SHOWN),
            "refresh": REFRESH_SECONDS if row.status in UNDER_WAY else 0,
            "percent": 100 * row.position // row.total if row.total else 0,
        }
        return shown | (_preview(row) if row.status == BatchStatus.DRAFT else {}) | _results(row)

    def do_run(self, request: HttpRequest, caller: Caller, row: Batch) -> tuple[str, Batch]:
        """Hand it to the workers."""
        batches.run_batch(caller, row.pk)
        self.log_change(request, row, "Ran it.")
        return "The batch is ready; a worker takes it within seconds.", row

    def do_clone(self, request: HttpRequest, caller: Caller, row: Batch) -> tuple[str, Batch]:
        """A draft like it."""
        clone = batches.clone_batch(caller, row.pk)
        self.log_addition(request, clone, f"Cloned from {row.name}.")
        return f"{row.name} has been cloned.", clone

    def faults_view(self, request: HttpRequest, object_id: str) -> HttpResponseBase:
        """The faults as a CSV file."""
        row = self.row_or_404(request, object_id, "view")
        lines = ([defuse(cell) for cell in line] for line in batches.fault_lines(row))
        headers = {
            "Content-Disposition": f'attachment; filename="batch-{row.pk}-faults.csv"',
            "Cache-Control": "no-store",
        }
        return StreamingHttpResponse(
            write_lines(lines, "comma"), content_type="text/csv; charset=utf-8", headers=headers
        )

    @admin.display(description="project", ordering="workspace__project__name")
    def project(self, row: Batch) -> str:
        """Whose it is, and which copy when there are several."""
        return row.workspace.label

    @display(description="status", label={status.label: pill for status, pill in PILLS.items()}, ordering="status")
    def status_pill(self, row: Batch) -> str:
        """Where it stands."""
        return row.get_status_display()

    @admin.display(description="items")
    def progress(self, row: Batch) -> str:
        """How many have been looked at, of how many."""
        return f"{row.position} of {row.total}" if row.total is not None else "not read yet"

    @admin.display(description="created", ordering="id")
    def created(self, row: Batch) -> str:
        """In the workspace's zone."""
        return moment(row.date_created, row.workspace.zone)


def _facts(row: Batch) -> list[tuple[str, str]]:
    zone = row.workspace.zone
    return [
        ("Application", row.application.name),
        ("Flow", row.flow or f"{row.application.default_flow} (the application's default)"),
        ("File", f"{row.file_name or 'none'}, {row.get_format_display()}, {row.size} bytes"),
        ("Created", moment(row.date_created, zone)),
        ("Begun", moment(row.date_started, zone)),
        ("Ended", moment(row.date_finished, zone)),
    ]


def _preview(row: Batch) -> dict[str, Any]:
    """The first items of a draft."""
    try:
        items = batches.first_items(row)
    except (FlowizeError, ColumnError) as error:
        return {"problem": str(error)}
    return {"items": [(item.line, item.fault, pretty(item.document)) for item in items]}


def _results(row: Batch) -> dict[str, Any]:
    """How its records stand."""
    if not row.made:
        return {}
    if row.status in UNDER_WAY and row.position > MOST_COUNTED:
        return {"uncounted": "How its records stand is counted once all are made."}
    try:
        found = batches.results_of(row)
    except FlowizeError as error:
        return {"uncounted": error.message}
    named = [("Finished", found.finished), ("Failed", found.failed), ("Under way", found.under_way)]
    return {"results": [*named, ("Removed", found.removed)] if found.removed else named}
