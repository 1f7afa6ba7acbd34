"""Exact request counters, shared by all processes: one statement a request."""

from dataclasses import dataclass

from django.conf import settings
from django.db import connection

from apps.applications.caller import Caller
from apps.core.errors import TooManyRequests

# Counting and noting the last use are one statement, because each one more costs a round trip of every request.
_COUNT = """
WITH hit AS (
    INSERT INTO applications_ratewindow AS w (key, started, hits) VALUES (%(key)s, now(), 1)
    ON CONFLICT (key) DO UPDATE SET
        hits = CASE WHEN w.started <= now() - %(window)s * interval '1 second' THEN 1 ELSE w.hits + 1 END,
        started = CASE WHEN w.started <= now() - %(window)s * interval '1 second' THEN now() ELSE w.started END
    RETURNING hits, started
), application AS (
    UPDATE applications_application SET last_used_at = now()
    WHERE id = %(application)s AND (last_used_at IS NULL OR last_used_at < now() - interval '1 minute')
), project AS (
    UPDATE accounts_project SET api_key_last_used_at = now()
    WHERE id = %(project)s
      AND (api_key_last_used_at IS NULL OR api_key_last_used_at < now() - interval '1 minute')
)
SELECT hits, greatest(0, ceil(extract(epoch FROM started - now()) + %(window)s))::int FROM hit
"""


@dataclass(frozen=True, slots=True)
class RateState:
    """Where a caller stands in its window; ``reset`` is the seconds left of it, ``limit`` 0 means unlimited."""

    limit: int
    hits: int
    reset: int

    @property
    def headers(self) -> dict[str, str]:
        """The three headers of every answer."""
        if not self.limit:
            return {}
        return {
            "X-RateLimit-Limit": str(self.limit),
            "X-RateLimit-Remaining": str(max(0, self.limit - self.hits)),
            "X-RateLimit-Reset": str(self.reset),
        }

    def require(self) -> None:
        """Raise ``TooManyRequests`` when this request is one too many."""
        if self.limit and self.hits > self.limit:
            raise TooManyRequests(headers={"Retry-After": str(max(1, self.reset))} | self.headers)


def count_call(caller: Caller) -> RateState:
    """Count one call of an application, or of the project's key alone, and note when it was last used."""
    project = None if caller.application_id else caller.project_id
    return _count(caller.rate_key, caller.rate_limit, caller.application_id, project)


def count_failed_login(address: str) -> RateState:
    """Count one call with wrong credentials from an address."""
    return _count(f"login:{address}"[:100], settings.LOGIN_RATE_LIMIT, None, None)


def count_delivery(webhook_id: int, limit: int) -> RateState:
    """Count one delivery to a webhook."""
    return _count(f"webhook:{webhook_id}", limit, None, None)


def count_url_call(trigger_id: int, limit: int) -> RateState:
    """Count one call of a URL trigger."""
    return _count(f"url:{trigger_id}", limit, None, None)


def count_form(page_id: int, limit: int) -> RateState:
    """Count one form sent to a hosted page."""
    return _count(f"page:{page_id}", limit, None, None)


def count_organization(organization_id: int, limit: int) -> RateState:
    """Count one call with an organization's key."""
    return _count(f"organization:{organization_id}", limit, None, None)


def _count(key: str, limit: int, application: int | None, project: int | None) -> RateState:
    values = {"key": key, "window": settings.RATE_WINDOW_SECONDS, "application": application, "project": project}
    with connection.cursor() as cursor:
        cursor.execute(_COUNT, values)
        hits, reset = cursor.fetchone()
    return RateState(limit, hits, reset)
