"""The pages of e-mail and document templates, with a preview of what a flow makes of them."""

from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from unfold.decorators import display
from unfold.widgets import UnfoldAdminTextInputWidget

from apps.contents.models import MOST_HTML, StaticData, Template, TemplateKind
from apps.core.admin.display import BUSY, NEUTRAL, moment, pretty
from apps.core.admin.filters import TenantRelatedFilter
from apps.core.admin.forms import CodeField, TenantForm, as_validation_error
from apps.core.admin.tenancy import TenantModelAdmin
from apps.core.errors import BadRequest
from apps.core.jsonio import JSON, read_json
from apps.flows.engine.templates import TemplateError, compile_template


class TemplateForm(TenantForm):
    """A template; each of its texts can be compiled."""

    text = CodeField(rows=12, required=False, max_length=MOST_HTML)
    html = CodeField(
        rows=18, required=False, label="HTML", max_length=MOST_HTML, help_text="What expressions give here is escaped."
    )

    class Meta:
        model = Template
        fields = ("workspace", "name", "kind", "subject", "text", "html")
        widgets = {"subject": UnfoldAdminTextInputWidget()}

    def clean(self) -> dict[str, Any] | None:
        """There is something in it, and its expressions can be read."""
        cleaned = super().clean()
        for name in ("subject", "text", "html"):
            try:
                compile_template(self.cleaned_data.get(name, ""))
            except TemplateError as error:
                self.add_error(name, str(error))
        if self.cleaned_data.get("kind") == TemplateKind.EMAIL and not self.cleaned_data.get("subject"):
            self.add_error("subject", "An e-mail needs a subject.")
        if not self.errors and not (self.cleaned_data.get("text") or self.cleaned_data.get("html")):
            self.add_error("text", "A template needs a text, HTML or both.")
        return cleaned


class SampleForm(forms.Form):
    """The document that a preview is made with."""

    sample = CodeField(rows=12, label="Sample document", initial="{}", help_text="As a record of a flow has it.")

    def clean_sample(self) -> JSON:
        """Any JSON."""
        try:
            return read_json(self.cleaned_data["sample"])
        except BadRequest as error:
            raise as_validation_error(error.details, error.message) from None


@admin.register(Template)
class TemplateAdmin(TenantModelAdmin):
    """Developers write them, flows send them."""

    form = TemplateForm
    organization_path = "workspace__project__organization"
    list_display = ("name", "kind_pill", "project", "modified", "open_preview")
    list_filter = ("kind", ("workspace", TenantRelatedFilter))
    search_fields = ("name", "subject")
    change_form_template = "flows/template_form.html"
    fieldsets = ((None, {"fields": ("workspace", "name", "kind", "subject", "text", "html")}),)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Template]:
        """With the names that stand beside each."""
        return super().get_queryset(request).select_related("workspace__project")

    def get_urls(self) -> list[URLPattern]:
        """Also the preview."""
        view = self.admin_site.admin_view(self.preview_view)
        return [path("<path:object_id>/preview/", view, name="contents_template_preview"), *super().get_urls()]

    def preview_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """What a flow would make of the template with a document that is typed in; nothing is sent or stored."""
        template = self.row_or_404(request, object_id, "view")
        form = SampleForm(request.POST if request.method == "POST" else None)
        context = self.page_context(request, template, "Preview") | {"form": form, "template": template}
        sample = form.cleaned_data["sample"] if form.is_bound and form.is_valid() else {}
        if not (form.is_bound and form.errors):
            context |= _rendered(template, sample)
        return TemplateResponse(request, "flows/template_preview.html", context)

    @display(description="kind", label={TemplateKind.EMAIL: BUSY, TemplateKind.DOCUMENT: NEUTRAL}, ordering="kind")
    def kind_pill(self, template: Template) -> tuple[str, str]:
        """As a pill."""
        return template.kind, template.get_kind_display()

    @admin.display(description="project", ordering="workspace__project__name")
    def project(self, template: Template) -> str:
        """Whose it is, and which copy when there are several."""
        return template.workspace.label

    @admin.display(description="changed", ordering="date_updated")
    def modified(self, template: Template) -> str:
        """In the workspace's zone."""
        return moment(template.date_updated, template.workspace.zone)

    @admin.display(description="preview")
    def open_preview(self, template: Template) -> SafeString:
        """The way to it."""
        link = reverse("admin:contents_template_preview", args=[template.pk])
        return format_html('<a href="{}">Preview</a>', link)


def _rendered(template: Template, sample: JSON) -> dict[str, Any]:
    """The texts, or why there are none."""
    texts = {"subject": template.subject, "text": template.text, "html": template.html}
    try:
        done: Any = compile_template(texts, html=("html",)).render(_scope(template, sample))
    except TemplateError as error:
        return {"problem": str(error)}
    return {"rendered": {name: text if isinstance(text, str) else pretty(text) for name, text in done.items()}}


def _scope(template: Template, sample: JSON) -> dict[str, Any]:
    """The roots that a template of a flow has; a preview has no variables and no keystore."""
    static = StaticData.objects.in_workspace(template.workspace_id).first()
    roots = dict(sample) if isinstance(sample, dict) else {}
    system = {"now": "2026-01-31T12:00:00+00:00", "uuid": "00000000-0000-4000-8000-000000000000"}
    system |= {"flow": "preview", "error": None}  # type: ignore[dict-item]
    return roots | {
        "record": sample,
        "vars": {},
        "system": system,
        "keystore": None,
        "static": lambda: static.data if static else {},
    }
