"""Jobs whose steps fail: tried again, given up with the reason shown, taken up again."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from apps.accounts.models import Role
from apps.core.errors import BadRequest, Conflict, MissingScope
from apps.environments import execution, services
from apps.environments.callers import member_of
from apps.environments.execution import MOST_ATTEMPTS, PATIENCE_SECONDS, work, work_all
from apps.environments.job_steps import StepFailed
from apps.environments.models import Environment, EnvironmentJob, JobState
from apps.environments.provisioning.local import Local
from apps.environments.provisioning.protocol import NotYet
from tests.conftest import Tenant
from tests.environments.conftest import ORDER, Caller


class Faulty:
    """A driver's act that fails in some way, so many times."""

    def __init__(self, error: BaseException, times: int) -> None:
        self.error, self.left, self.asked = error, times, 0

    def __call__(self, driver: Local, environment: Environment) -> Any:
        self.asked += 1
        if self.left:
            self.left -= 1
            environment.driver_state["seen"] = self.asked
            raise self.error
        return Local._allocate(driver, environment)  # type: ignore[attr-defined]


@pytest.fixture
def faulty(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setattr(Local, "_allocate", Local.allocate, raising=False)

    def install(error: BaseException, times: int) -> Faulty:
        found = Faulty(error, times)
        monkeypatch.setattr(Local, "allocate", lambda self, environment: found(self, environment))
        return found

    return install


def time_passes() -> None:
    """All pauses are over."""
    EnvironmentJob.objects.filter(state=JobState.QUEUED).update(wake_at=timezone.now() - timedelta(seconds=1))


def work_with_pauses(most: int = 30) -> int:
    """Work until nothing is left, however long the pauses."""
    for number in range(most):
        time_passes()
        if not work():
            return number
    raise AssertionError("the job never ends")


def test_failed_step_is_tried_again_with_growing_pauses(call: Caller, faulty: Any) -> None:
    made = call("POST", "", ORDER, status=201)
    driver = faulty(RuntimeError("secret of the driver"), 3)
    pauses = []
    for _ in range(3):
        time_passes()
        assert work()
        job = EnvironmentJob.objects.get()
        assert job.state == JobState.QUEUED
        assert job.wake_at is not None
        pauses.append(round((job.wake_at - timezone.now()).total_seconds()))
        assert call("GET", f"/{made['id']}/status")["status"] == "creating"
        assert not work()
    assert pauses == [2, 4, 8]
    assert work_with_pauses() == 1
    assert call("GET", f"/{made['id']}/status")["status"] == "ready"
    assert driver.asked == 4
    lines = EnvironmentJob.objects.get().lines.all()
    assert [(line.attempt, line.failed) for line in lines[:4]] == [(1, True), (2, True), (3, True), (4, False)]
    assert lines[0].message == "The platform could not do this step (RuntimeError)."


def test_step_that_keeps_failing_ends_in_error(call: Caller, acme: Tenant, faulty: Any) -> None:
    made = call("POST", "", ORDER, status=201)
    driver = faulty(OSError("no route"), 99)
    assert work_with_pauses() == MOST_ATTEMPTS
    assert driver.asked == MOST_ATTEMPTS
    row = Environment.objects.get()
    assert (row.status, row.status_reason) == ("error", "The platform could not do this step (OSError).")
    assert call("GET", f"/{made['id']}")["status"] == "error"
    assert (row.api_host, row.driver_state) == (None, {})
    driver.left = 0
    job = services.retry(member_of(acme.organization, Role.OWNER), row.pk)
    assert call("GET", f"/{made['id']}/status")["status"] == "creating"
    assert work_all() == 1
    job.refresh_from_db()
    assert (job.state, job.error) == ("done", "")
    assert call("GET", f"/{made['id']}/status")["status"] == "ready"
    assert Environment.objects.get().status_reason == ""


@pytest.mark.parametrize("error", [StepFailed("The region is closed."), BadRequest("The region is closed.")])
def test_what_cannot_succeed_is_not_tried_again(call: Caller, faulty: Any, error: Exception) -> None:
    call("POST", "", ORDER, status=201)
    driver = faulty(error, 99)
    assert work_all() == 1
    assert driver.asked == 1
    row = Environment.objects.get()
    assert (row.status, row.status_reason) == ("error", "The region is closed.")


def test_waiting_is_no_failure(call: Caller, faulty: Any) -> None:
    made = call("POST", "", ORDER, status=201)
    driver = faulty(NotYet(3, "The server starts."), 20)
    for number in range(1, 21):
        time_passes()
        assert work()
        assert Environment.objects.get().driver_state == {"seen": number}
        assert EnvironmentJob.objects.get().attempts == 0
    assert work_with_pauses() == 1
    assert driver.asked == 21
    assert call("GET", f"/{made['id']}/status")["status"] == "ready"


def test_waiting_has_an_end(call: Caller, faulty: Any) -> None:
    call("POST", "", ORDER, status=201)
    faulty(NotYet(3, "The server starts."), 99)
    assert work()
    EnvironmentJob.objects.update(step_since=timezone.now() - timedelta(seconds=PATIENCE_SECONDS + 5))
    time_passes()
    assert work()
    row = Environment.objects.get()
    assert (row.status, row.status_reason) == ("error", "Not finished after 30 minutes: The server starts.")


def test_another_order_on_a_creation_that_failed_creates_first(call: Caller, faulty: Any) -> None:
    made = call("POST", "", ORDER, status=201)
    driver = faulty(StepFailed("No."), 1)
    work_all()
    call("POST", f"/{made['id']}/upgrade", {"package": "SS-B"})
    driver.left = 0
    assert work_all() == 1
    found = call("GET", f"/{made['id']}")
    assert (found["status"], found["package"]["code"]) == ("ready", "SS-B")
    assert found["info"]["api_url"]
    states = EnvironmentJob.objects.order_by("id").values_list("kind", "state")
    assert list(states) == [("create", "superseded"), ("upgrade", "done")]


def test_creation_that_failed_can_be_deleted(call: Caller, faulty: Any) -> None:
    made = call("POST", "", ORDER, status=201)
    faulty(StepFailed("No."), 99)
    work_all()
    call("DELETE", f"/{made['id']}")
    assert work_all() == 1
    assert call("GET", f"/{made['id']}/status")["status"] == "deleted"


def test_retry_needs_a_failed_job_and_an_owner(call: Caller, acme: Tenant, environment: Environment) -> None:
    with pytest.raises(Conflict, match="No job of this environment has failed"):
        services.retry(member_of(acme.organization, Role.OWNER), environment.pk)
    for role in (Role.DEVELOPER, Role.OPERATOR, Role.VIEWER):
        with pytest.raises(MissingScope):
            services.retry(member_of(acme.organization, role), environment.pk)
        with pytest.raises(MissingScope):
            services.delete_environment(member_of(acme.organization, role), environment.pk)
        with pytest.raises(MissingScope):
            services.create_environment(member_of(acme.organization, role), name="E", package="SS-A", region="london")


def test_step_that_is_gone_from_the_code_ends_in_error(call: Caller) -> None:
    call("POST", "", ORDER, status=201)
    EnvironmentJob.objects.update(step="of an older release")
    assert work_all() == 1
    assert Environment.objects.get().status_reason == "There is no step of an older release any more."


def test_failed_step_keeps_nothing_of_what_it_changed(
    call: Caller, environment: Environment, monkeypatch: pytest.MonkeyPatch
) -> None:
    call("POST", f"/{environment.pk}/upgrade", {"package": "SS-D"})

    def broken(driver: Local, environment: Environment) -> None:
        environment.name = "half done"
        raise StepFailed("No room.")

    monkeypatch.setattr(Local, "resize", broken)
    work_all()
    row = Environment.objects.get()
    assert (row.name, row.package_code, row.status, row.status_reason) == ("Production", "SS-A", "error", "No room.")


def test_the_error_of_the_last_attempt_is_the_reason(call: Caller, faulty: Any) -> None:
    call("POST", "", ORDER, status=201)
    faulty(KeyError("x"), MOST_ATTEMPTS)
    work_with_pauses()
    assert Environment.objects.get().status_reason == execution.DEFECT.format(kind="KeyError")
