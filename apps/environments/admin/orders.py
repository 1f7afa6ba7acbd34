"""Pages that order a change of an environment."""

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse

from apps.core.admin.display import moment
from apps.core.errors import FlowizeError
from apps.environments import projects, selectors, services, updating, url_mapping
from apps.environments.admin.forms import CertificateForm, DeployForm, MappingForm, SourceForm, UpgradeForm
from apps.environments.admin.pages import EnvironmentPages
from apps.environments.callers import OrganizationCaller
from apps.environments.models import Environment, UrlMapping

Act = Callable[[OrganizationCaller, int], object]
# What is done at the press of a button: the service, what the history says, what is asked before.
ACTS: dict[str, tuple[Act, str, str]] = {
    "update-version": (services.update_version, "Ordered the newest release.", ""),
    "optimize": (services.optimize_environment, "Ordered that space is given back.", ""),
    "retry": (services.retry, "Let the failed job go on.", ""),
    "delete": (
        services.delete_environment,
        "Ordered its end.",
        "Its hosts stop answering at once; the data of all projects in it is removed and cannot be brought back.",
    ),
}


class OrderPages(EnvironmentPages):
    """Buttons and forms of an environment; each ends on its own page, where its status can be watched."""

    def act_view(self, request: HttpRequest, object_id: str, act: str) -> HttpResponse:
        """One of ``ACTS``; what cannot be taken back is asked for first."""
        environment = self.row_or_404(request, object_id, "order")
        if act not in ACTS:
            raise Http404
        service, said, warning = ACTS[act]
        if request.method != "POST" and warning:
            context = self.environment_page(request, environment, "Delete environment")
            return TemplateResponse(request, "environments/confirm.html", context | {"warning": warning, "act": act})
        return self.only_post(request) or self._order(
            request, environment, said, lambda caller: service(caller, environment.pk)
        )

    def upgrade_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """A larger package, or more storage."""
        environment = self.row_or_404(request, object_id, "order")
        form = UpgradeForm(environment, request.POST or None)
        if request.method == "POST" and form.is_valid():
            package, more = form.cleaned_data["package"], form.cleaned_data["storage"]
            return self._order(
                request,
                environment,
                "Ordered an upgrade.",
                lambda caller: services.upgrade_environment(
                    caller, environment.pk, package=package, storage=100 if more else None
                ),
            )
        return self._form(request, environment, "Upgrade", form, "Upgrade")

    def certificate_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """The present certificate, and a form for another."""
        environment = self.row_or_404(request, object_id, "order")
        form = CertificateForm(request.POST or None, request.FILES or None)
        if request.method == "POST" and "remove" in request.POST:
            return self._order(
                request,
                environment,
                "Ordered that the certificate is removed.",
                lambda caller: updating.update_environment(caller, environment.pk, delete_certificate="1"),
            )
        if request.method == "POST" and form.is_valid():
            files = form.contents()
            return self._order(
                request,
                environment,
                "Ordered a certificate.",
                lambda caller: updating.update_environment(caller, environment.pk, files=files),
                stay=self.link("certificate", environment),
            )
        context = self.environment_page(request, environment, "Certificate")
        found = selectors.certificate_of(environment)
        context |= {"form": form, "certificate": found}
        if found:
            context["ends"] = moment(found.not_after, environment.zone)
            context["hosts"] = ", ".join(found.hosts)
        return TemplateResponse(request, "environments/certificate.html", context)

    def deploy_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """First the project and where it comes from, then what of its data is copied."""
        environment = self.row_or_404(request, object_id, "order")
        sent = request.POST if request.method == "POST" else request.GET
        source = SourceForm(environment, sent if "project" in sent else None)
        workspace = source.workspace() if source.is_bound and source.is_valid() else None
        options = DeployForm(workspace, request.POST or None) if workspace else None
        if request.method == "POST" and options is not None and options.is_valid():
            project, other = source.cleaned_data["project"], source.cleaned_data["source_environment"]
            body = options.body() | {"source_environment": other.pk if other else None}
            return self._order(
                request,
                environment,
                f"Ordered that {project} is deployed.",
                lambda caller: projects.deploy_project(caller, environment.pk, project.pk, body),
            )
        context = self.environment_page(request, environment, "Deploy a project")
        context |= {"source": source, "options": options, "missing": source.is_bound and workspace is None}
        return TemplateResponse(request, "environments/deploy.html", context)

    def remove_project_view(self, request: HttpRequest, object_id: str, project_id: int) -> HttpResponse:
        """Take a project out, after a question."""
        environment = self.row_or_404(request, object_id, "order")
        deployment = environment.deployments.select_related("project").filter(project=project_id).first()
        if deployment is None:
            raise Http404
        if request.method != "POST":
            context = self.environment_page(request, environment, f"Remove {deployment.project}")
            warning = "Its records, keystores, tables and files in this environment are removed and cannot come back."
            return TemplateResponse(request, "environments/confirm.html", context | {"warning": warning})
        return self._order(
            request,
            environment,
            f"Ordered that {deployment.project} is removed.",
            lambda caller: projects.remove_project(caller, environment.pk, project_id),
        )

    def urls_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """The addresses of the html host: those there are, and a form for another."""
        environment = self.row_or_404(request, object_id, "view")
        may_order = self.may("order", request, environment)
        form = MappingForm(environment, request.POST or None)
        if request.method == "POST" and may_order and ("remove" in request.POST or form.is_valid()):
            return self._map(request, environment, form)
        context = self.environment_page(request, environment, "Addresses of the html host")
        rows = environment.url_mappings.select_related("project")
        context |= {"form": form if form.targets else None, "rows": rows, "may_order": may_order}
        return TemplateResponse(request, "environments/urls.html", context)

    def _map(self, request: HttpRequest, environment: Environment, form: MappingForm) -> HttpResponse:
        here = self.link("urls", environment)
        if "remove" in request.POST:
            row = UrlMapping.objects.filter(environment=environment, url=request.POST["remove"]).first()
            if row is None:
                return HttpResponseRedirect(here)
            entry = {"project_id": row.project_id, "url": row.url, "type": row.type}
            return self._order(
                request,
                environment,
                f"Unmapped {row.url}.",
                lambda caller: url_mapping.unmap_urls(caller, environment.pk, [entry]),
                stay=here,
                done=here,
            )
        return self._order(
            request,
            environment,
            f"Mapped {form.cleaned_data['url']}.",
            lambda caller: url_mapping.map_urls(caller, environment.pk, [form.entry()]),
            stay=here,
            done=here,
        )

    def _order(
        self,
        request: HttpRequest,
        environment: Environment,
        said: str,
        order: Callable[[OrganizationCaller], Any],
        *,
        stay: str = "",
        done: str = "",
    ) -> HttpResponse:
        """Do it as the person, note it in the history, and go where its progress is seen; or say what was refused."""
        try:
            order(self.caller(request, environment))
        except FlowizeError as error:
            return self.refuse(request, error, stay or self.link("change", environment))
        self.log_change(request, environment, said)
        messages.success(request, said)
        return HttpResponseRedirect(done or self.link("change", environment))

    def _form(self, request: HttpRequest, environment: Environment, title: str, form: Any, button: str) -> HttpResponse:
        context = self.environment_page(request, environment, title) | {"form": form, "button": button}
        return TemplateResponse(request, "environments/form.html", context)
