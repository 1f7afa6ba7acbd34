"""Forms with files in them."""

from collections.abc import Sequence
from typing import IO, Any

from django import forms
from django.core.files.uploadedfile import UploadedFile
from unfold.widgets import (
    UnfoldAdminFileFieldWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextInputWidget,
    UnfoldBooleanWidget,
)


class FilesWidget(UnfoldAdminFileFieldWidget):
    """An input that takes several files."""

    allow_multiple_selected = True


class FilesField(forms.FileField):
    """Several files, as a list."""

    widget = FilesWidget

    def clean(self, data: Any, initial: Any = None) -> list[UploadedFile]:
        """Each of them; empty files are files too."""
        given = data if isinstance(data, list | tuple) else [data] if data else []
        if not given and self.required:
            raise forms.ValidationError(self.error_messages["required"])
        return [super(FilesField, self).clean(each, initial) for each in given]


class FilesForm(forms.Form):
    """Single files and the folder they go into."""

    uploads = FilesField(required=False, allow_empty_file=True, label="Files", help_text="Up to 100 at once.")
    folder = forms.CharField(
        required=False,
        max_length=200,
        widget=UnfoldAdminTextInputWidget(),
        help_text="Where the files go, such as images/2026. Empty: not into a folder.",
    )

    def named_files(self) -> Sequence[tuple[str, IO[bytes]]]:
        """Each file with its path."""
        folder = self.cleaned_data["folder"].strip().strip("/")
        return [(f"{folder}/{file.name}" if folder else file.name, file) for file in self.cleaned_data["uploads"]]


class WebsiteUploadForm(FilesForm):
    """A whole website as an archive, or single files of it."""

    archive = forms.FileField(
        required=False,
        label="ZIP archive",
        widget=UnfoldAdminFileFieldWidget(),
        help_text="With index.html at its top. Nothing is stored when a part of it is refused.",
    )
    replace = forms.BooleanField(
        required=False,
        label="Instead of all files there are",
        widget=UnfoldBooleanWidget(),
        help_text="For archives only. Otherwise files are added, and those with the same path replaced.",
    )
    field_order = ("archive", "replace", "uploads", "folder")

    def clean(self) -> dict[str, Any] | None:
        """One of the two ways."""
        cleaned = super().clean()
        archive, files = self.cleaned_data.get("archive"), self.cleaned_data.get("uploads")
        if not self.errors and bool(archive) == bool(files):
            raise forms.ValidationError("Choose either an archive or files.")
        if files and self.cleaned_data.get("replace"):
            self.add_error("replace", "Only an archive takes the place of all files.")
        return cleaned


class StoredUploadForm(FilesForm):
    """Files for the file manager of a workspace; ``workspaces`` are those that may be chosen."""

    workspace: Any = forms.ModelChoiceField(queryset=None, widget=UnfoldAdminSelectWidget())
    field_order = ("workspace", "uploads", "folder")

    def __init__(self, workspaces: Any, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field: Any = self.fields["workspace"]
        field.queryset = workspaces
        first = list(workspaces[:2])
        if len(first) == 1:
            field.initial = first[0]
        self.fields["uploads"].required = True
