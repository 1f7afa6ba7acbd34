"""Admin pages of webhooks."""

from apps.webhooks.admin import webhooks

__all__ = ["webhooks"]
