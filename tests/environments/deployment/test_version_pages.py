"""The pages of project versions: noting one, its file, importing it."""

import json
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from apps.accounts.models import Role
from apps.environments.definitions.document import read_definition
from apps.environments.models import ProjectVersion
from apps.environments.project_versions import note_version
from apps.flows.models import Flow
from tests.conftest import Tenant
from tests.members import person, signed_in

pytestmark = pytest.mark.django_db

LIST = "/admin/environments/projectversion/"


@pytest.fixture
def developer(acme: Tenant) -> Client:
    """Somebody who builds Acme's flows."""
    return signed_in(person("dev", acme=Role.DEVELOPER))


def upload(client: Client, project: Any, content: bytes) -> Any:
    return client.post(f"{LIST}import/", {"project": project.pk, "file": SimpleUploadedFile("p.json", content)})


def said(client: Client) -> list[str]:
    return [str(message) for message in client.get(LIST).context["messages"]]


def test_noting_a_version_twice_keeps_its_number(acme: Tenant, developer: Client) -> None:
    for _ in range(2):
        assert developer.post(f"{LIST}note/", {"project": acme.project.pk}).status_code == 302
        assert said(developer) == ["acme project is version 1."]
    assert [row.number for row in ProjectVersion.objects.all()] == [1]


def test_the_file_of_a_version_can_be_imported_into_another_project(
    acme: Tenant, rival: Tenant, developer: Client
) -> None:
    version = note_version(acme.project)
    file = developer.get(f"{LIST}{version.pk}/file/")
    assert file["Content-Disposition"] == 'attachment; filename="acme project-1.json"'
    Flow.objects.in_workspace(rival.workspace.pk).update(description="other")
    theirs = signed_in(person("their", rival=Role.DEVELOPER))
    assert upload(theirs, rival.project, file.content).status_code == 302
    assert said(theirs)[0] == "rival project is what the file says: version 1."
    assert read_definition(rival.workspace.pk) == read_definition(acme.workspace.pk)


@pytest.mark.parametrize(
    "content", [b"", b"{", b"[]", b'{"format": "flow/1"}', b"\xff\xfe", b'{"format": "flowize-project/1", "x": 1}']
)
def test_what_is_no_project_is_said_beside_the_field(acme: Tenant, developer: Client, content: bytes) -> None:
    before = read_definition(acme.workspace.pk)
    page = upload(developer, acme.project, content)
    assert (page.status_code, list(page.context["form"].errors)) == (200, ["file"])
    assert read_definition(acme.workspace.pk) == before


def test_an_import_that_cannot_be_applied_changes_nothing(acme: Tenant, developer: Client) -> None:
    definition = read_definition(acme.workspace.pk)
    broken = {**definition, "flows": [{**definition["flows"][0], "source": "{}"}]}
    assert upload(developer, acme.project, json.dumps(broken).encode()).status_code == 302
    page = developer.get(f"{LIST}import/")
    assert "The flow intake cannot be published: " in str(next(iter(page.context["messages"])))
    assert read_definition(acme.workspace.pk) == definition
    assert not ProjectVersion.objects.exists()


@pytest.mark.parametrize("role", [Role.VIEWER, Role.OPERATOR])
def test_only_developers_note_and_import(acme: Tenant, role: Role) -> None:
    client = signed_in(person("reader", acme=role))
    version = note_version(acme.project)
    assert client.get(f"{LIST}{version.pk}/file/").status_code == 200
    assert "Note its version" not in client.get(LIST).content.decode()
    client.post(f"{LIST}note/", {"project": acme.project.pk})
    assert said(client) == ["Choose a project."]
    assert list(upload(client, acme.project, b"{}").context["form"].errors) == ["project", "file"]


def test_versions_and_projects_of_others_are_not_there(acme: Tenant, rival: Tenant, developer: Client) -> None:
    version = note_version(rival.project)
    assert developer.get(f"{LIST}{version.pk}/file/").status_code == 404
    developer.post(f"{LIST}note/", {"project": rival.project.pk})
    assert said(developer) == ["Choose a project."]
    assert developer.get(f"{LIST}{version.pk}/change/").status_code == 302
    assert "project" in upload(developer, rival.project, b"{}").context["form"].errors
    assert "rival" not in developer.get(LIST).content.decode()


def test_a_page_shows_the_definition(acme: Tenant, developer: Client) -> None:
    version = note_version(acme.project)
    page = developer.get(f"{LIST}{version.pk}/change/").content.decode()
    assert "flowize-project/1" in page
    assert "1 flow" in developer.get(LIST).content.decode()


def test_a_list_takes_as_many_queries_for_many_versions_as_for_one(
    acme: Tenant, developer: Client, django_assert_num_queries: Any
) -> None:
    note_version(acme.project)
    with CaptureQueriesContext(connection) as queries:
        developer.get(LIST)
    for number in range(2, 6):
        ProjectVersion.objects.create(project=acme.project, number=number, fingerprint="x", definition={})
    with django_assert_num_queries(len(queries)):
        developer.get(LIST)


def test_noting_is_by_post_only(acme: Tenant, developer: Client) -> None:
    assert developer.get(f"{LIST}note/").status_code == 405
