"""Admin pages of flows, their versions and templates."""

from apps.flows.admin import flows, templates

__all__ = ["flows", "templates"]
