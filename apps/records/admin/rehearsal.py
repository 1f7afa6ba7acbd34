"""The page that rehearses the draft of a flow."""

from typing import Any

from django import forms
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from unfold.widgets import UnfoldAdminIntegerFieldWidget

from apps.accounts.models import Role
from apps.applications.caller import Caller
from apps.applications.members import member_caller
from apps.core.admin.access import access_of
from apps.core.admin.display import ATTENTION, BAD, GOOD, pretty
from apps.core.admin.forms import CodeField
from apps.core.admin.tenancy import TenantModelAdmin
from apps.core.errors import BadRequest, FlowizeError
from apps.core.http.client import address_of
from apps.core.jsonio import read_json
from apps.flows.models import Flow, FlowVersion, VersionStatus
from apps.records.models import Record
from apps.records.rehearsal import MOST_RECORDS, Passage, Rehearsal, Verdict, rehearse_records, rehearse_sample

PILLS = {Verdict.SAME: GOOD, Verdict.DIFFERENT: BAD, Verdict.UNKNOWN: ATTENTION}


class RehearsalForm(forms.Form):
    """A sample document, or else a number of records."""

    last = forms.IntegerField(
        min_value=1,
        max_value=MOST_RECORDS,
        initial=20,
        required=False,
        label="Newest records that ran",
        widget=UnfoldAdminIntegerFieldWidget(),
        help_text=f"At most {MOST_RECORDS}.",
    )
    sample = CodeField(
        rows=6,
        required=False,
        max_length=1_000_000,
        label="Or one sample document",
        help_text="As JSON. With it no records are played.",
    )

    def clean_sample(self) -> Any:
        """The document, None when there is none."""
        try:
            return read_json(self.cleaned_data["sample"]) if self.cleaned_data["sample"].strip() else None
        except BadRequest as error:
            lines = [f"{detail.path}: {detail.message}" for detail in error.details]
            raise forms.ValidationError(lines or [error.message]) from None


class RehearsalPages(TenantModelAdmin):
    """Whoever may see a flow may rehearse its draft: nothing is written and nothing is called."""

    def get_urls(self) -> list[URLPattern]:
        """Also the rehearsal of a flow's draft."""
        view = self.admin_site.admin_view(self.rehearsal_view)
        return [path("rehearse/<int:flow_id>/", view, name="records_record_rehearse"), *super().get_urls()]

    def rehearsal_view(self, request: HttpRequest, flow_id: int) -> HttpResponse:
        """The form; after a POST also what would become of the records."""
        flow, draft = self._flow(request, flow_id)
        form = RehearsalForm(request.POST if request.method == "POST" else None)
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": f"Rehearse {flow.name}",
            "flow": flow,
            "draft": draft,
            "form": form,
            "back": reverse("admin:flows_flow_change", args=[flow.pk]),
        }
        if draft is not None and form.is_bound and form.is_valid():
            context |= self._results(request, flow, draft, form)
        request.current_app = self.admin_site.name
        return TemplateResponse(request, "records/rehearsal.html", context)

    def _flow(self, request: HttpRequest, flow_id: int) -> tuple[Flow, FlowVersion | None]:
        flows = Flow.objects.select_related("workspace__project")
        flow = self.scoped(flows, access_of(request), "view", self.organization_path).filter(pk=flow_id).first()
        if flow is None:
            raise Http404
        return flow, flow.versions.filter(status=VersionStatus.DRAFT).first()

    def _results(self, request: HttpRequest, flow: Flow, draft: FlowVersion, form: RehearsalForm) -> dict[str, Any]:
        caller = self._caller(request, flow)
        sample, last = form.cleaned_data["sample"], form.cleaned_data["last"] or 20
        try:
            found = (
                rehearse_records(caller, flow, draft, last)
                if sample is None
                else [rehearse_sample(caller, draft, sample)]
            )
        except FlowizeError as error:
            return {"refusal": error}
        pks = dict(
            Record.objects.in_workspace(flow.workspace_id)
            .filter(uuid__in=[result.uuid for result in found])
            .values_list("uuid", "pk")
        )
        counts = [(verdict, sum(result.verdict is verdict for result in found)) for verdict in Verdict]
        return {
            "results": [_shown(result, pks.get(result.uuid)) for result in found],
            "counts": [(verdict.value, PILLS[verdict], count) for verdict, count in counts if count],
            "is_sample": sample is not None,
        }

    def _caller(self, request: HttpRequest, flow: Flow) -> Caller:
        role = Role(access_of(request).role(flow.workspace.project.organization_id))
        return member_caller(flow.workspace, role, address_of(request))


def _shown(result: Rehearsal, pk: int | None) -> dict[str, Any]:
    place = result.parts_at
    return {
        "result": result,
        "url": reverse("admin:records_record_change", args=[pk]) if pk else "",
        "pill": PILLS[result.verdict],
        "before": [] if place is None else _around(result.before, place),
        "after": [] if place is None else _around(result.after, place),
        "path": [_words(passage) for passage in result.after],
        "rest": f"{result.rest}: {result.error['code']}" if result.error else result.rest.value,
        "data": pretty(result.data),
    }


def _around(passages: tuple[Passage, ...], place: int) -> list[str]:
    """The step before the parting, the parting, and what comes of it."""
    return [_words(passage) for passage in passages[max(place - 1, 0) : place + 3]]


def _words(passage: Passage) -> str:
    name, port = passage
    return f"{name} → {port}" if port else name
