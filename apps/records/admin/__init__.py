"""Admin pages of records, and the overview, which counts them."""

from apps.records.admin import records

__all__ = ["records"]
