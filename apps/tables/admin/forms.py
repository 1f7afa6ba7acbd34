"""Forms of tables: a column, a row, an import, an export."""

from typing import Any

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from unfold.widgets import (
    UnfoldAdminFileFieldWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextareaWidget,
    UnfoldAdminTextInputWidget,
    UnfoldBooleanWidget,
)

from apps.core.admin.display import DASH
from apps.core.admin.forms import CodeWidget
from apps.core.errors import BadRequest
from apps.tables import kinds
from apps.tables.kinds import Unreadable, Zone
from apps.tables.models import Column, Kind
from apps.tables.selectors import Definition, Field, Row
from apps.tables.spreadsheets import DELIMITERS, Format, guess_delimiter
from apps.tables.structure import check_column

DELIMITER_NAMES = [("comma", "Comma ,"), ("semicolon", "Semicolon ;"), ("tab", "Tab"), ("bar", "Bar |")]
HINTS = {
    Kind.INTEGER: "A whole number.",
    Kind.DECIMAL: f"A number of at most {kinds.MOST_DIGITS} digits.",
    Kind.DATE: "Such as 2026-08-15.",
    Kind.DATETIME: "Such as 2026-08-15 15:52:01, in the zone of the workspace.",
    Kind.JSON: "A JSON document.",
}


class ColumnForm(forms.ModelForm):
    """A column; its type is chosen once."""

    class Meta:
        model = Column
        fields = ("name", "kind", "default", "required", "indexable", "position")
        help_texts = {"name": "", "default": "", "required": "", "indexable": ""}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk and "kind" in self.fields:
            self.fields["kind"].disabled = True
        self.was_required = bool(self.instance.pk and self.instance.required)

    def _post_clean(self) -> None:
        super()._post_clean()  # type: ignore[misc]
        if self.errors:
            return
        try:
            check_column(self.instance, self._zone(), any_rows=self.was_required)
        except BadRequest as error:
            self.add_error(error.details[0].path.removeprefix("/"), error.message)

    def _zone(self) -> Zone:
        table = self.instance.table
        return table.workspace.zone if table.workspace_id else Zone("UTC")


class RowForm(forms.Form):
    """The values of one row as texts, each told what is wrong with it; ``basis`` is the version people see."""

    basis = forms.CharField(required=False, widget=forms.HiddenInput)

    def __init__(self, definition: Definition, zone: Zone, row: Row | None = None, basis: str = "", data: Any = None):
        super().__init__(data, initial={"basis": basis})
        self.definition, self.zone = definition, zone
        for column in definition.columns.values():
            text = column.default if row is None else kinds.show_text(column.kind, row.values[column.name], zone)
            self.fields[column.sql] = _field(column, text)

    def clean(self) -> dict[str, Any] | None:
        """Every text is of its column's type."""
        cleaned = super().clean()
        for column in self.definition.columns.values():
            try:
                value = kinds.read_text(column.kind, self.cleaned_data.get(column.sql, ""), self.zone)
            except Unreadable as error:
                self.add_error(column.sql, f"Must be {error}.")
            else:
                if column.required and value is None:
                    self.add_error(column.sql, "This column is required.")
        return cleaned

    def values(self, only_changed: bool) -> dict[str, Any]:
        """The columns as services take them."""
        return {
            column.name: kinds.from_text(column.kind, self.cleaned_data[column.sql])
            for column in self.definition.columns.values()
            if not only_changed or column.sql in self.changed_data
        }


class TextField(forms.CharField):
    """A text as it is, with the line ends of Unix: browsers send two characters for each."""

    def to_python(self, value: Any) -> str:
        """The text."""
        return str(super().to_python(value)).replace("\r\n", "\n")


def _field(column: Field, text: str) -> forms.CharField:
    return TextField(
        label=column.name,
        initial=text,
        required=False,
        strip=False,
        widget=_widget(column.kind),
        help_text=HINTS.get(Kind(column.kind), "") + (" Required." if column.required else ""),
    )


def _widget(kind: str) -> forms.Widget:
    if kind == Kind.TEXT:
        return UnfoldAdminTextareaWidget(attrs={"rows": 2})
    if kind == Kind.JSON:
        return CodeWidget(6)
    if kind == Kind.BOOLEAN:
        return UnfoldAdminSelectWidget(choices=[("", DASH), ("true", "Yes"), ("false", "No")])
    return UnfoldAdminTextInputWidget(attrs={"type": "date"} if kind == Kind.DATE else None)


class LayoutForm(forms.Form):
    """How a CSV file is to be read or written."""

    delimiter = forms.ChoiceField(choices=DELIMITER_NAMES, widget=UnfoldAdminSelectWidget())
    header = forms.BooleanField(
        required=False, initial=True, label="First line names the columns", widget=UnfoldBooleanWidget()
    )

    @property
    def layout(self) -> Format:
        """What was chosen."""
        return Format(self.cleaned_data["delimiter"], self.cleaned_data["header"])


class UploadForm(forms.Form):
    """A CSV file, or its text."""

    file = forms.FileField(
        required=False,
        widget=UnfoldAdminFileFieldWidget(),
        help_text="A CSV file in UTF-8, as spreadsheet programs save it.",
    )
    text = forms.CharField(
        required=False, strip=False, widget=CodeWidget(10), label="Or paste it here", help_text="With its first line."
    )

    def clean(self) -> dict[str, Any] | None:
        """One of the two, and not too much of it."""
        cleaned = super().clean()
        file, text = self.cleaned_data.get("file"), self.cleaned_data.get("text", "")
        if bool(file) == bool(text.strip()) and not self.errors:
            raise ValidationError("Choose a file or paste a text.")
        size = file.size if file else len(text.encode(errors="replace"))
        if size > settings.TABLE_IMPORT_BYTES:
            raise ValidationError(f"That is more than {settings.TABLE_IMPORT_BYTES} bytes: import it in parts.")
        return cleaned

    @property
    def content(self) -> bytes:
        """What was sent."""
        file = self.cleaned_data.get("file")
        return file.read() if file else self.cleaned_data["text"].encode(errors="surrogatepass")

    @property
    def name(self) -> str:
        """What the file is called."""
        file = self.cleaned_data.get("file")
        return file.name[:200] if file else "Pasted text"


def guessed_layout(content: bytes) -> dict[str, Any]:
    """What a layout form begins with."""
    delimiter = guess_delimiter(content)
    return {"delimiter": delimiter if delimiter in DELIMITERS else "comma", "header": True}
