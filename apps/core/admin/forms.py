"""Forms and widgets of the admin's pages."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.template.loader import render_to_string
from django.utils.safestring import SafeString
from unfold.widgets import UnfoldAdminCheckboxSelectMultipleWidget, UnfoldAdminTextareaWidget

from apps.core.errors import Detail

_MOST_SHOWN = 20


class TenantForm(forms.ModelForm):
    """A form whose row keeps its tenant, so that what must be unique within the tenant is checked on changes too."""

    tenant_field: str = ""

    def _get_validation_exclusions(self) -> set[str]:
        excluded = super()._get_validation_exclusions()  # type: ignore[misc]
        return excluded - {self.tenant_field} if self.instance.pk else excluded


class ProseWidget(UnfoldAdminTextareaWidget):
    """A text area of a few lines."""

    def __init__(self, rows: int = 3) -> None:
        super().__init__(attrs={"rows": rows})


class CodeWidget(UnfoldAdminTextareaWidget):
    """A text area for JSON: one width for all characters, lines as they are."""

    def __init__(self, rows: int = 18) -> None:
        super().__init__(
            attrs={"class": "flowize-code", "rows": rows, "spellcheck": "false", "autocapitalize": "off", "wrap": "off"}
        )


class MeaningsWidget(UnfoldAdminCheckboxSelectMultipleWidget):
    """Check boxes, each with its name and what it means."""

    template_name = "core/meanings.html"

    def __init__(self, meanings: dict[str, str]) -> None:
        super().__init__()
        self.meanings = meanings

    def create_option(self, name: str, value: Any, *args: Any, **kwargs: Any) -> dict[str, Any]:
        """The option with its meaning."""
        return {**super().create_option(name, value, *args, **kwargs), "meaning": self.meanings.get(str(value), "")}

    def render(self, name: str, value: Any, attrs: dict[str, Any] | None = None, renderer: Any = None) -> SafeString:
        """By a template of the project: Django's own renderer of forms looks among those of apps only."""
        return render_to_string(self.template_name, self.get_context(name, value, attrs))


class CodeField(forms.CharField):
    """A JSON text as people edit it, with the line ends of Unix and no character taken off its ends."""

    def __init__(self, rows: int = 18, **kwargs: Any) -> None:
        super().__init__(widget=CodeWidget(rows), strip=False, **kwargs)

    def to_python(self, value: Any) -> str:
        """The text; browsers send every line end as two characters."""
        return str(super().to_python(value)).replace("\r\n", "\n")


def as_validation_error(details: tuple[Detail, ...], fallback: str) -> ValidationError:
    """The details of a refused document as lines of a form error, each with its place."""
    lines = [f"{detail.path}: {detail.message}" if detail.path else detail.message for detail in details[:_MOST_SHOWN]]
    if len(details) > _MOST_SHOWN:
        lines.append(f"And {len(details) - _MOST_SHOWN} more.")
    return ValidationError(lines or [fallback])
