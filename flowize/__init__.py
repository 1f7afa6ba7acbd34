"""The composition root: settings, paths and processes; it knows every app, and no app knows it."""

from flowize.celery import app as celery_app

__all__ = ["celery_app"]
