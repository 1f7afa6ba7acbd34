"""Admin pages of what starts records; those of webhook events are here because replaying one makes records."""

from apps.triggers.admin import batches, events, schedules, urls

__all__ = ["batches", "events", "schedules", "urls"]
