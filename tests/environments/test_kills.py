"""Workers that die at every step of every kind of job, before it and after it: the job ends, and leaves nothing."""

from collections.abc import Container
from typing import Any

import pytest
from django.db import connection

from apps.accounts.models import Role, Workspace
from apps.environments import execution, job_queue, services
from apps.environments.callers import member_of
from apps.environments.execution import MOST_ATTEMPTS, work, work_all
from apps.environments.job_kinds import plan_of
from apps.environments.models import Environment, EnvironmentJob, JobKind, JobState
from apps.keystores.models import Keystore, KeystoreItem
from apps.records.services import create_records
from tests.conftest import Tenant
from tests.environments.conftest import ORDER, Caller, make_ready
from tests.tables.conftest import make_table

PLACES = ("after-job-claim", "before-job-step", "before-job-checkpoint", "after-job-step")


class Killed(BaseException):
    """What stands for the end of the process: nothing on the way may catch it."""


class Killing:
    """Which passes of which place are deadly, counted from the moment they are set."""

    def __init__(self) -> None:
        self.place = ""
        self.deadly: Container[int] = ()
        self.passed = 0

    def __call__(self, place: str, subject: str = "") -> None:
        if place == self.place:
            self.passed += 1
            if self.passed in self.deadly:
                raise Killed

    def begin(self, place: str, deadly: Container[int]) -> None:
        self.place, self.deadly, self.passed = place, deadly, 0


@pytest.fixture
def killing(monkeypatch: pytest.MonkeyPatch) -> Killing:
    """Nothing is deadly yet."""
    found = Killing()
    monkeypatch.setattr(execution, "failpoint", found)
    return found


def lease_ends() -> None:
    """Time passes until the dead worker's lease is over."""
    EnvironmentJob.objects.filter(state=JobState.RUNNING).update(wake_at="2000-01-01T00:00:00Z")


def carry_on() -> int:
    """Other workers take what is due until nothing is; returns how many died."""
    deaths = 0
    for _ in range(50):
        try:
            if not work():
                return deaths
        except Killed:
            deaths += 1
            lease_ends()
    raise AssertionError("the job never ends")


def fill(tenant: Tenant) -> None:
    """A project with something of everything."""
    keystore = Keystore.objects.create(workspace=tenant.workspace, identifier="weather", structure="{}")
    KeystoreItem.objects.create(keystore=keystore, key="london", data="1")
    make_table(tenant, "people", age="integer")
    create_records(tenant.caller, [{"client": []}], flow_name="intake")


def order(kind: JobKind, call: Caller, tenant: Tenant) -> Environment:
    """A job of that kind, ordered and not begun."""
    if kind == JobKind.CREATE:
        return Environment.objects.get(pk=call("POST", "", ORDER, status=201)["id"])
    environment = make_ready(call)
    path = f"/{environment.pk}"
    if kind in (JobKind.REMOVE_PROJECT, JobKind.DELETE):
        call("POST", f"{path}/project/{tenant.project.pk}", {"all_keystores": "insert"})
        assert work_all() == 1
    match kind:
        case JobKind.UPDATE:
            call("POST", path, {"name": "New"})
        case JobKind.UPGRADE:
            call("POST", f"{path}/upgrade", {"package": "SS-B"})
        case JobKind.DEPLOY:
            call("POST", f"{path}/project/{tenant.project.pk}", {"all_keystores": "insert"})
        case JobKind.REMOVE_PROJECT:
            call("DELETE", f"{path}/project/{tenant.project.pk}")
        case JobKind.DELETE:
            call("DELETE", path)
        case _:
            call("POST", f"{path}/{kind}")
    return environment


@pytest.mark.parametrize("kind", [kind for kind in JobKind if kind != JobKind.OPTIMIZE])
@pytest.mark.parametrize("place", PLACES)
def test_worker_dies_once_at_every_step(
    call: Caller, acme: Tenant, killing: Killing, kind: JobKind, place: str
) -> None:
    die_at_every_step(call, acme, killing, kind, place)


# Optimizing vacuums, which no transaction can hold.
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("place", PLACES)
def test_worker_dies_once_at_every_step_of_optimizing(call: Caller, acme: Tenant, killing: Killing, place: str) -> None:
    die_at_every_step(call, acme, killing, JobKind.OPTIMIZE, place)


def die_at_every_step(call: Caller, acme: Tenant, killing: Killing, kind: JobKind, place: str) -> None:
    """Every other time that the place is passed, so that each step is begun again and then done."""
    fill(acme)
    environment = order(kind, call, acme)
    job = environment.jobs.first()
    assert job is not None
    steps = [step.name for step in plan_of(job)]
    killing.begin(place, range(1, 100, 2))
    deaths = carry_on()
    assert deaths >= 1
    job.refresh_from_db()
    assert (job.state, job.error) == ("done", "")
    ended(environment, kind, acme)
    done = [line.step for line in job.lines.filter(finished_at__isnull=False, failed=False)]
    assert list(dict.fromkeys(done)) == steps


def ended(environment: Environment, kind: JobKind, tenant: Tenant) -> None:
    """The environment is what it should be, and nothing is left that belongs to nothing."""
    environment.refresh_from_db()
    assert environment.status == ("deleted" if kind == JobKind.DELETE else "ready")
    deployed = set(environment.deployments.values_list("workspace_id", flat=True))
    assert set(Workspace.objects.exclude(api_host="").values_list("pk", flat=True)) == deployed
    assert len(deployed) == (kind == JobKind.DEPLOY)
    workspaces = {tenant.workspace.pk} | deployed
    for name in ("keystores_keystore", "tables_table", "flows_flow", "records_record", "schemas_datafield"):
        assert workspaces_in(name) <= workspaces
    if kind == JobKind.DELETE:
        assert not environment.certificates.exists()
        assert not environment.activity.exists()
        assert not hasattr(Environment.objects.get(pk=environment.pk), "measure")


def workspaces_in(table: str) -> set[int]:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT DISTINCT workspace_id FROM {table}")
        return {row[0] for row in cursor.fetchall()}


@pytest.mark.parametrize("kind", [JobKind.CREATE, JobKind.DEPLOY, JobKind.DELETE])
def test_step_that_always_kills_its_worker_is_given_up(
    call: Caller, acme: Tenant, killing: Killing, kind: JobKind
) -> None:
    environment = order(kind, call, acme)
    killing.begin("before-job-step", range(1, 100))
    assert carry_on() == MOST_ATTEMPTS
    environment.refresh_from_db()
    assert (environment.status, environment.status_reason) == ("error", execution.DIED)
    job = environment.jobs.first()
    assert job is not None
    assert job.state == JobState.FAILED
    killing.begin("", ())
    services.retry(member_of(acme.organization, Role.OWNER), environment.pk)
    environment.refresh_from_db()
    assert environment.status != "error"
    assert carry_on() == 0
    ended(environment, kind, acme)


def test_worker_that_lost_its_lease_writes_nothing(call: Caller, acme: Tenant, monkeypatch: pytest.MonkeyPatch) -> None:
    """It stalls before its step, another worker does the whole job, then it wakes."""
    call("POST", "", ORDER, status=201)
    woken: list[Any] = []

    def failpoint(place: str, subject: str = "") -> None:
        if place == "before-job-step" and not woken:
            woken.append(True)
            lease_ends()
            assert work_all() == 1
            woken.append(Environment.objects.values().get())

    monkeypatch.setattr(execution, "failpoint", failpoint)
    assert work() is True
    assert Environment.objects.values().get() == woken[1]
    assert woken[1]["status"] == "ready"
    assert EnvironmentJob.objects.get().state == JobState.DONE


def test_lease_is_not_taken_from_a_worker_that_is_silent_for_a_moment(call: Caller) -> None:
    call("POST", "", ORDER, status=201)
    held = job_queue.claim()
    assert held is not None
    assert job_queue.claim() is None
    job_queue.renew(held)
    lease_ends()
    assert job_queue.claim() is not None
    with pytest.raises(job_queue.LeaseLost):
        job_queue.renew(held)
