"""Admin pages of tables, their rows, imports and exports."""

from apps.tables.admin import tables

__all__ = ["tables"]
