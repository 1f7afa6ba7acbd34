"""What goes on in an environment, and elsewhere in the project, while a deployment copies data."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import OperationalError, connection, transaction
from django.utils import timezone

from apps.accounts.models import Project, Role, Workspace
from apps.applications.members import member_caller
from apps.environments import deployment
from apps.environments.execution import work_all
from apps.environments.models import Deployment, Environment
from apps.environments.project_versions import note_version
from apps.flows import services as flows
from apps.flows.models import Flow
from apps.keystores.models import Keystore
from apps.records.models import Record
from apps.records.services import create_records
from apps.tables import services as tables
from apps.tables import structure
from apps.tables.models import Table
from tests.conftest import STRAIGHT_FLOW, Tenant
from tests.contract.test_parallel import at_once
from tests.environments.conftest import Caller, make_ready
from tests.environments.deployment.test_deployment import deploy
from tests.tables.conftest import make_table

pytestmark = pytest.mark.django_db(transaction=True)


def beside(act: Callable[[], Any]) -> Any:
    """What ``act`` returns on a connection of its own, which waits for a lock for a second at most."""

    def run() -> Any:
        try:
            with transaction.atomic(), connection.cursor() as cursor:
                cursor.execute("SET LOCAL lock_timeout = '1s'")
                return act()
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as pool:
        return pool.submit(run).result()


@pytest.fixture
def while_copying(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[], Any]], None]:
    """Have something done on another connection each time a deployment has copied the keys of a keystore."""
    copy_items = deployment.copy_items

    def set_up(act: Callable[[], Any]) -> None:
        def copy(*args: Any) -> int:
            copied = copy_items(*args)
            beside(act)
            return copied

        monkeypatch.setattr(deployment, "copy_items", copy)

    return set_up


def test_calls_with_the_key_of_the_project_go_on(
    call: Caller, environment: Environment, stocked: Tenant, while_copying: Callable[[Callable[[], Any]], None]
) -> None:
    noted = []
    project = Project.objects.filter(pk=stocked.project.pk)
    while_copying(lambda: noted.append(project.update(api_key_last_used_at=timezone.now())))
    deploy(call, environment, stocked, all_keystores="insert")
    assert noted == [1]


def test_tables_that_get_columns_are_read_while_all_else_is_copied(
    call: Caller, environment: Environment, stocked: Tenant, while_copying: Callable[[Callable[[], Any]], None]
) -> None:
    target = deploy(call, environment, stocked)
    caller = member_caller(Workspace.objects.select_related("project").get(pk=target.pk), Role.OWNER)
    structure.add_column(stocked.caller, stocked.extra["people"], name="city")
    seen = []
    while_copying(lambda: seen.append(list(tables.search_rows(caller, "people").definition.columns)))
    deploy(call, environment, stocked, all_keystores="insert", all_tables="insert")
    assert [len(columns) for columns in seen] == [2]
    assert len(tables.search_rows(caller, "people").definition.columns) == 3


def test_what_was_made_meanwhile_is_part_of_the_next_version(
    call: Caller, environment: Environment, stocked: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    apply = deployment.apply_definition

    def late(*args: Any, **options: Any) -> list[str]:
        notes = apply(*args, **options)
        Keystore.objects.get_or_create(workspace=stocked.workspace, identifier="late", defaults={"structure": "{}"})
        if not Table.objects.filter(name="late").exists():
            make_table(stocked, "late", a="text")
        return notes

    monkeypatch.setattr(deployment, "apply_definition", late)
    target = deploy(call, environment, stocked, all_keystores="insert", all_tables="insert")
    assert not Keystore.objects.filter(workspace=target, identifier="late").exists()
    assert environment.jobs.get(kind="deploy").lines.filter(failed=True).count() == 0


def test_flows_that_change_take_records_until_the_end(
    call: Caller, environment: Environment, stocked: Tenant, while_copying: Callable[[Callable[[], Any]], None]
) -> None:
    target = deploy(call, environment, stocked)
    caller = member_caller(Workspace.objects.select_related("project").get(pk=target.pk), Role.OWNER)
    flows.save_draft(stocked.caller, stocked.flow, flows.format_source({**STRAIGHT_FLOW, "description": "anew"}))
    flows.change_status(stocked.caller, stocked.flow, "public")
    while_copying(lambda: create_records(caller, [{"client": []}], flow_name="intake"))
    deploy(call, environment, stocked, all_keystores="insert")
    assert Record.objects.filter(workspace=target).count() == 1
    assert Flow.objects.get(workspace=target, name="intake").live_version.number == 2  # type: ignore[union-attr]


def test_of_those_who_note_a_version_at_once_all_get_the_same(stocked: Tenant) -> None:
    numbers = at_once(4, lambda number: note_version(Project.objects.get(pk=stocked.project.pk)).number)
    assert numbers == [1] * 4


def test_a_source_stays_what_it_is_until_it_is_copied(
    call: Caller, environment: Environment, stocked: Tenant, while_copying: Callable[[Callable[[], Any]], None]
) -> None:
    source = make_ready(call)
    deploy(call, source, stocked, all_keystores="insert")
    refused = []

    def change() -> None:
        try:
            Deployment.objects.filter(environment=source).update(version=7)
        except OperationalError as error:
            refused.append(type(error.__cause__).__name__)

    while_copying(change)
    deploy(call, environment, stocked, all_keystores="insert", source_environment=source.pk)
    assert refused == ["LockNotAvailable"]
    assert Deployment.objects.get(environment=environment).version == 1


def test_a_project_that_is_gone_ends_in_an_error_that_says_so(
    call: Caller, environment: Environment, stocked: Tenant
) -> None:
    call("POST", f"/{environment.pk}/project/{stocked.project.pk}", {})
    environment.jobs.filter(kind="deploy").update(parameters={"project": 0, "options": {}})
    work_all()
    environment.refresh_from_db()
    assert (environment.status, environment.status_reason) == ("error", "The project is gone.")
