"""Admin pages of what came in through webhooks: here, because replaying an event makes records."""

from apps.triggers.admin import events

__all__ = ["events"]
