"""Applications, projects and organizations, and secrets that are shown once."""

import re
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.sessions.models import Session
from django.test import Client

from apps.accounts.models import Organization, Project, Role, Workspace
from apps.applications.models import Application
from apps.core import tokens
from tests.conftest import Tenant
from tests.members import person, signed_in, superuser

SECRET = re.compile(r"<code x-ref=\"value\">([0-9a-f]+)</code>")


@pytest.fixture
def developer(acme: Tenant) -> Client:
    """A developer of Acme."""
    return signed_in(person("dev", acme=Role.DEVELOPER))


@pytest.fixture
def owner(acme: Tenant) -> Client:
    """An owner of Acme."""
    return signed_in(person("ada", acme=Role.OWNER))


def fields(tenant: Tenant, **changed: Any) -> dict[str, Any]:
    """A filled form of an application."""
    return {
        "project": tenant.project.pk,
        "name": "crm",
        "description": "",
        "active": "on",
        "oauth2": "on",
        "default_flow": "intake",
        "addresses": "10.0.0.0/8\n::1",
        "scopes": ["record", "schema.read"],
        "rate_limit": 500,
    } | changed


def test_registering_shows_the_secret_once(acme: Tenant, developer: Client) -> None:
    response = developer.post("/admin/applications/application/add/", fields(acme))
    crm = Application.objects.get(name="crm")
    client_id, secret, app_key = SECRET.findall(response.content.decode())
    assert response.status_code == 200
    assert "no-store" in response["Cache-Control"]
    assert (client_id, app_key) == (crm.client_id, crm.app_key)
    assert (len(secret), secret[:8]) == (64, crm.secret_prefix)
    assert (crm.project, crm.default_flow, crm.scopes) == (acme.project, "intake", ["record", "schema.read"])
    assert (crm.addresses, crm.rate_limit, crm.oauth2, crm.url_keys) == ("10.0.0.0/8\n::1", 500, True, False)
    token = developer.post(
        "/o/token/",
        {"grant_type": "client_credentials", "client_id": client_id, "client_secret": secret},
        REMOTE_ADDR="10.1.2.3",
    )
    assert token.status_code == 200


def test_a_shown_secret_is_kept_nowhere(acme: Tenant, developer: Client) -> None:
    response = developer.post("/admin/applications/application/add/", fields(acme))
    secret = SECRET.findall(response.content.decode())[1]
    crm = Application.objects.get(name="crm")
    pages = [developer.get(f"/admin/applications/application/{crm.pk}/{page}/") for page in ("change", "history")]
    assert all(secret not in page.content.decode() for page in (*pages, developer.get("/admin/")))
    assert all(secret not in str(session.get_decoded()) for session in Session.objects.all())
    assert all(secret not in cookie.value for cookie in developer.cookies.values())
    assert secret not in str(list(LogEntry.objects.values())) + str(Application.objects.filter(pk=crm.pk).values())
    assert f"{secret[:8]}…" in pages[0].content.decode()


def test_the_add_page_shows_no_client_id(acme: Tenant, developer: Client) -> None:
    page = developer.get("/admin/applications/application/add/").content.decode()
    assert "client_id" not in page
    assert "Insert, update, remove, move and queue records" in page


def test_wrong_addresses_are_named_by_line(acme: Tenant, developer: Client) -> None:
    form = fields(acme, addresses="10.0.0.1\nnonsense\n10.0.0.1/8")
    response = developer.post("/admin/applications/application/add/", form)
    lines = response.context["adminform"].form.errors["addresses"]
    assert len(lines) == 2
    assert "ine 2: 'nonsense' is neither an address nor a CIDR network." in lines[0]
    assert "ine 3: '10.0.0.1/8' has bits set beyond its prefix; the network is 10.0.0.0/8." in lines[1]
    assert not Application.objects.filter(name="crm").exists()


@pytest.mark.parametrize(
    ("changed", "field"),
    [({"default_flow": "nothing"}, "default_flow"), ({"scopes": ["everything"]}, "scopes"), ({"name": ""}, "name")],
)
def test_what_does_not_fit_is_refused(acme: Tenant, developer: Client, changed: dict[str, Any], field: str) -> None:
    response = developer.post("/admin/applications/application/add/", fields(acme, **changed))
    assert list(response.context["adminform"].form.errors) == [field]


def test_the_default_flow_must_be_of_the_chosen_project(acme: Tenant, developer: Client) -> None:
    empty = Project.objects.create(organization=acme.organization, name="empty")
    response = developer.post("/admin/applications/application/add/", fields(acme, project=empty.pk))
    assert response.context["adminform"].form.errors["default_flow"] == ["empty has no flow of this name."]


def test_a_foreign_project_is_no_choice(acme: Tenant, rival: Tenant, developer: Client) -> None:
    response = developer.post("/admin/applications/application/add/", fields(acme, project=rival.project.pk))
    assert "project" in response.context["adminform"].form.errors
    assert not Application.objects.filter(name="crm").exists()


def test_changes_keep_project_and_secret(acme: Tenant, rival: Tenant, developer: Client) -> None:
    before = Application.objects.get(pk=acme.oauth.pk)
    form = fields(acme, name="renamed", project=rival.project.pk, client_id="mine", client_secret="mine", app_key="x")
    response = developer.post(f"/admin/applications/application/{before.pk}/change/", form)
    after = Application.objects.get(pk=before.pk)
    assert response.status_code == 302
    assert after.name == "renamed"
    for kept in ("project_id", "client_id", "client_secret", "app_key", "secret_prefix"):
        assert getattr(after, kept) == getattr(before, kept)


def test_replacing_the_secret_asks_first_and_shows_the_new_one_once(acme: Tenant, developer: Client) -> None:
    path = f"/admin/applications/application/{acme.oauth.pk}/replace-secret/"
    before = Application.objects.get(pk=acme.oauth.pk)
    assert developer.get(path).status_code == 200
    assert Application.objects.get(pk=acme.oauth.pk).client_secret == before.client_secret
    response = developer.post(path)
    secret = SECRET.findall(response.content.decode())[1]
    after = Application.objects.get(pk=acme.oauth.pk)
    assert "no-store" in response["Cache-Control"]
    assert (after.client_secret != before.client_secret, after.secret_prefix) == (True, secret[:8])
    assert LogEntry.objects.latest("pk").get_change_message() == "Replaced the client secret."


@pytest.mark.parametrize("role", [Role.VIEWER, Role.OPERATOR])
def test_those_who_may_not_replace_secrets_cannot(acme: Tenant, role: Role) -> None:
    client = signed_in(person("bob", acme=role))
    before = Application.objects.get(pk=acme.oauth.pk).client_secret
    assert client.post(f"/admin/applications/application/{acme.oauth.pk}/replace-secret/").status_code == 403
    assert Application.objects.get(pk=acme.oauth.pk).client_secret == before
    assert (
        "replace-secret" not in client.get(f"/admin/applications/application/{acme.oauth.pk}/change/").content.decode()
    )


def test_deleting_an_application_ends_its_keys(acme: Tenant, developer: Client) -> None:
    path = f"/admin/applications/application/{acme.keys.pk}/delete/"
    assert acme.keys.name in developer.get(path).content.decode()
    developer.post(path, {"post": "yes"})
    assert not Application.objects.filter(pk=acme.keys.pk).exists()


def project_fields(tenant: Tenant, **changed: Any) -> dict[str, Any]:
    """A filled form of a project."""
    numbers = {"retries": 2, "retry_minutes": 1, "max_executions": 50}
    numbers |= {"workspaces-TOTAL_FORMS": 1, "workspaces-INITIAL_FORMS": 1, "workspaces-0-id": tenant.workspace.pk}
    return {"organization": tenant.organization.pk, "name": "second", "time_zone": "Asia/Tokyo"} | numbers | changed


def test_a_new_project_has_a_workspace_and_shows_its_key_once(acme: Tenant, owner: Client) -> None:
    response = owner.post("/admin/accounts/project/add/", project_fields(acme))
    project = Project.objects.get(name="second")
    (key,) = SECRET.findall(response.content.decode())
    assert "no-store" in response["Cache-Control"]
    assert (project.api_key_hash, project.api_key_prefix) == (tokens.digest(key), key[:8])
    assert [(row.api_host, row.time_zone) for row in project.workspaces.all()] == [("", "Asia/Tokyo")]
    assert (project.retries, project.retry_minutes, project.max_executions) == (2, 1, 50)


def test_developers_set_options_and_zone_of_a_project(acme: Tenant, developer: Client) -> None:
    key = Project.objects.get(pk=acme.project.pk).api_key_hash
    response = developer.post(f"/admin/accounts/project/{acme.project.pk}/change/", project_fields(acme))
    project = Project.objects.get(pk=acme.project.pk)
    assert response.status_code == 302
    assert (project.name, project.retries, project.api_key_hash) == ("second", 2, key)
    assert Workspace.objects.get(pk=acme.workspace.pk).time_zone == "Asia/Tokyo"


def test_a_project_name_is_unique_in_its_organization(acme: Tenant, rival: Tenant, owner: Client) -> None:
    Project.objects.create(organization=acme.organization, name="second")
    Project.objects.create(organization=rival.organization, name="theirs")
    path = f"/admin/accounts/project/{acme.project.pk}/change/"
    assert owner.post(path, project_fields(acme)).status_code == 200
    assert owner.post(path, project_fields(acme, name="theirs")).status_code == 302


def test_a_time_zone_that_is_none_is_refused(acme: Tenant, owner: Client) -> None:
    response = owner.post("/admin/accounts/project/add/", project_fields(acme, time_zone="Mars/Olympus"))
    assert "time_zone" in response.context["adminform"].form.errors


def test_a_project_with_flows_is_kept(acme: Tenant, owner: Client) -> None:
    path = f"/admin/accounts/project/{acme.project.pk}/delete/"
    assert "flows" in owner.get(path).content.decode()
    owner.post(path, {"post": "yes"})
    assert Project.objects.filter(pk=acme.project.pk).exists()


def test_owners_replace_the_api_key_of_a_project(acme: Tenant, owner: Client, developer: Client) -> None:
    path = f"/admin/accounts/project/{acme.project.pk}/replace-key/"
    assert developer.post(path).status_code == 403
    (key,) = SECRET.findall(owner.post(path).content.decode())
    project = Project.objects.get(pk=acme.project.pk)
    assert project.api_key_hash == tokens.digest(key) != tokens.digest(acme.api_key)


def test_owners_switch_and_replace_the_organization_key(acme: Tenant, owner: Client) -> None:
    path = f"/admin/accounts/organization/{acme.organization.pk}/"
    (key,) = SECRET.findall(owner.post(path + "replace-key/").content.decode())
    assert Organization.objects.get(pk=acme.organization.pk).api_key_hash == tokens.digest(key)
    assert f"{key[:8]}…" in owner.get(path + "change/").content.decode()


def test_superusers_add_organizations_and_remove_empty_ones(acme: Tenant) -> None:
    root = signed_in(superuser())
    members = {"memberships-TOTAL_FORMS": 0, "memberships-INITIAL_FORMS": 0}
    assert root.post("/admin/accounts/organization/add/", {"name": "new"} | members).status_code == 302
    root.post(f"/admin/accounts/organization/{Organization.objects.get(name='new').pk}/delete/", {"post": "yes"})
    root.post(f"/admin/accounts/organization/{acme.organization.pk}/delete/", {"post": "yes"})
    assert [row.name for row in Organization.objects.all()] == ["acme"]
