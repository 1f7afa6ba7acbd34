"""Buttons on the pages of triggers: one POST each, answered by the page with what came of it."""

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.urls import URLPattern, path, reverse

from apps.accounts.models import Role, Workspace
from apps.applications.caller import Caller
from apps.applications.members import member_caller
from apps.core.admin.access import access_of
from apps.core.admin.tenancy import TenantModelAdmin
from apps.core.errors import FlowizeError
from apps.core.http.client import address_of

Act = Callable[[HttpRequest, Caller, Any], tuple[str, Any]]
"""Does it to a row; returns what to say and the row whose page to show."""


class ActingAdmin(TenantModelAdmin):
    """Pages with buttons; ``acts`` names each act's method, and ``least_role`` who may."""

    acts: tuple[str, ...] = ()

    def get_urls(self) -> list[URLPattern]:
        """Also the acts."""
        view = self.admin_site.admin_view(self.act_view)
        name = f"{self.opts.app_label}_{self.opts.model_name}_act"
        return [path("<path:object_id>/do/<str:act>/", view, name=name), *super().get_urls()]

    def act_view(self, request: HttpRequest, object_id: str, act: str) -> HttpResponse:
        """Do one of the acts; POST only."""
        if act not in self.acts:
            raise Http404
        row = self.row_or_404(request, object_id, act)
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        perform: Act = getattr(self, f"do_{act}")
        try:
            text, shown = perform(request, self.caller(request, row.workspace), row)
        except FlowizeError as error:
            return self.refuse(request, error, self.page_of(row))
        messages.success(request, text)
        return HttpResponseRedirect(self.page_of(shown))

    def buttons(self, request: HttpRequest, row: Any, labels: dict[str, tuple[str, str]]) -> list[dict[str, str]]:
        """What the person may press, of ``labels``: act to icon and word."""
        return [
            {"link": self.link_of(act, row), "icon": icon, "label": label}
            for act, (icon, label) in labels.items()
            if self.may(act, request, row)
        ]

    def link_of(self, act: str, row: Any) -> str:
        """Where an act is posted to."""
        return reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_act", args=[row.pk, act])

    def page_of(self, row: Any) -> str:
        """The page of a row."""
        return reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_change", args=[row.pk])

    @staticmethod
    def caller(request: HttpRequest, workspace: Workspace) -> Caller:
        """The person as services know callers."""
        role = Role(access_of(request).role(workspace.project.organization_id))
        return member_caller(workspace, role, address_of(request))
