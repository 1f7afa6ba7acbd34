"""The Celery side of contents."""

from celery import shared_task

from apps.contents.storage import remove_unused


@shared_task(name="contents.clear_unused")
def clear_unused() -> None:
    """Remove the bytes of files that nobody has any more."""
    remove_unused()
