"""Telling the workers that a job is due; the tick finds it when the message is lost."""

from functools import partial

from django.db import transaction

from apps.records.nudge import Bell

WORK = "environments.work"


class JobBell(Bell):
    """The bell of jobs."""

    task = WORK


_bell = JobBell()


def nudge_on_commit() -> None:
    """Ring once the job can be seen."""
    transaction.on_commit(partial(_bell.ring), robust=True)
