"""The list of environments and the page of one: its status, its jobs, how it is doing."""

from datetime import timedelta
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.forms import Script
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils import timezone
from unfold.decorators import display

from apps.core.admin.display import DASH, moment
from apps.core.admin.filters import TenantRelatedFilter
from apps.environments import services, updating
from apps.environments.admin import charts
from apps.environments.admin.forms import EnvironmentForm
from apps.environments.admin.orders import OrderPages
from apps.environments.admin.pages import PILLS
from apps.environments.certificates import WARNING_DAYS
from apps.environments.models import QUIET, Environment, EnvironmentJob, JobState, Status
from apps.environments.packages import ADDON_GIGABYTES
from apps.environments.statistics import statistics_of

JOBS_SHOWN = 5
TONES = {"OK": "success", "OBSERVE": "warning", "CRITICAL": "danger"}


@admin.register(Environment)
class EnvironmentAdmin(OrderPages):
    """Owners order environments and change them; every member may watch."""

    form = EnvironmentForm
    organization_path = "organization"
    least_role = {"view": "viewer", "add": "owner", "change": "owner", "order": "owner"}
    list_display = ("name", "organization", "status_pill", "package_code", "region", "number_of_projects", "created")
    list_filter = ("status", ("organization", TenantRelatedFilter))
    list_select_related = ("organization",)
    search_fields = ("name", "description")
    actions = None
    change_form_template = "environments/environment.html"
    fieldsets = ((None, {"fields": ("organization", "name", "description")}),)
    add_fieldsets = (
        (None, {"fields": ("organization", "name", "description")}),
        ("Place", {"fields": ("package_code", "region", "time_zone")}),
    )

    class Media:
        js = (Script("flowize/environment.js", defer=True),)  # it looks for a part of the page

    def get_queryset(self, request: HttpRequest) -> QuerySet[Environment]:
        """Those that are not deleted, with what the list shows."""
        rows = super().get_queryset(request).exclude(status=Status.DELETED)
        return rows.select_related("organization", "version", "measure").prefetch_related("deployments")

    def get_urls(self) -> list[URLPattern]:
        """Also the pages of an environment."""
        view, name = self.admin_site.admin_view, "environments_environment"
        own = [
            path("<path:object_id>/live/", view(self.live_view), name=f"{name}_live"),
            path("<path:object_id>/upgrade/", view(self.upgrade_view), name=f"{name}_upgrade"),
            path("<path:object_id>/certificate/", view(self.certificate_view), name=f"{name}_certificate"),
            path("<path:object_id>/deploy/", view(self.deploy_view), name=f"{name}_deploy"),
            path("<path:object_id>/urls/", view(self.urls_view), name=f"{name}_urls"),
            path("<path:object_id>/order/<slug:act>/", view(self.act_view), name=f"{name}_act"),
            path("<path:object_id>/remove/<int:project_id>/", view(self.remove_project_view), name=f"{name}_remove"),
        ]
        return own + super().get_urls()

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        """Of an environment that is there only what may change."""
        if obj is not None:
            kwargs["fields"] = ("organization", "name", "description")
            kwargs["form"] = EnvironmentForm if self.may("change", request, obj) else self.form
        form = super().get_form(request, obj, change=change, **kwargs)
        if obj is not None:
            form.base_fields.pop("time_zone", None)
        return form

    def save_model(self, request: HttpRequest, obj: Environment, form: Any, change: bool) -> None:
        """An order, or a new name; what a service refuses becomes a message."""
        caller = self.caller(request, obj)
        if change:
            updating.update_environment(caller, obj.pk, name=obj.name, description=obj.description)
            return
        made = services.create_environment(
            caller,
            name=obj.name,
            description=obj.description,
            package=obj.package_code,
            region=obj.region,
            time_zone=obj.time_zone,
        )
        obj.pk, obj._state.adding = made.pk, False
        obj.refresh_from_db()

    def render_change_form(self, request: HttpRequest, context: Any, *args: Any, **kwargs: Any) -> HttpResponse:
        """With everything that stands around the form."""
        environment = context.get("original")
        context |= {"show_save_and_add_another": False, "show_save_and_continue": False}
        if environment is not None:
            context.update(self._surroundings(request, environment))
        return super().render_change_form(request, context, *args, **kwargs)

    def live_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """The part of the page that changes while a job is under way, for its script."""
        environment = self.row_or_404(request, object_id, "view")
        return TemplateResponse(request, "environments/live.html", self._live(environment))

    def _live(self, environment: Environment) -> dict[str, Any]:
        jobs = environment.jobs.prefetch_related("lines")[:JOBS_SHOWN]
        return {
            "place": environment,
            "pill": PILLS[Status(environment.status)],
            "busy": environment.status not in QUIET,
            "jobs": [_job(job, environment) for job in jobs],
        }

    def _surroundings(self, request: HttpRequest, environment: Environment) -> dict[str, Any]:
        stats = statistics_of(environment)
        may_order = self.may("order", request, environment)
        measure = getattr(environment, "measure", None)
        return {
            **self._live(environment),
            "live": self.link("live", environment),
            "may_order": may_order and environment.status in QUIET,
            "failed": environment.jobs.filter(state=JobState.FAILED).exists(),
            "hosts": _hosts(environment),
            "facts": _facts(environment),
            "certificate_ends": _ends_soon(environment),
            "stats": stats,
            "tone": TONES[stats.status],
            "shade": charts.shade_of(stats.storage),
            "measured": moment(measure.measured_at, environment.zone) if measure else DASH,
            "bars": charts.hours_of(environment),
            "parts": charts.parts_of(environment),
            "chart": {"width": charts.WIDTH, "height": charts.HEIGHT},
            "projects": [
                {"row": row, "changed": moment(row.date_updated, environment.zone)}
                for row in environment.deployments.select_related("project")
            ],
        }

    @display(description="status", label=PILLS, ordering="status")
    def status_pill(self, environment: Environment) -> tuple[str, str]:
        """As a pill."""
        return environment.status, environment.get_status_display()

    @admin.display(description="projects")
    def number_of_projects(self, environment: Environment) -> int:
        """How many are in it."""
        return len(environment.deployments.all())

    @admin.display(description="created", ordering="date_created")
    def created(self, environment: Environment) -> str:
        """In its own zone."""
        return moment(environment.date_created, environment.zone)


def _hosts(environment: Environment) -> list[tuple[str, str]]:
    return [
        ("API host", environment.api_host or DASH),
        ("HTML host", environment.web_host or DASH),
        ("Host of people", environment.www_host or DASH),
    ]


def _facts(environment: Environment) -> list[tuple[str, str]]:
    addons = f" + {environment.storage_addons * ADDON_GIGABYTES}" if environment.storage_addons else ""
    return [
        ("Address", environment.address or DASH),
        ("Package", f"{environment.package.name}, {environment.package.storage}{addons} GB"),
        ("Region", environment.get_region_display()),
        ("Time zone", environment.time_zone),
        ("Version", str(environment.version)),
        ("Driver", environment.driver),
        ("Created", moment(environment.date_created, environment.zone)),
    ]


def _ends_soon(environment: Environment) -> str:
    """When the certificate in force ends, if that is soon enough to say so; it may have ended already."""
    row = environment.certificates.filter(live=True).first()
    if row is None or row.not_after > timezone.now() + timedelta(days=max(WARNING_DAYS)):
        return ""
    return moment(row.not_after, environment.zone)


def _job(job: EnvironmentJob, environment: Environment) -> dict[str, Any]:
    tones = {JobState.DONE: "success", JobState.FAILED: "danger", JobState.SUPERSEDED: "default"}
    return {
        "row": job,
        "tone": tones.get(JobState(job.state), "info"),
        "created": moment(job.date_created, environment.zone),
        "lines": [
            {
                "row": line,
                "started": moment(line.started_at, environment.zone),
                "seconds": round((line.finished_at - line.started_at).total_seconds(), 1) if line.finished_at else None,
            }
            for line in job.lines.all()
        ],
    }
