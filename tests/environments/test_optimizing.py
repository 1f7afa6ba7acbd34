"""Optimizing gives space back and says how much."""

import re
from datetime import timedelta

import pytest
from django.utils import timezone

from apps.accounts.models import Role, Workspace
from apps.applications.members import member_caller
from apps.applications.models import GivenAnswer
from apps.environments import optimizing
from apps.environments.execution import work_all
from apps.environments.job_steps import StepContext
from apps.environments.models import Deployment, EnvironmentJob, Measure
from apps.environments.provisioning.local import Local
from apps.tables import structure
from apps.tables.rows import copy
from apps.tables.selectors import get_definition
from tests.conftest import Tenant
from tests.environments.conftest import Caller, make_ready

pytestmark = pytest.mark.django_db(transaction=True)


def test_what_is_measured_meanwhile_is_not_undone(call: Caller, acme: Tenant) -> None:
    environment = make_ready(call)
    counted = timezone.now().replace(microsecond=0)
    assert environment.measure.counted_until != counted  # as it was when the job began
    Measure.objects.filter(environment=environment).update(counted_until=counted)
    job = EnvironmentJob(memo={"before": 0})
    optimizing.report(StepContext(job, environment, Local(), lambda: None, lambda text: None))
    row = Measure.objects.get()
    assert row.counted_until == counted
    assert row.due_at is not None
    assert row.due_at <= timezone.now()


def test_space_of_removed_rows_is_given_back(acme: Tenant, call: Caller) -> None:
    environment = make_ready(call)
    assert environment.api_host is not None
    workspace = Workspace.objects.create(project=acme.project, api_host=environment.api_host)
    Deployment.objects.create(environment=environment, project=acme.project, workspace=workspace, version=1)
    caller = member_caller(Workspace.objects.select_related("project").get(pk=workspace.pk), Role.OWNER)
    table = structure.create_table(caller, name="people")
    structure.add_column(caller, table, name="note")
    definition = get_definition(workspace.pk, "people")
    copy(definition, list(definition.columns.values()), ([f"note {number}" * 20] for number in range(5000)))
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(f"DELETE FROM user_tables.t{table.pk} WHERE id > 10")
    old = timezone.now() - timedelta(days=2)
    for key, date in (("old", old), ("new", timezone.now())):
        GivenAnswer.objects.create(
            workspace=workspace, caller="c", key=key, fingerprint="f", status=200, document="{}", date_created=date
        )
    call("POST", f"/{environment.pk}/optimize")
    assert work_all() == 1
    job = environment.jobs.first()
    assert job is not None
    lines = {line.step: line.message for line in job.lines.all()}
    assert lines["purge"].startswith("1 answers, 0 uploads, ")
    assert lines["pack"] == "1 tables rewritten, 7 vacuumed."
    found = re.fullmatch(r"(\d+) bytes before, (\d+) after: (\d+) reclaimed\.", lines["report"])
    assert found is not None
    before, after, reclaimed = map(int, found.groups())
    assert before - after == reclaimed > 1_000_000
    assert job.memo["reclaimed"] == reclaimed
    assert list(GivenAnswer.objects.values_list("key", flat=True)) == ["new"]
    environment.refresh_from_db()
    assert environment.status == "ready"
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT count(*) FROM user_tables.t{table.pk}")
        assert cursor.fetchone() == (10,)
