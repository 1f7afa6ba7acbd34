"""What the database holds, to tell whether a call has changed anything."""

from typing import Any

from django.apps import apps
from oauth2_provider.models import AccessToken

# Counted and dated by every call, refused ones included.
COUNTERS = {"applications.RateWindow"}
DATES_OF_USE = {"last_used_at", "api_key_last_used_at"}

Rows = dict[str, dict[Any, dict[str, Any]]]


def everything() -> Rows:
    """All rows of our own tables and the access tokens, by their primary keys, but for counters and dates of use."""
    models = [model for model in apps.get_models() if model.__module__.startswith("apps.")]
    return {
        model._meta.label: {
            row[model._meta.pk.attname]: {name: value for name, value in row.items() if name not in DATES_OF_USE}
            for row in model._base_manager.values()
        }
        for model in [*models, AccessToken]
        if model._meta.label not in COUNTERS
    }


def growth(before: Rows, after: Rows) -> dict[str, int]:
    """The tables that differ, with the number of rows each has more than before."""
    return {label: len(after[label]) - len(before[label]) for label in before if before[label] != after[label]}
