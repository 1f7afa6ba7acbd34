"""The page of a schedule: when it runs, what came of it, running it now."""

from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from unfold.decorators import display
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from apps.applications.caller import Caller
from apps.core import dates
from apps.core.admin.display import BAD, DASH, GOOD, NEUTRAL, moment, pretty
from apps.core.admin.filters import TenantRelatedFilter
from apps.core.admin.forms import CodeField, as_validation_error
from apps.core.errors import BadRequest
from apps.core.jsonio import read_json
from apps.records.models import Record
from apps.triggers.admin.acts import ActingAdmin
from apps.triggers.admin.forms import TriggerForm
from apps.triggers.models import Schedule
from apps.triggers.schedules import change_schedule, coming_runs, next_run, run_now, save_schedule

COMING = 5
PILLS = {"active": GOOD, "paused": NEUTRAL, "ended": NEUTRAL, "refused": BAD}
_DATE = "Such as 2026-08-15 09:00, in the workspace's zone."


class ScheduleForm(TriggerForm):
    """A schedule; its dates are those of its workspace's clocks."""

    flow = forms.ChoiceField(required=False, widget=UnfoldAdminSelectWidget())
    document = CodeField(rows=10, help_text="The record that is made each time.")
    begins = forms.CharField(required=False, widget=UnfoldAdminTextInputWidget(), help_text=f"{_DATE} Else at once.")
    ends = forms.CharField(required=False, widget=UnfoldAdminTextInputWidget(), help_text=_DATE)

    class Meta:
        model = Schedule
        fields = ("workspace", "name", "active", "application", "flow", "document", "cron", "interval")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        row = self.instance
        self.initial["document"] = pretty(row.document)
        if row.pk:
            zone = row.workspace.zone
            self.initial.update(begins=dates.render(row.starts_at, zone), ends=dates.render(row.ends_at, zone))

    def clean_document(self) -> Any:
        """An object, read as every document is."""
        try:
            document = read_json(self.cleaned_data["document"])
        except BadRequest as error:
            raise as_validation_error(error.details, error.message) from None
        if not isinstance(document, dict):
            raise ValidationError("A data record is an object.")
        return document

    def clean(self) -> dict[str, Any] | None:
        """One rule, and dates in order."""
        cleaned = super().clean()
        self.require_scope("record")
        if bool(self.cleaned_data.get("cron")) == bool(self.cleaned_data.get("interval")) and not self.errors:
            raise ValidationError("Give a cron expression or an interval, and not both.")
        self.instance.starts_at, self.instance.ends_at = self._date("begins"), self._date("ends")
        return cleaned

    def _date(self, name: str) -> Any:
        text, workspace = self.cleaned_data.get(name, ""), self.chosen_tenant
        if not text or workspace is None:
            return None
        try:
            return dates.read_first("This", text, workspace.zone)
        except BadRequest as error:
            self.add_error(name, ValidationError(error.message))
            return None

    def _post_clean(self) -> None:
        super()._post_clean()  # type: ignore[misc]
        row = self.instance
        if self.errors or not self.has_changed():
            return
        if row.ends_at and next_run(row, min(row.date_created, row.starts_at or row.date_created)) is None:
            self.add_error("ends", ValidationError("The schedule would end before it runs."))


@admin.register(Schedule)
class ScheduleAdmin(ActingAdmin):
    """Developers make schedules, operators pause, resume and run them."""

    form = ScheduleForm
    organization_path = "workspace__project__organization"
    least_role = {
        "view": "viewer",
        "add": "developer",
        "change": "developer",
        "delete": "developer",
        "run": "operator",
        "pause": "operator",
        "resume": "operator",
    }
    acts = ("run", "pause", "resume")
    list_display = ("name", "project", "state", "rule", "flow_name", "next_date", "last_date")
    list_filter = (("workspace", TenantRelatedFilter), "active")
    search_fields = ("name", "flow")
    actions = None
    change_form_template = "triggers/schedule.html"
    fieldsets = (
        (None, {"fields": ("workspace", "name", "active")}),
        ("Record", {"fields": ("application", "flow", "document")}),
        ("When", {"fields": ("cron", "interval", "begins", "ends")}),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Schedule]:
        """With workspace and project."""
        return super().get_queryset(request).select_related("workspace__project", "application")

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """Without what only the form has for those who may only read; the page shows it."""
        if obj is not None and not self.may("change", request, obj):
            return ((None, {"fields": ("workspace", "name", "active", "application", "flow", "cron", "interval")}),)
        return super().get_fieldsets(request, obj)

    def save_model(self, request: HttpRequest, obj: Schedule, form: Any, change: bool) -> None:
        """Set the next date with every change."""
        if not self.may("change" if change else "add", request, obj):
            raise PermissionDenied
        save_schedule(obj)

    def render_change_form(self, request: HttpRequest, context: Any, *args: Any, **kwargs: Any) -> HttpResponse:
        """With what is to come and what was."""
        if row := context.get("original"):
            context.update(_page_of(row), buttons=self._buttons(request, row))
        return super().render_change_form(request, context, *args, **kwargs)

    def _buttons(self, request: HttpRequest, row: Schedule) -> list[dict[str, str]]:
        labels = {"run": ("play_arrow", "Run now")}
        labels |= {"pause": ("pause", "Pause")} if row.active else {"resume": ("resume", "Resume")}
        return self.buttons(request, row, labels)

    def do_run(self, request: HttpRequest, caller: Caller, row: Schedule) -> tuple[str, Schedule]:
        """Make a record out of turn."""
        uuid = run_now(caller, row.pk)
        self.log_change(request, row, f"Ran it now: {uuid}.")
        return f"The record {uuid} has been made.", row

    def do_pause(self, request: HttpRequest, caller: Caller, row: Schedule) -> tuple[str, Schedule]:
        """Stop it for a while."""
        change_schedule(caller, row.pk, active=False)
        self.log_change(request, row, "Paused it.")
        return "The schedule is paused.", row

    def do_resume(self, request: HttpRequest, caller: Caller, row: Schedule) -> tuple[str, Schedule]:
        """Let it go on."""
        change_schedule(caller, row.pk, active=True)
        self.log_change(request, row, "Resumed it.")
        return "The schedule is active again.", row

    @admin.display(description="project", ordering="workspace__project__name")
    def project(self, row: Schedule) -> str:
        """Whose it is, and which copy when there are several."""
        return row.workspace.label

    @display(description="state", label=PILLS)
    def state(self, row: Schedule) -> str:
        """Whether it runs."""
        return state_of(row)

    @admin.display(description="when")
    def rule(self, row: Schedule) -> str:
        """Its expression or interval."""
        return row.cron or f"every {row.interval}"

    @admin.display(description="flow", ordering="flow")
    def flow_name(self, row: Schedule) -> str:
        """Where its records go."""
        return row.flow or DASH

    @admin.display(description="next run", ordering="next_run")
    def next_date(self, row: Schedule) -> str:
        """In the workspace's zone."""
        return moment(row.next_run, row.workspace.zone)

    @admin.display(description="last run", ordering="last_run")
    def last_date(self, row: Schedule) -> str:
        """In the workspace's zone."""
        return moment(row.last_run, row.workspace.zone)


def state_of(row: Schedule) -> str:
    """A word for where a schedule stands."""
    if not row.active:
        return "paused"
    if row.last_error:
        return "refused"
    return "active" if row.next_run else "ended"


def _page_of(row: Schedule) -> dict[str, Any]:
    zone = row.workspace.zone
    record = Record.objects.in_workspace(row.workspace_id).filter(uuid=row.last_uuid).first() if row.last_uuid else None
    return {
        "state": state_of(row),
        "pill": PILLS[state_of(row)],
        "coming": [moment(when, zone) for when in coming_runs(row, COMING)],
        "zone": row.workspace.time_zone,
        "last_run": moment(row.last_run, zone),
        "record": record,
        "document": pretty(row.document),
    }
