"""The forms of a keystore and of a key, with what they hold as texts."""

import json
from typing import Any

from django import forms

from apps.core.admin.display import pretty
from apps.core.admin.forms import CodeField, ProseWidget, TenantForm, as_validation_error
from apps.core.errors import BadRequest
from apps.keystores.content import Text
from apps.keystores.models import Keystore, KeystoreItem, Kind, fault_of_key

MOST_EDITED = 200_000
"""Characters of a text that a browser still handles well."""


def readable(kind: str, data: str) -> str:
    """What is stored, as people read it."""
    value = json.loads(data)
    return value if kind == Kind.RAW else pretty(value)


class KeystoreForm(TenantForm):
    """A keystore; its kind and its identifier stay as they are chosen first."""

    structure = CodeField(
        rows=12,
        required=False,
        help_text="What a key holds that is read before it was ever written: JSON or a text, after the kind of the "
        "keystore. A change is for later keys only. Left empty: {} or the empty text.",
    )

    class Meta:
        model = Keystore
        fields = ("workspace", "identifier", "kind", "description", "structure")
        widgets = {"description": ProseWidget()}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk:
            self.initial["structure"] = readable(self.instance.kind, self.instance.structure)
        elif "structure" in self.fields:
            self.initial["structure"] = ""

    def clean(self) -> dict[str, Any] | None:
        """The structure is of the keystore's kind."""
        cleaned = super().clean()
        kind = Kind(self.cleaned_data.get("kind") or self.instance.kind)
        text = self.cleaned_data.get("structure") or ("{}" if kind is Kind.JSON else "")
        keep(self, "structure", text, kind)
        return cleaned


class ItemForm(TenantForm):
    """A key with the text of what it holds, and the version that somebody was shown."""

    content = CodeField(rows=22, required=False, help_text="JSON, or any text in a RAW keystore.")
    basis = forms.CharField(required=False, widget=forms.HiddenInput)

    class Meta:
        model = KeystoreItem
        fields = ("keystore", "key")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk and "content" in self.fields:
            self.fields["content"].initial = readable(self.instance.keystore.kind, self.instance.data)
            self.fields["basis"].initial = str(self.instance.version)

    def clean(self) -> dict[str, Any] | None:
        """What the keystore takes; nobody overwrites what they have not seen."""
        cleaned = super().clean()
        keystore = self.instance.keystore if self.instance.pk else self.cleaned_data.get("keystore")
        if keystore and self.content_changed:
            keep(self, "content", self.cleaned_data.get("content", ""), Kind(keystore.kind))
        if self.instance.pk and self.content_changed and self.cleaned_data.get("basis") != str(self.instance.version):
            self.add_error("content", "Somebody has changed the value since you opened this page: reload it first.")
        return cleaned

    def clean_key(self) -> str:
        """A text that can stand in a path."""
        key: str = self.cleaned_data["key"]
        if fault := fault_of_key(key):
            raise forms.ValidationError(fault)
        return key

    @property
    def content_changed(self) -> bool:
        """Whether the text is another than the one that was shown; browsers know one kind of line end only."""
        if "content" not in self.fields:
            return False
        shown = (self.fields["content"].initial or "").replace("\r\n", "\n")
        return not self.instance.pk or self.cleaned_data.get("content") != shown


def keep(form: TenantForm, field: str, text: str, kind: Kind) -> None:
    """Put the JSON text to store in place of what was typed, or say at the field why it cannot be stored."""
    try:
        form.cleaned_data[field] = Text(text).kept_in(kind)
    except BadRequest as error:
        form.add_error(field, as_validation_error(error.details, error.message))
