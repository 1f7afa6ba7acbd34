"""What this installation permits its outbound calls."""

from django.conf import settings

from apps.core.egress import EgressPolicy


def installed_policy() -> EgressPolicy:
    """The policy of ``EGRESS_ALLOW`` and ``EGRESS_MAX_BYTES``."""
    return EgressPolicy(allow=tuple(settings.EGRESS_ALLOW), max_response_bytes=settings.EGRESS_MAX_BYTES)
