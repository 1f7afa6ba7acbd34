"""Deployments as callers order them: what is copied with which option, versions, and what two at once do."""

from concurrent.futures import ThreadPoolExecutor
from io import BytesIO
from typing import Any

import pytest
from django.db import connection

from apps.accounts.models import Workspace
from apps.contents.models import StaticData, StoredFile, Website, WebsiteFile
from apps.contents.services import store_files, upload_files
from apps.core.errors import BadRequest, Conflict
from apps.environments import deployment
from apps.environments.deploy_options import DeployOptions
from apps.environments.execution import work_all
from apps.environments.models import Deployment, Environment, EnvironmentJob, JobStep, ProjectVersion
from apps.keystores.models import KeystoreItem
from apps.records.execution import drain
from apps.records.models import Record
from apps.records.services import create_records
from apps.schemas.fields import create_field
from apps.tables import services as tables
from apps.tables import structure
from apps.tables.models import Table
from tests.conftest import Tenant
from tests.environments.conftest import Caller, make_ready
from tests.keystores.conftest import fill, make_keystore

pytestmark = pytest.mark.django_db(transaction=True)


def deploy(call: Caller, environment: Environment, tenant: Tenant, **options: Any) -> Workspace:
    """Order a deployment and have it done; the workspace it went to."""
    answer = call("POST", f"/{environment.pk}/project/{tenant.project.pk}", options)
    assert answer["status"] == "updating"
    work_all()
    environment.refresh_from_db()
    assert (environment.status, environment.status_reason) == ("ready", "")
    return Workspace.objects.get(project=tenant.project, api_host=environment.api_host)


def keys(workspace: Workspace) -> list[str]:
    return sorted(KeystoreItem.objects.in_workspace(workspace.pk).values_list("key", flat=True))


@pytest.fixture
def complete(stocked: Tenant) -> Tenant:
    """Acme with keys, rows, a website, a file and static data."""
    tables.insert_row(stocked.caller, "people", {"username": "ann", "age": 20})
    website = Website.objects.create(workspace=stocked.workspace, slug="shop", name="Shop")
    upload_files(website, [("index.html", BytesIO(b"<h1>Shop</h1>")), ("img/a.txt", BytesIO(b"a"))])
    store_files(stocked.workspace, [("terms.txt", BytesIO(b"terms"))])
    StaticData.objects.create(workspace=stocked.workspace, data={"vat": 21})
    return stocked


def test_without_options_only_the_definition_is_copied(
    call: Caller, environment: Environment, complete: Tenant
) -> None:
    target = deploy(call, environment, complete)
    assert keys(target) == []
    assert Table.objects.in_workspace(target.pk).get().columns.count() == 2
    assert not Website.objects.in_workspace(target.pk).exists()
    assert not StoredFile.objects.in_workspace(target.pk).exists()
    assert not StaticData.objects.in_workspace(target.pk).exists()


def test_all_of_everything(call: Caller, environment: Environment, complete: Tenant) -> None:
    everything = dict.fromkeys(("all_keystores", "all_tables", "all_websites"), "insert")
    target = deploy(call, environment, complete, static_data="yes", file_manager="yes", **everything)
    assert keys(target) == ["London", "Madrid"]
    assert list(WebsiteFile.objects.in_workspace(target.pk).values_list("path", flat=True)) == [
        "img/a.txt",
        "index.html",
    ]
    assert [file.path for file in StoredFile.objects.in_workspace(target.pk)] == ["terms.txt"]
    assert StaticData.objects.in_workspace(target.pk).get().data == {"vat": 21}
    assert (target.time_zone, target.concurrency > 0) == ("Europe/London", True)


@pytest.mark.parametrize(
    ("given", "meant"),
    [("yes", True), ("YES", True), (" Yes ", True), (True, True), (1, True), ("1", True), ("true", True),
     ("no", False), ("No", False), (False, False), (0, False), ("0", False), ("false", False), ("", False),
     (None, False)],
)  # fmt: skip
def test_yes_and_no_are_understood_as_people_write_them(given: Any, meant: bool) -> None:
    chosen = DeployOptions.read({"static_data": given})
    assert chosen.static_data is meant
    assert DeployOptions.read(chosen.as_json()) == chosen


@pytest.mark.parametrize("given", ["perhaps", 2, 1.5, [], {}, ["yes"]])
def test_what_is_neither_yes_nor_no_is_refused(given: Any) -> None:
    with pytest.raises(BadRequest) as caught:
        DeployOptions.read({"file_manager": given})
    assert [detail.path for detail in caught.value.details] == ["/file_manager"]


def test_records_are_never_copied(call: Caller, environment: Environment, complete: Tenant) -> None:
    create_records(complete.caller, [{"client": {"age": 1}}], flow_name="intake")
    target = deploy(call, environment, complete, all_tables="insert")
    assert not Record.objects.in_workspace(target.pk).exists()


def test_only_what_is_named(call: Caller, environment: Environment, complete: Tenant) -> None:
    fill(make_keystore(complete, "other"), Paris={"temp": 3})
    target = deploy(call, environment, complete, keystores=[{"keystore_id": "other", "action": "insert"}])
    assert keys(target) == ["Paris"]


@pytest.mark.parametrize(
    ("action", "expected"),
    [
        ("insert", {"index.html": b"old", "img/a.txt": b"a", "own.txt": b"own"}),
        ("insert or update", {"index.html": b"<h1>Shop</h1>", "img/a.txt": b"a", "own.txt": b"own"}),
        ("delete and insert", {"index.html": b"<h1>Shop</h1>", "img/a.txt": b"a"}),
    ],
)
def test_files_of_a_website_that_are_there_already(
    call: Caller, environment: Environment, complete: Tenant, action: str, expected: dict[str, bytes]
) -> None:
    target = deploy(call, environment, complete)
    website = Website.objects.create(workspace=target, slug="shop", name="Old shop")
    upload_files(website, [("index.html", BytesIO(b"old")), ("own.txt", BytesIO(b"own"))])
    deploy(call, environment, complete, websites=[{"slug": "shop", "action": action}])
    files = WebsiteFile.objects.in_workspace(target.pk).select_related("content")
    assert {file.path: bytes(file.content.content) for file in files} == expected
    website.refresh_from_db()
    assert website.name == ("Old shop" if action == "insert" else "Shop")


def test_an_unchanged_project_keeps_its_version_and_a_changed_one_gets_the_next(
    call: Caller, environment: Environment, complete: Tenant
) -> None:
    deploy(call, environment, complete)
    deploy(call, environment, complete, all_keystores="insert")
    assert Deployment.objects.get().version == 1
    create_field(complete.caller, name="email", path="client.email")
    deploy(call, environment, complete)
    assert Deployment.objects.get().version == 2
    newest = complete.project.versions.first()
    assert (newest.number, newest.definition["data_fields"]) == (
        2,
        [{"name": "email", "path": "client.email", "list_column": False}],
    )
    assert ProjectVersion.objects.count() == 2


def test_from_another_environment_only_what_is_newer(call: Caller, environment: Environment, complete: Tenant) -> None:
    other = make_ready(call, name="Acceptance")
    deploy(call, other, complete)
    source = deploy(call, environment, complete, all_keystores="insert")
    path = f"/{other.pk}/project/{complete.project.pk}"
    error = call("POST", path, {"source_environment": environment.pk}, status=409)
    assert "version 1" in error["message"]
    create_field(complete.caller, name="email", path="client.email")
    deploy(call, environment, complete)
    KeystoreItem.objects.in_workspace(source.pk).filter(key="London").delete()
    target = deploy(call, other, complete, source_environment=environment.pk, all_keystores="insert")
    assert keys(target) == ["Madrid"]
    assert Deployment.objects.get(environment=other).version == 2


def test_what_the_project_does_not_have_is_refused_with_its_place(
    call: Caller, environment: Environment, complete: Tenant
) -> None:
    options = {
        "keystores": [{"keystore_id": "weather", "action": "insert"}, {"keystore_id": "none", "action": "insert"}],
        "websites": [{"slug": "none", "action": "insert"}],
    }
    error = call("POST", f"/{environment.pk}/project/{complete.project.pk}", options, status=400)
    assert [detail["path"] for detail in error["details"]] == ["/keystores/1/keystore_id", "/websites/0/slug"]
    assert EnvironmentJob.objects.filter(kind="deploy").count() == 0


def test_a_deployment_that_cannot_be_leaves_everything_as_it_was(
    call: Caller, environment: Environment, complete: Tenant
) -> None:
    target = deploy(call, environment, complete, all_keystores="insert", all_tables="insert")
    people = Table.objects.in_workspace(complete.workspace.pk).get()
    structure.remove_column(complete.caller, people.columns.get(name="age"))
    structure.add_column(complete.caller, people, name="age", kind="text")
    KeystoreItem.objects.in_workspace(complete.workspace.pk).all().delete()
    call("POST", f"/{environment.pk}/project/{complete.project.pk}", {"all_keystores": "delete and insert"})
    work_all()
    environment.refresh_from_db()
    assert environment.status == "error"
    assert "The column age of the table people is integer there and text here" in environment.status_reason
    assert keys(target) == ["London", "Madrid"]
    assert Deployment.objects.get().version == 1
    deploy(call, environment, complete, all_tables="delete and insert")


def test_what_cannot_be_defined_is_found_before_anything_is_copied(
    call: Caller, environment: Environment, complete: Tenant
) -> None:
    target = deploy(call, environment, complete)
    people = Table.objects.in_workspace(complete.workspace.pk).get()
    structure.remove_column(complete.caller, people.columns.get(name="age"))
    structure.add_column(complete.caller, people, name="age", kind="text")
    said: list[str] = []
    with pytest.raises(Conflict, match="The column age of the table people"):
        deployment.deploy_project(
            complete.workspace, target, DeployOptions.read({"all_keystores": "insert"}), said.append
        )
    assert said == ["Check of the definition"]


def test_the_second_of_two_deployments_at_once_is_refused(
    call: Caller, environment: Environment, complete: Tenant
) -> None:
    path = f"/{environment.pk}/project/{complete.project.pk}"
    call("POST", path, {})
    assert call("POST", path, {}, status=409)["message"]
    work_all()
    assert EnvironmentJob.objects.filter(kind="deploy").count() == 1


def test_people_see_what_is_being_copied_while_it_is(
    call: Caller, environment: Environment, complete: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[str] = []

    def look(source: Workspace, target: Workspace, options: Any, report: Any, definition: Any) -> str:
        report("Keystore weather")
        with ThreadPoolExecutor(1) as pool:  # with a connection of its own, as a page has
            seen.append(pool.submit(_message).result())
        return deployment.deploy_project(source, target, options, report, definition)

    monkeypatch.setattr("apps.environments.deploying.copy_project", look)
    deploy(call, environment, complete)
    assert seen == ["Keystore weather"]
    assert JobStep.objects.get(step="copy").message.startswith("Version 1 of acme project: Copied the definition")


def _message() -> str:
    try:
        return JobStep.objects.get(step="copy").message
    finally:
        connection.close()


def test_a_project_of_another_organization_is_not_there(call: Caller, environment: Environment, rival: Tenant) -> None:
    call("POST", f"/{environment.pk}/project/{rival.project.pk}", {}, status=404)


def test_a_record_in_the_environment_runs_there_and_not_in_the_designer(
    call: Caller, environment: Environment, complete: Tenant, client: Any
) -> None:
    target = deploy(call, environment, complete)
    answer = client.post(
        "/v1/record",
        {"client": {"age": 30}},
        content_type="application/json",
        headers=complete.headers | {"X-Flow": "intake", "Host": environment.api_host},
    )
    assert answer.status_code == 201
    drain()
    record = Record.objects.get()
    assert (record.workspace_id, record.status) == (target.pk, 2)
