"""Admin pages of flows and their versions."""

from apps.flows.admin import flows

__all__ = ["flows"]
