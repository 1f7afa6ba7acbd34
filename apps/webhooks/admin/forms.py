"""The form of a webhook."""

from typing import ClassVar

from django import forms
from unfold.widgets import UnfoldAdminSelectWidget

from apps.applications.admin.naming import Naming, NamingForm, flows_of_workspaces
from apps.core.admin.forms import ProseWidget
from apps.webhooks.models import Webhook


class WebhookForm(NamingForm):
    """A webhook; its flow is one of its workspace's."""

    named: ClassVar[Naming] = {
        "flow": (flows_of_workspaces, "None: events are only stored", "no flow of this name"),
    }
    flow = forms.ChoiceField(
        required=False, widget=UnfoldAdminSelectWidget(), help_text="Each event also becomes a record of this flow."
    )

    class Meta:
        model = Webhook
        fields = (
            "workspace",
            "name",
            "active",
            "identifier_path",
            "status_path",
            "batch",
            "flow",
            "addresses",
            "rate_limit",
        )
        widgets = {"addresses": ProseWidget(rows=4)}
