"""The page of a connection: where it leads, how it proves who is calling, and which flows use it."""

from typing import Any

from django.contrib import admin, messages
from django.db.models import Exists, OuterRef, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from unfold.decorators import display

from apps.accounts.models import Role, Workspace
from apps.applications.caller import Caller
from apps.applications.members import member_caller
from apps.core.admin.access import access_of
from apps.core.admin.display import ATTENTION, GOOD, NEUTRAL, moment
from apps.core.admin.filters import TenantRelatedFilter
from apps.core.admin.tenancy import TenantModelAdmin
from apps.core.http.client import address_of
from apps.flows import connections
from apps.flows.admin.forms import ConnectionForm
from apps.flows.models import Connection, ConnectionKind, ConnectionSecret
from apps.flows.selectors import flows_using

_ALWAYS = ("workspace", "name", "description", "base_url", "kind")
_OAUTH2 = f"kind == '{ConnectionKind.OAUTH2}'"
_BY_KIND = {
    "username": f"kind == '{ConnectionKind.BASIC}'",
    "header": f"kind == '{ConnectionKind.API_KEY}'",
    "token_url": _OAUTH2,
    "client_id": _OAUTH2,
    "client_auth": _OAUTH2,
    "scope": _OAUTH2,
}
_COLOURS = {"set": GOOD, "missing": ATTENTION, "none": NEUTRAL}


@admin.register(Connection)
class ConnectionAdmin(TenantModelAdmin):
    """Developers set up the services that flows call by name; secrets can be replaced and never be read."""

    form = ConnectionForm
    organization_path = "workspace__project__organization"
    least_role = {
        "view": "viewer",
        "add": "developer",
        "change": "developer",
        "delete": "developer",
        "try": "developer",
    }
    list_display = ("name", "project", "base_url", "kind_name", "secret_pill", "modified")
    list_filter = ("kind", ("workspace", TenantRelatedFilter))
    search_fields = ("name", "description", "base_url")
    actions = None
    change_form_template = "flows/connection_form.html"
    fieldsets = ((None, {"fields": (*_ALWAYS, *_BY_KIND, "new_secret")}),)
    # Shown only where they mean something, by the theme's script; without scripts all are there.
    conditional_fields = _BY_KIND | {"new_secret": "kind != 'none'"}

    def get_queryset(self, request: HttpRequest) -> QuerySet[Connection]:
        """With the names that stand beside each, and whether there is a secret."""
        rows = super().get_queryset(request).select_related("workspace__project")
        return rows.annotate(has_secret=Exists(ConnectionSecret.objects.filter(connection=OuterRef("pk"))))

    def get_urls(self) -> list[URLPattern]:
        """Also the trial."""
        view = self.admin_site.admin_view(self.try_view)
        return [path("<path:object_id>/try/", view, name="flows_connection_try"), *super().get_urls()]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        """The name too, once flows may use it."""
        fields = super().get_readonly_fields(request, obj)
        return (*fields, "name") if obj else fields

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        """Nothing to fill in for those who may only read."""
        if obj is not None and not self.may("change", request, obj):
            kwargs["exclude"] = ("new_secret",)
        return super().get_form(request, obj, change=change, **kwargs)

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """As ``get_form``."""
        if obj is None or self.may("change", request, obj):
            return self.fieldsets
        return ((None, {"fields": (*_ALWAYS, *_BY_KIND)}),)

    def save_model(self, request: HttpRequest, obj: Connection, form: Any, change: bool) -> None:
        """As the service keeps it."""
        saved = connections.save_connection(
            self._caller(request, obj.workspace), obj, form.cleaned_data.get("new_secret", "")
        )
        obj.pk, obj._state.adding = saved.pk, False

    def render_change_form(self, request: HttpRequest, context: Any, *args: Any, **kwargs: Any) -> HttpResponse:
        """With what stands around the form."""
        row = context.get("original")
        if row is not None:
            context.update(
                connection=row,
                pill=_COLOURS[_pill(row)[0]],
                pill_text=_pill(row)[1],
                may_try=self.may("try", request, row),
                used_by=flows_using(row),
            )
        return super().render_change_form(request, context, *args, **kwargs)

    def try_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Call the service as a flow would and say what it answered; POST only."""
        row = self.row_or_404(request, object_id, "try")
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        trial = connections.try_connection(self._caller(request, row.workspace), row)
        if trial.problem:
            messages.error(request, trial.problem)
        else:
            good = trial.status is not None and trial.status < 400
            text = f"The service answered {trial.status} after {trial.ms} ms."
            messages.add_message(request, messages.SUCCESS if good else messages.WARNING, text)
        return HttpResponseRedirect(reverse("admin:flows_connection_change", args=[row.pk]))

    def reasons_to_keep(self, row: Connection) -> list[str]:
        """A connection goes after the flows that need it have changed."""
        return [f"flow {flow.name}, which uses it" for flow in flows_using(row)[:10]]

    def _caller(self, request: HttpRequest, workspace: Workspace) -> Caller:
        role = Role(access_of(request).role(workspace.project.organization_id))
        return member_caller(workspace, role, address_of(request))

    @admin.display(description="project", ordering="workspace__project__name")
    def project(self, row: Connection) -> str:
        """Whose it is, and which copy when there are several."""
        return row.workspace.label

    @admin.display(description="credentials", ordering="kind")
    def kind_name(self, row: Connection) -> str:
        """In words."""
        return row.get_kind_display()

    @display(description="secret", label=_COLOURS)
    def secret_pill(self, row: Any) -> tuple[str, str]:
        """Whether there is one; it is never shown."""
        return _pill(row)

    @admin.display(description="changed", ordering="date_modified")
    def modified(self, row: Connection) -> str:
        """In the workspace's zone."""
        return moment(row.date_modified, row.workspace.zone)


def _pill(row: Any) -> tuple[str, str]:
    if row.kind == ConnectionKind.NONE:
        return "none", "Not needed"
    return ("set", "Set") if row.has_secret else ("missing", "Not set")
