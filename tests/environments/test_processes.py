"""Real worker processes, killed by the system in the middle of a job."""

import os
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from django.db import connection

from apps.accounts.models import Workspace
from apps.environments.models import Environment, EnvironmentJob, JobState
from flowize import postgres
from tests.conftest import Tenant
from tests.environments.conftest import Caller, make_ready
from tests.home import HOME

pytestmark = pytest.mark.django_db(transaction=True)

ROOT = Path(__file__).resolve().parents[2]
WORK = "import django; django.setup(); from apps.environments.execution import work_all; print(work_all())"


def worker(failpoints: str = "") -> subprocess.CompletedProcess[str]:
    """A process that works until nothing is due, or until it dies."""
    server = os.environ.get("DATABASE_URL") or postgres.url(HOME)
    url = urlsplit(server)._replace(path=f"/{connection.settings_dict['NAME']}").geturl()
    return subprocess.run(
        [sys.executable, "-c", WORK],
        env=os.environ | {"DATABASE_URL": url, "FLOWIZE_FAILPOINTS": failpoints},
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def lease_ends() -> None:
    EnvironmentJob.objects.filter(state=JobState.RUNNING).update(wake_at="2000-01-01T00:00:00Z")


def test_killed_workers_leave_a_job_that_others_finish(acme: Tenant, call: Caller) -> None:
    environment = make_ready(call)
    call("POST", f"/{environment.pk}/project/{acme.project.pk}", {})
    killed = worker("before-job-checkpoint@copy=kill")
    assert killed.returncode == -9, killed.stderr
    job = environment.jobs.first()
    assert job is not None
    assert (job.state, job.step, job.attempts) == (JobState.RUNNING, "copy", 1)
    assert not Workspace.objects.exclude(api_host="").exists()
    assert worker().stdout.strip() == "0"  # the lease still runs
    lease_ends()
    finished = worker()
    assert finished.stdout.strip() == "1", finished.stderr
    environment.refresh_from_db()
    assert environment.status == "ready"
    assert Workspace.objects.exclude(api_host="").count() == 1
    call("DELETE", f"/{environment.pk}")
    steps = []
    while worker("after-job-step=kill").returncode == -9:
        lease_ends()
        job = environment.jobs.first()
        assert job is not None
        steps.append(job.step)
    assert steps == ["clear", "release", "forget", "forget"]
    assert Environment.objects.get().status == "deleted"
    assert not Workspace.objects.exclude(api_host="").exists()
