"""The form of an application."""

from typing import ClassVar

from django import forms
from unfold.widgets import UnfoldAdminSelectWidget

from apps.applications.admin.naming import Naming, NamingForm, flows_of_projects
from apps.applications.models import Application
from apps.applications.scopes import SCOPES
from apps.core.admin.forms import MeaningsWidget, ProseWidget


class ApplicationForm(NamingForm):
    """An application; its default flow is one of its project's."""

    named: ClassVar[Naming] = {
        "default_flow": (flows_of_projects, "None: calls must name a flow", "no flow of this name"),
    }
    default_flow = forms.ChoiceField(
        required=False,
        widget=UnfoldAdminSelectWidget(),
        help_text="Runs records that arrive without a flow name.",
    )
    scopes = forms.MultipleChoiceField(
        required=False,
        choices=[(name, name) for name in SCOPES],
        widget=MeaningsWidget(SCOPES),
        help_text="A scope without “.read” includes the one with it; record includes record.delete.",
    )

    class Meta:
        model = Application
        fields = (
            "project",
            "name",
            "description",
            "active",
            "oauth2",
            "url_keys",
            "default_flow",
            "addresses",
            "scopes",
            "rate_limit",
        )
        widgets = {"description": ProseWidget(), "addresses": ProseWidget(rows=5)}
