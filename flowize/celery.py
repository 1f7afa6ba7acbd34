"""The Celery application of the workers and beat."""

import os
from typing import Any

from celery import Celery
from celery.signals import worker_process_init, worker_process_shutdown

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "flowize.settings")

app = Celery("flowize")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


@worker_process_init.connect
def begin_running_flows(**_: Any) -> None:
    """Each process of a worker runs flows in a thread of its own, beside its tasks."""
    from apps.records.runner import start_runner

    start_runner()


@worker_process_shutdown.connect
def stop_running_flows(**_: Any) -> None:
    """What was begun is finished or handed back before the process ends."""
    from apps.records.runner import end_runner

    end_runner()
