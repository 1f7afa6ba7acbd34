"""The Celery application of the workers and beat."""

import os

from celery import Celery
from celery.signals import worker_process_init, worker_process_shutdown

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "flowize.settings")

app = Celery("flowize")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


@worker_process_init.connect
def _begin_counting(**_: object) -> None:
    """Each process of a worker carries its counts to the metrics by itself."""
    from apps.records.counters import Flusher

    app.flusher = Flusher()
    app.flusher.start()


@worker_process_shutdown.connect
def _end_counting(**_: object) -> None:
    app.flusher.end()
