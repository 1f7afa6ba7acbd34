"""Forms of environments: an order, a certificate, a deployment, an address."""

import zoneinfo
from collections.abc import Iterator
from typing import Any

from django import forms
from unfold.widgets import (
    UnfoldAdminFileFieldWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextInputWidget,
    UnfoldBooleanWidget,
)

from apps.accounts.models import Project, Workspace, default_time_zone
from apps.contents.models import HostedPage, Website
from apps.core.admin.forms import ProseWidget, TenantForm
from apps.core.copy_action import CopyAction
from apps.environments.models import QUIET, Deployment, Environment, MappingType
from apps.environments.packages import ADDON_GIGABYTES, PACKAGES
from apps.environments.updating import CertificateFiles
from apps.keystores.models import Keystore
from apps.tables.models import Table

NOTHING = ("", "Leave as it is")
ACTIONS = [NOTHING, *((action.value, action.value.capitalize()) for action in CopyAction)]
_PLURALS = {"keystores": "all keystores", "tables": "all tables", "websites": "all websites"}


class EnvironmentForm(TenantForm):
    """What an environment is ordered with; of one that is there only name and description change."""

    time_zone = forms.ChoiceField(
        choices=lambda: [(name, name) for name in sorted(zoneinfo.available_timezones())],
        initial=default_time_zone,
        widget=UnfoldAdminSelectWidget(),
        help_text="Schedules and dates of its projects are read and shown in this zone.",
    )

    class Meta:
        model = Environment
        fields = ("organization", "name", "description", "package_code", "region", "time_zone")
        widgets = {"description": ProseWidget()}


class UpgradeForm(forms.Form):
    """A larger package, or more storage."""

    package = forms.ChoiceField(required=False, widget=UnfoldAdminSelectWidget())
    storage = forms.BooleanField(
        required=False,
        label=f"{ADDON_GIGABYTES} GB more storage",
        widget=UnfoldBooleanWidget(),
        help_text="Not asked for when a package is chosen.",
    )

    def __init__(self, environment: Environment, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        larger = list(PACKAGES)[list(PACKAGES).index(environment.package_code) + 1 :]
        self.fields["package"].choices = [  # type: ignore[attr-defined]
            ("", "Keep the present one"),
            *((code, f"{PACKAGES[code].name}, {PACKAGES[code].storage} GB") for code in larger),
        ]


class SeveralFilesWidget(UnfoldAdminFileFieldWidget):
    """A field for any number of files."""

    allow_multiple_selected = True


class CertificateForm(forms.Form):
    """A certificate in one file, or in its parts."""

    pem_file = forms.FileField(
        required=False,
        label="PEM file",
        widget=UnfoldAdminFileFieldWidget(),
        help_text="Private key, certificate and chain in one file. With it the other files are not looked at.",
    )
    private_key_file = forms.FileField(required=False, label="Private key", widget=UnfoldAdminFileFieldWidget())
    certificate_file = forms.FileField(required=False, label="Certificate", widget=UnfoldAdminFileFieldWidget())
    chain_files = forms.FileField(
        required=False,
        label="Chain",
        widget=SeveralFilesWidget(attrs={"multiple": True}),
        help_text="Certificates of the authorities in between; several files may be chosen.",
    )

    def contents(self) -> CertificateFiles:
        """The files as the service takes them."""
        return CertificateFiles(
            pem=self._content("pem_file"),
            private_key=self._content("private_key_file"),
            certificate=self._content("certificate_file"),
            chain=[file.read() for file in self.files.getlist("chain_files")],
        )

    def _content(self, name: str) -> bytes | None:
        file = self.files.get(name)
        return file.read() if file else None


class SourceForm(forms.Form):
    """Which project is deployed, and from where."""

    project = forms.ModelChoiceField(
        queryset=Project.objects.none(), widget=UnfoldAdminSelectWidget(), empty_label="Choose a project"
    )
    source_environment = forms.ModelChoiceField(
        queryset=Environment.objects.none(),
        required=False,
        label="Copy from",
        empty_label="Designer",
        widget=UnfoldAdminSelectWidget(),
        help_text="Another environment must hold a newer version of the project than this one.",
    )

    def __init__(self, environment: Environment, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        own = Environment.objects.of_organization(environment.organization_id).filter(status__in=QUIET)
        projects = Project.objects.filter(organization=environment.organization_id)
        self.fields["project"].queryset = projects  # type: ignore[attr-defined]
        self.fields["source_environment"].queryset = own.exclude(pk=environment.pk)  # type: ignore[attr-defined]

    def workspace(self) -> Workspace | None:
        """The content that would be copied."""
        project, source = self.cleaned_data["project"], self.cleaned_data["source_environment"]
        if source is None:
            return Workspace.objects.get(project=project, api_host="")
        found = Deployment.objects.filter(environment=source, project=project).select_related("workspace").first()
        return found.workspace if found else None


class DeployForm(forms.Form):
    """What of the project's data is copied beside its definition."""

    static_data = forms.BooleanField(required=False, widget=UnfoldBooleanWidget())
    file_manager = forms.BooleanField(required=False, widget=UnfoldBooleanWidget())

    def __init__(self, workspace: Workspace, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.items = {
            "keystores": list(Keystore.objects.in_workspace(workspace.pk).values_list("identifier", flat=True)),
            "tables": list(Table.objects.in_workspace(workspace.pk).values_list("name", flat=True)),
            "websites": list(Website.objects.in_workspace(workspace.pk).values_list("slug", flat=True)),
        }
        for kind, names in self.items.items():
            if names:
                self._offer(f"all_{kind}", _PLURALS[kind].capitalize())
            for number, name in enumerate(names):
                self._offer(f"{kind}-{number}", f"{kind[:-1].capitalize()} {name}")

    def _offer(self, field: str, label: str) -> None:
        self.fields[field] = forms.ChoiceField(
            choices=ACTIONS, required=False, label=label, widget=UnfoldAdminSelectWidget()
        )

    def body(self) -> dict[str, Any]:
        """The options as a call says them."""
        chosen = self.cleaned_data
        keys = {"keystores": "keystore_id", "tables": "name", "websites": "slug"}
        return {
            "static_data": "yes" if chosen["static_data"] else "no",
            "file_manager": "yes" if chosen["file_manager"] else "no",
            **{f"all_{kind}": chosen.get(f"all_{kind}", "") for kind in keys},
            **{
                kind: [{key: name, "action": action} for name, action in self._selected(kind)]
                for kind, key in keys.items()
            },
        }

    def _selected(self, kind: str) -> Iterator[tuple[str, str]]:
        for number, name in enumerate(self.items[kind]):
            if action := self.cleaned_data[f"{kind}-{number}"]:
                yield name, action


class MappingForm(forms.Form):
    """An address and what it shows, chosen from what the environment has."""

    url = forms.CharField(
        label="Address",
        max_length=254,
        widget=UnfoldAdminTextInputWidget(),
        help_text="A path such as /shop/. What it is mapped to already is replaced.",
    )
    target = forms.ChoiceField(label="Shows", widget=UnfoldAdminSelectWidget())

    def __init__(self, environment: Environment, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.targets = list(_targets(environment))
        self.fields["target"].choices = [  # type: ignore[attr-defined]
            (str(number), label) for number, (label, _) in enumerate(self.targets)
        ]

    def entry(self) -> dict[str, Any]:
        """The entry of the call."""
        return {"url": self.cleaned_data["url"], **self.targets[int(self.cleaned_data["target"])][1]}


def _targets(environment: Environment) -> Iterator[tuple[str, dict[str, Any]]]:
    for deployment in environment.deployments.select_related("project"):
        for slug in Website.objects.in_workspace(deployment.workspace_id).values_list("slug", flat=True):
            yield (
                f"Website {slug} of {deployment.project}",
                {"project_id": deployment.project_id, "type": MappingType.WEBSITE.value, "name": slug},
            )
        for name in HostedPage.objects.in_workspace(deployment.workspace_id).values_list("name", flat=True):
            yield (
                f"Hosted page {name} of {deployment.project}",
                {"project_id": deployment.project_id, "type": MappingType.HOSTED_PAGE.value, "name": name},
            )
