"""The Celery application of the workers and beat."""

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "flowize.settings")

app = Celery("flowize")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
