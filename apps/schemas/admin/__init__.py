"""The pages of data schemas and data fields."""

from apps.schemas.admin.fields import DataFieldAdmin
from apps.schemas.admin.schemas import SchemaAdmin

__all__ = ["DataFieldAdmin", "SchemaAdmin"]
