"""Orders at the same moment, each in a thread and on a database connection of its own."""

from typing import Any

import pytest
from django.test import Client

from apps.environments.execution import work_all
from apps.environments.models import Environment, EnvironmentJob
from tests.conftest import Tenant
from tests.contract.test_parallel import at_once, statuses
from tests.environments.conftest import ORDER, Caller, make_ready

pytestmark = pytest.mark.django_db(transaction=True)


def order(call: Caller, path: str, body: Any) -> Any:
    return Client().post(f"/v1/environment{path}", body, "application/json", headers={"X-Apikey": call.key})


def test_of_orders_at_once_one_is_taken(acme: Tenant, call: Caller) -> None:
    environment = make_ready(call)
    answers = at_once(6, lambda number: order(call, f"/{environment.pk}/upgrade", {"storage": 100}))
    assert statuses(answers) == {200: 1, 409: 5}
    assert work_all() == 1
    environment.refresh_from_db()
    assert (environment.status, environment.storage_addons, environment.jobs.count()) == ("ready", 1, 2)
    project = f"/{environment.pk}/project/{acme.project.pk}"
    assert statuses(at_once(4, lambda number: order(call, project, {}))) == {200: 1, 409: 3}


def test_workers_at_once_do_each_job_once(acme: Tenant, call: Caller) -> None:
    for _ in range(4):
        call("POST", "", ORDER, status=201)
    assert sum(at_once(4, lambda number: work_all())) == 4
    assert set(Environment.objects.values_list("status", flat=True)) == {"ready"}
    assert [job.lines.count() for job in EnvironmentJob.objects.all()] == [4] * 4


def test_one_idempotency_key_makes_one_environment(acme: Tenant, call: Caller) -> None:
    headers = {"X-Apikey": call.key, "Idempotency-Key": "one"}
    answers = at_once(5, lambda number: Client().post("/v1/environment", ORDER, "application/json", headers=headers))
    assert statuses(answers) == {201: 5}
    assert len({answer.content for answer in answers}) == 1
    assert Environment.objects.count() == 1
