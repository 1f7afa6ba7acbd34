"""Admin pages of flows, their versions, and the connections they use."""

from apps.flows.admin import connections, flows

__all__ = ["connections", "flows"]
