"""Filters of lists, with no choices but the person's own."""

from typing import Any

from django.contrib.admin.filters import RelatedFieldListFilter
from django.http import HttpRequest


class TenantRelatedFilter(RelatedFieldListFilter):
    """Filters by a relation, offering only rows of the person's organizations."""

    def field_choices(self, field: Any, request: HttpRequest, model_admin: Any) -> Any:
        """The rows by name."""
        rows = model_admin.choices_for(field, request, "view")
        return sorted(((row.pk, str(row)) for row in rows), key=lambda choice: choice[1].lower())

    def has_output(self) -> bool:
        """Always, so that a link to the list means the same whatever the number of choices."""
        return True
