"""Ordering deployments: what is read, what is refused, which version it becomes."""

from collections.abc import Callable
from typing import Any

import pytest

from apps.accounts.models import Project, Workspace
from apps.core.copy_action import CopyAction
from apps.core.errors import BadRequest
from apps.environments import removal
from apps.environments.deploy_options import DeployOptions, Selection
from apps.environments.execution import work_all
from apps.environments.job_steps import StepFailed
from apps.environments.models import Deployment, Environment, EnvironmentJob
from apps.keystores.models import Keystore
from tests.conftest import STRAIGHT_FLOW, Tenant, publish
from tests.environments.conftest import Caller, make_ready


def deploy(call: Caller, environment: Environment, project: Project, **body: Any) -> Any:
    answered = call("POST", f"/{environment.pk}/project/{project.pk}", body)
    assert answered["status"] == "updating"
    work_all()
    found = call("GET", f"/{environment.pk}")
    assert found["status"] == "ready", Environment.objects.get(pk=environment.pk).status_reason
    return found


def raising(error: Exception) -> Callable[..., Any]:
    """Whatever it is called with, it raises."""

    def fail(*args: Any) -> None:
        raise error

    return fail


def versions(environment: Environment) -> list[tuple[int, int]]:
    return list(environment.deployments.values_list("project_id", "version"))


def test_deployment_makes_a_workspace_for_the_host(call: Caller, acme: Tenant, environment: Environment) -> None:
    found = deploy(call, environment, acme.project)
    assert found["projects"] == [str(acme.project.pk)]
    workspace = Workspace.objects.get(api_host=environment.api_host)
    assert (workspace.project_id, workspace.time_zone, workspace.concurrency) == (acme.project.pk, "Europe/London", 8)
    (row,) = call("GET", f"/{environment.pk}/projects")
    assert list(row) == ["id", "name", "version", "date_created", "date_updated"]
    assert (row["id"], row["name"], row["version"]) == (str(acme.project.pk), "acme project", 1)


def test_versions_count_what_leaves_the_designer(call: Caller, acme: Tenant, environment: Environment) -> None:
    other = make_ready(call)
    deploy(call, environment, acme.project)
    deploy(call, other, acme.project)
    assert (versions(environment), versions(other)) == ([(acme.project.pk, 1)], [(acme.project.pk, 1)])
    publish(acme, STRAIGHT_FLOW, "another")
    deploy(call, other, acme.project)
    assert (versions(environment), versions(other)) == ([(acme.project.pk, 1)], [(acme.project.pk, 2)])
    workspace = Workspace.objects.get(api_host=environment.api_host)
    deploy(call, environment, acme.project, source_environment=other.pk)
    assert versions(environment) == [(acme.project.pk, 2)]
    assert Workspace.objects.get(api_host=environment.api_host) == workspace
    error = call("POST", f"/{environment.pk}/project/{acme.project.pk}", {"source_environment": str(other.pk)}, 409)
    assert error["message"] == (
        "The environment has version 2 of the project; the source has no newer one, but version 2."
    )


def test_removal_takes_workspace_and_addresses_along(call: Caller, acme: Tenant, environment: Environment) -> None:
    deploy(call, environment, acme.project)
    environment.url_mappings.create(project=acme.project, url="/", type="website", name="w")
    answered = call("DELETE", f"/{environment.pk}/project/{acme.project.pk}")
    assert answered["status"] == "updating"
    work_all()
    assert call("GET", f"/{environment.pk}")["projects"] == []
    assert call("GET", f"/{environment.pk}/urls") == {"urls_mapped": []}
    assert list(Workspace.objects.filter(project=acme.project).values_list("api_host", flat=True)) == [""]
    call("DELETE", f"/{environment.pk}/project/{acme.project.pk}", status=404)


def test_a_removal_that_failed_can_be_ordered_again(
    call: Caller, acme: Tenant, environment: Environment, monkeypatch: pytest.MonkeyPatch
) -> None:
    deploy(call, environment, acme.project)
    with monkeypatch.context() as broken:
        broken.setattr(removal, "remove_workspace", raising(StepFailed("The disk is full.")))
        call("DELETE", f"/{environment.pk}/project/{acme.project.pk}")
        work_all()
    assert call("GET", f"/{environment.pk}/status")["status"] == "error"
    assert call("GET", f"/{environment.pk}/projects") == []
    call("DELETE", f"/{environment.pk}/project/{acme.project.pk}")
    work_all()
    assert call("GET", f"/{environment.pk}/status")["status"] == "ready"
    assert not Workspace.objects.filter(api_host=environment.api_host).exists()


def test_orders_that_are_refused(call: Caller, acme: Tenant, rival: Tenant, environment: Environment) -> None:
    other, busy = make_ready(call), make_ready(call)
    Environment.objects.filter(pk=busy.pk).update(status="upgrading")
    path, own = f"/{environment.pk}/project", acme.project.pk
    for project, body, status in (
        (rival.project.pk, {}, 404),
        (999_999, {}, 404),
        ("x", {}, 404),
        (own, {"source_environment": environment.pk}, 400),
        (own, {"source_environment": other.pk}, 404),
        (own, {"source_environment": 999_999}, 404),
        (own, {"source_environment": busy.pk}, 409),
        (own, {"source_environment": True}, 400),
        (own, {"source_environment": [1]}, 400),
        (own, [], 400),
        (own, {"static_data": "maybe"}, 400),
        (own, {"all_tables": "drop"}, 400),
        (own, {"keystores": [{"keystore_id": "nosuch", "action": "insert"}]}, 400),
        (own, {"tables": [{"name": "nosuch", "action": "insert"}]}, 400),
        (own, {"websites": [{"slug": "nosuch", "action": "insert"}]}, 400),
    ):
        call("POST", f"{path}/{project}", body, status=status)
    assert Environment.objects.get(pk=environment.pk).status == "ready"
    assert not Deployment.objects.exists()
    assert EnvironmentJob.objects.exclude(kind="create").count() == 0


def test_source_that_lost_the_project_meanwhile(call: Caller, acme: Tenant, environment: Environment) -> None:
    other = make_ready(call)
    deploy(call, other, acme.project)
    call("POST", f"/{environment.pk}/project/{acme.project.pk}", {"source_environment": other.pk})
    Deployment.objects.filter(environment=other).delete()
    work_all()
    row = Environment.objects.get(pk=environment.pk)
    assert (row.status, row.status_reason) == ("error", "The project is no longer in the source environment.")
    assert not Workspace.objects.filter(api_host=environment.api_host).exists()


def test_all_makes_the_list_count_for_nothing(call: Caller, acme: Tenant, environment: Environment) -> None:
    deploy(call, environment, acme.project, all_keystores="insert", keystores=[{"keystore_id": "no", "action": "x"}])


def test_options_are_kept_as_they_were_read() -> None:
    body = {
        "static_data": "yes",
        "file_manager": "no",
        "all_keystores": "Insert or  update",
        "tables": {"name": "t", "action": "delete and insert"},
        "websites": [{"slug": "a", "action": "insert"}, {"slug": "b", "action": "insert or update"}],
    }
    options = DeployOptions.read(body)
    assert options.static_data
    assert not options.file_manager
    assert options.keystores.action_for("anything") == CopyAction.UPSERT
    assert options.tables == Selection(items={"t": CopyAction.REPLACE})
    assert options.websites.action_for("b") == CopyAction.UPSERT
    assert options.websites.action_for("c") is None
    assert DeployOptions.read(options.as_json()) == options
    assert DeployOptions.read({}) == DeployOptions()


def test_every_fault_of_the_options_is_named() -> None:
    with pytest.raises(BadRequest) as refused:
        DeployOptions.read(
            {
                "static_data": "maybe",
                "file_manager": 7,
                "all_keystores": 5,
                "tables": [{"name": "t"}, {"action": "insert"}, 5, {"name": "u", "action": "insert"},
                           {"name": "u", "action": "insert"}],
                "websites": "all",
            }
        )  # fmt: skip
    assert [detail.path for detail in refused.value.details] == [
        "/static_data", "/file_manager", "/all_keystores", "/tables/0/action", "/tables/1/name", "/tables/2/name",
        "/tables/4/name", "/websites",
    ]  # fmt: skip


def test_names_of_the_source_are_asked_for(call: Caller, acme: Tenant, environment: Environment) -> None:
    Keystore.objects.create(workspace=acme.workspace, identifier="weather", structure="{}")
    deploy(call, environment, acme.project, keystores=[{"keystore_id": "weather", "action": "insert"}])
    error = call(
        "POST",
        f"/{environment.pk}/project/{acme.project.pk}",
        {"keystores": [{"keystore_id": name, "action": "insert"} for name in ("weather", "b", "a")]},
        status=400,
    )
    assert [detail["message"] for detail in error["details"]] == [
        "The project has no keystore 'b'.",
        "The project has no keystore 'a'.",
    ]
