"""Saying in good time that a certificate ends."""

from datetime import datetime, timedelta

WARNING_DAYS = (30, 14, 7, 1)
"""How many days before the end a warning is due, each one once."""


def due_warning(not_after: datetime, now: datetime, already_sent: int | None) -> int | None:
    """Which of ``WARNING_DAYS`` a warning is due for, or nothing.

    ``already_sent`` is the last one that was sent for this certificate. Of several that were missed only the most
    urgent is due; nothing is due once the certificate has ended.
    """
    left = not_after - now
    if left <= timedelta():
        return None
    reached = [days for days in WARNING_DAYS if left <= timedelta(days=days)]
    due = min(reached, default=None)
    return due if due is not None and (already_sent is None or due < already_sent) else None


def warning_mail(environment: str, names: str, not_after: datetime, now: datetime, link: str) -> tuple[str, str]:
    """Subject and text of a warning: whose certificate ends when, and the page where a new one is uploaded."""
    left = max(1, -(-(not_after - now) // timedelta(days=1)))
    days = "1 day" if left == 1 else f"{left} days"
    subject = f"The certificate of {' '.join(environment.split())} ends in {days}"
    text = (
        f"The certificate of the environment {environment} ({names}) ends on {not_after:%Y-%m-%d %H:%M} UTC, "
        f"in {days}.\n\n"
        f"After that, browsers and callers refuse to connect to its hosts. Upload a new one here:\n{link}\n"
    )
    return subject, text
