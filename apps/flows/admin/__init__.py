"""Admin pages of flows, their versions, the connections they use and templates."""

from apps.flows.admin import connections, flows, templates

__all__ = ["connections", "flows", "templates"]
