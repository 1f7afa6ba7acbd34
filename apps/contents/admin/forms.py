"""Forms of one website, page, file, template or document of static data."""

import hashlib
import io
from typing import IO, Any, ClassVar

from django import forms
from django.core.exceptions import ValidationError
from unfold.widgets import UnfoldAdminFileFieldWidget, UnfoldAdminSelectWidget

from apps.applications.admin.naming import Naming, NamingForm, flows_of_workspaces
from apps.contents import storage
from apps.contents.models import MOST_HTML, File, HostedPage, StaticData, Website
from apps.contents.paths import fault_of_path, normal
from apps.core.admin.display import pretty
from apps.core.admin.forms import CodeField, ProseWidget, TenantForm, as_validation_error
from apps.core.errors import BadRequest
from apps.core.jsonio import read_json

MOST_EDITED = 200_000
"""Bytes of a text that a browser still handles well."""

_CHANGED = "Somebody has changed it since you opened this page: reload it first."


class WebsiteForm(TenantForm):
    """A website; its slug stays as it is chosen first."""

    class Meta:
        model = Website
        fields = ("workspace", "slug", "name")


class FileForm(TenantForm):
    """A file: another path, another text, or another file in its place."""

    text = CodeField(rows=24, required=False, max_length=MOST_EDITED * 4)
    replacement = forms.FileField(
        required=False,
        allow_empty_file=True,
        widget=UnfoldAdminFileFieldWidget(),
        help_text="A file to put in its place; it keeps the path.",
    )
    basis = forms.CharField(required=False, widget=forms.HiddenInput)

    class Meta:
        model = File
        fields = ("path",)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.shown = text_of(self.instance) if self.instance.pk else None
        if self.shown is None:
            self.fields.pop("text", None)
        elif "text" in self.fields:
            self.fields["text"].initial = self.shown
        if "basis" in self.fields:
            self.fields["basis"].initial = self.instance.sha256

    def clean_path(self) -> str:
        """A path that may be."""
        path = normal(self.cleaned_data["path"])
        if fault := fault_of_path(path):
            raise ValidationError(fault)
        return path

    def clean(self) -> dict[str, Any] | None:
        """Nobody overwrites what they have not seen."""
        cleaned = super().clean()
        if self.new_content is not None and self.cleaned_data.get("basis") != self.instance.sha256:
            self.add_error("text" if "text" in self.fields else "replacement", _CHANGED)
        return cleaned

    @property
    def new_content(self) -> IO[bytes] | None:
        """What is to be stored, if anything; browsers know one kind of line end only."""
        if replacement := self.cleaned_data.get("replacement"):
            return replacement
        text = self.cleaned_data.get("text")
        if self.shown is None or text is None or text == self.shown.replace("\r\n", "\n"):
            return None
        return io.BytesIO(text.encode())


def text_of(file: File) -> str | None:
    """The text of a file that people can edit, nothing for others."""
    if file.size > MOST_EDITED or "charset=utf-8" not in file.content_type:
        return None
    text = storage.read(file.content_id).decode()
    return text if "\0" not in text else None


class PageForm(NamingForm):
    """A hosted page; its flow is one of its workspace's."""

    named: ClassVar[Naming] = {
        "flow": (flows_of_workspaces, "None: the page takes no forms", "no flow of this name"),
    }
    html = CodeField(rows=24, label="HTML", max_length=MOST_HTML)
    answer = CodeField(
        rows=8,
        required=False,
        label="Answer (HTML)",
        max_length=MOST_HTML,
        help_text="What people see once their form is stored. Empty: a line of thanks.",
    )
    flow = forms.ChoiceField(
        required=False, widget=UnfoldAdminSelectWidget(), help_text="Forms of the page make records of this flow."
    )

    class Meta:
        model = HostedPage
        fields = ("workspace", "name", "html", "flow", "answer", "trap", "addresses", "rate_limit")
        widgets = {"addresses": ProseWidget(rows=4)}


class StaticDataForm(TenantForm):
    """Static data as a text, and the version that somebody was shown."""

    content = CodeField(
        rows=24,
        label="Data",
        max_length=MOST_HTML,
        help_text="A JSON object. Expressions of flows read it as static, such as static.rates.standard.",
    )
    basis = forms.CharField(required=False, widget=forms.HiddenInput)

    class Meta:
        model = StaticData
        fields = ("workspace",)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "content" in self.fields:
            self.fields["content"].initial = pretty(self.instance.data)
        if "basis" in self.fields:
            self.fields["basis"].initial = version_of(self.instance)

    def clean_content(self) -> dict[str, Any]:
        """The object that was typed."""
        try:
            data = read_json(self.cleaned_data["content"])
        except BadRequest as error:
            raise as_validation_error(error.details, error.message) from None
        if not isinstance(data, dict):
            raise ValidationError("Static data is a JSON object.")
        return data

    def clean(self) -> dict[str, Any] | None:
        """Nobody overwrites what they have not seen."""
        cleaned = super().clean()
        if self.instance.pk and self.cleaned_data.get("basis") != version_of(self.instance):
            self.add_error("content", _CHANGED)
        return cleaned

    def save(self, commit: bool = True) -> Any:
        """With the data in its place."""
        self.instance.data = self.cleaned_data["content"]
        return super().save(commit=commit)


def version_of(row: StaticData) -> str:
    """What tells a state of the data from others."""
    return hashlib.sha256(pretty(row.data).encode()).hexdigest()
