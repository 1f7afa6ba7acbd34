import zoneinfo
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.db.models import ProtectedError

from apps.accounts.models import Membership, Organization, Project, Role, User, Workspace

pytestmark = pytest.mark.django_db


@pytest.fixture
def project() -> Project:
    return Project.objects.create(organization=Organization.objects.create(name="acme"), name="intake")


def test_a_new_projects_flow_options(project: Project) -> None:
    project.refresh_from_db()
    assert (project.retries, project.retry_minutes, project.max_executions) == (3, 5, 100)
    assert project.api_key_hash is None


def test_names_within_their_owner_are_unique(project: Project) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        Project.objects.create(organization=project.organization, name="intake")
    with pytest.raises(IntegrityError), transaction.atomic():
        Organization.objects.create(name="acme")
    other = Organization.objects.create(name="rival")
    assert Project.objects.create(organization=other, name="intake").pk != project.pk


def test_an_organization_with_projects_cannot_be_deleted(project: Project) -> None:
    with pytest.raises(ProtectedError):
        project.organization.delete()


def test_one_workspace_for_each_host(project: Project) -> None:
    designer = Workspace.objects.create(project=project)
    assert (designer.api_host, str(designer)) == ("", "intake / Designer")
    deployed = Workspace.objects.create(project=project, api_host="api.example")
    assert str(deployed) == "intake / api.example"
    for host in ("", "api.example"):
        with pytest.raises(IntegrityError), transaction.atomic():
            Workspace.objects.create(project=project, api_host=host)


def test_the_zone_of_new_workspaces_is_a_setting(project: Project, settings: Any) -> None:
    settings.DEFAULT_TIME_ZONE = "Asia/Tokyo"
    assert Workspace.objects.create(project=project).zone == zoneinfo.ZoneInfo("Asia/Tokyo")


@pytest.mark.parametrize("name", ["Europe/Amsterdam", "UTC", "America/Argentina/Ushuaia"])
def test_zones_of_the_tz_database(project: Project, name: str) -> None:
    Workspace(project=project, time_zone=name).full_clean()


@pytest.mark.parametrize("name", ["", "Amsterdam", "europe/amsterdam", "../../etc/passwd", "+02:00"])
def test_other_zones(project: Project, name: str) -> None:
    with pytest.raises(ValidationError) as caught:
        Workspace(project=project, time_zone=name).full_clean()
    assert list(caught.value.message_dict) == ["time_zone"]


@pytest.mark.parametrize(("executions", "valid"), [(0, True), (100_000, True), (100_001, False), (-1, False)])
def test_the_most_executions_are_bounded(project: Project, executions: int, valid: bool) -> None:
    project.max_executions = executions
    if valid:
        project.full_clean()
        return
    with pytest.raises(ValidationError):
        project.full_clean()


def test_a_person_has_one_role_in_an_organization(project: Project) -> None:
    user = User.objects.create_user("somebody")
    membership = Membership.objects.create(organization=project.organization, user=user)
    assert (membership.role, str(membership)) == (Role.DEVELOPER, "somebody (Developer)")
    with pytest.raises(IntegrityError), transaction.atomic():
        Membership.objects.create(organization=project.organization, user=user, role=Role.VIEWER)


def test_roles_include_those_after_them() -> None:
    order = [Role.OWNER, Role.DEVELOPER, Role.OPERATOR, Role.VIEWER]
    for rank, role in enumerate(order):
        assert [role.includes(other) for other in order] == [rank <= n for n in range(4)]
