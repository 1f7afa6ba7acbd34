"""The forms of a flow, with the document of its draft, and of a connection, with its secret to write only."""

import json
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from unfold.widgets import UnfoldAdminPasswordWidget

from apps.core.admin.forms import CodeField, ProseWidget, TenantForm, as_validation_error
from apps.core.errors import BadRequest
from apps.core.jsonio import read_json
from apps.flows.connections import connection_faults
from apps.flows.drawings import newest_version
from apps.flows.models import Connection, Flow, FlowVersion
from apps.flows.selectors import has_secret

STARTER = json.dumps(
    {
        "format": "flow/1",
        "start": "start",
        "objects": {"start": {"type": "start", "next": {"ok": "end"}}, "end": {"type": "end"}},
    },
    indent=2,
)


class FlowForm(TenantForm):
    """A flow with the text of its draft, which may still have problems as long as it is a JSON object."""

    draft = CodeField(
        rows=26,
        label="Draft",
        help_text="A document in flow/1 notation. Saving keeps it as the draft; publishing makes it the live version.",
    )
    basis = forms.CharField(required=False, widget=forms.HiddenInput)

    class Meta:
        model = Flow
        fields = ("workspace", "name", "description")
        widgets = {"description": ProseWidget()}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.present = newest_version(self.instance) if self.instance.pk else None
        if "draft" in self.fields:
            self.fields["draft"].initial = self.present.source if self.present else STARTER
            self.fields["basis"].initial = fingerprint(self.present)

    def clean_draft(self) -> str:
        """A JSON object."""
        source: str = self.cleaned_data["draft"]
        try:
            document = read_json(source)
        except BadRequest as error:
            raise as_validation_error(error.details, error.message) from None
        if not isinstance(document, dict):
            raise ValidationError("A flow document is a JSON object.")
        return source

    def clean(self) -> dict[str, Any] | None:
        """Nobody overwrites a draft they have not seen."""
        cleaned = super().clean()
        if self.draft_changed and self.cleaned_data.get("basis", "") != fingerprint(self.present):
            self.add_error("draft", "Somebody has changed the draft since you opened this page: reload it first.")
        return cleaned

    @property
    def draft_changed(self) -> bool:
        """Whether the text differs from what the flow has now."""
        text = self.cleaned_data.get("draft")
        return text is not None and (self.present is None or text != self.present.source)


class ConnectionForm(TenantForm):
    """A connection; its secret can be entered and is never shown."""

    new_secret = forms.CharField(
        required=False,
        strip=False,
        label="Secret",
        widget=UnfoldAdminPasswordWidget(attrs={"autocomplete": "new-password"}),
        help_text="The password, token, key or client secret. It is kept encrypted and never shown again.",
    )

    class Meta:
        model = Connection
        fields = (
            "workspace",
            "name",
            "description",
            "base_url",
            "kind",
            "username",
            "header",
            "token_url",
            "client_id",
            "client_auth",
            "scope",
        )
        widgets = {"description": ProseWidget(rows=2)}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.before = Connection.objects.filter(pk=self.instance.pk).first() if self.instance.pk else None
        if "new_secret" in self.fields and self.before and has_secret(self.before):
            self.fields["new_secret"].help_text = "There is one, kept encrypted. Left empty, it stays."

    def _post_clean(self) -> None:
        """As the service judges the whole."""
        super()._post_clean()  # type: ignore[misc]
        if self.errors:
            return
        secret = self.cleaned_data.get("new_secret", "")
        for field, message in connection_faults(self.instance, secret, self.before):
            name = "new_secret" if field == "secret" else field
            self.add_error(name if name in self.fields else None, message)


def fingerprint(version: FlowVersion | None) -> str:
    """What changes whenever the text under edit does."""
    return f"{version.number}:{version.sha256}" if version else ""
