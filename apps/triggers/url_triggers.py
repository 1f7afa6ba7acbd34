"""URL triggers with their secret addresses."""

from dataclasses import dataclass
from typing import Any

from apps.accounts.models import Workspace
from apps.core import tokens
from apps.triggers.entrances import forget_entrances
from apps.triggers.models import UrlTrigger


@dataclass(frozen=True, slots=True)
class RegisteredUrl:
    """A new URL trigger with its secret in the clear, for this one moment."""

    trigger: UrlTrigger
    secret: str


def register_url(workspace: Workspace, **fields: Any) -> RegisteredUrl:
    """Create a URL trigger of ``workspace``; ``fields`` are those of its form."""
    trigger = UrlTrigger(workspace=workspace, **fields)
    return RegisteredUrl(trigger, save_with_new_secret(trigger))


def save_with_new_secret(trigger: UrlTrigger) -> str:
    """Save a URL trigger under a fresh secret of 64 hexadecimal digits, which is returned and never shown again.

    The address it had takes no more calls from then on.
    """
    secret = tokens.new_secret()
    trigger.secret_hash, trigger.secret_prefix = tokens.digest(secret), tokens.prefix(secret)
    trigger.save()
    forget_entrances()
    return secret
