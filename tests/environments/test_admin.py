"""Environments in the admin: who may order what, what pages show, that foreign ones are missing."""

from datetime import timedelta
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone

from apps.accounts.models import Role, Workspace
from apps.contents.models import Website
from apps.environments.execution import work_all
from apps.environments.models import Deployment, Environment, EnvironmentCertificate, UrlMapping
from apps.environments.provisioning.local import Local
from apps.keystores.models import Keystore
from tests.conftest import Tenant
from tests.environments.conftest import Caller, make_ready
from tests.environments.openssl import Pair
from tests.members import person, signed_in


@pytest.fixture
def owner(acme: Tenant) -> Client:
    return signed_in(person("acme-owner", acme=Role.OWNER))


def page(environment: Environment, rest: str = "change/") -> str:
    return f"/admin/environments/environment/{environment.pk}/{rest}"


PAGES = ["change/", "live/", "upgrade/", "certificate/", "deploy/", "urls/", "order/delete/"]
ACTS = ["order/update-version/", "order/optimize/", "order/retry/", "order/delete/"]


def test_order_by_form(owner: Client, acme: Tenant) -> None:
    form = {
        "organization": acme.organization.pk, "name": "Shop", "description": "", "package_code": "SS-B",
        "region": "london", "time_zone": "Europe/London",
    }  # fmt: skip
    response = owner.post("/admin/environments/environment/add/", form)
    environment = Environment.objects.get()
    assert response.status_code == 302
    assert (environment.status, environment.jobs.get().requested_by) == ("creating", "acme-owner")
    busy = owner.get(page(environment)).content.decode()
    assert "data-busy" in busy
    assert "Waiting for a worker." in busy
    assert "Deploy a project" not in busy
    work_all()
    ready = owner.get(page(environment)).content.decode()
    assert "data-busy" not in ready
    assert "Deploy a project" in ready
    assert f"{environment.pk}/live/" in ready
    environment.refresh_from_db()
    assert str(environment.api_host) in ready
    assert ready.count("<rect x=") == 24


def test_live_part_follows_the_job(owner: Client, environment: Environment, call: Caller) -> None:
    assert b"data-busy" not in owner.get(page(environment, "live/")).content
    call("POST", f"/{environment.pk}/optimize")
    response = owner.get(page(environment, "live/"))
    assert b"data-busy" in response.content
    assert "no-store" in response["Cache-Control"]
    assert b"<script" not in response.content


def test_pages_and_acts_of_a_foreign_environment_are_missing(
    rival: Tenant, environment: Environment, owner: Client
) -> None:
    stranger = signed_in(person("stranger", rival=Role.OWNER))
    for rest in PAGES:
        assert owner.get(page(environment, rest)).status_code == 200, rest
        for answer in (stranger.get(page(environment, rest)), stranger.post(page(environment, rest), {"post": "yes"})):
            assert answer.status_code in (302, 404), rest
            assert "Production" not in answer.content.decode()
    for rest in ACTS:
        assert stranger.post(page(environment, rest)).status_code == 404, rest
    assert Environment.objects.get().status == "ready"
    assert environment.jobs.count() == 1


def test_only_owners_order(environment: Environment) -> None:
    developer = signed_in(person("developer", acme=Role.DEVELOPER))
    shown = developer.get(page(environment)).content.decode()
    assert "Deploy a project" not in shown
    for rest in ("change/", "live/", "urls/"):
        assert developer.get(page(environment, rest)).status_code == 200
    for rest in ("upgrade/", "certificate/", "deploy/", *ACTS):
        assert developer.post(page(environment, rest), {"remove": "1"}).status_code == 403, rest
    developer.post(page(environment), {"name": "mine", "description": ""})
    assert developer.get("/admin/environments/environment/add/").status_code == 403
    row = Environment.objects.get()
    assert (row.status, row.name) == ("ready", "Production")


def test_rename(owner: Client, environment: Environment) -> None:
    owner.post(page(environment), {"name": "Shop", "description": "New", "region": "toronto", "package_code": "SS-D"})
    row = Environment.objects.get()
    assert (row.name, row.description, row.region, row.package_code) == ("Shop", "New", "london", "SS-A")
    work_all()
    assert Environment.objects.get().status == "ready"


def test_refusals_become_messages(owner: Client, environment: Environment) -> None:
    Environment.objects.update(status="upgrading")
    for rest, body in (("order/optimize/", {}), ("change/", {"name": "x", "description": ""})):
        answer = owner.post(page(environment, rest), body, follow=True)
        assert "The environment is upgrading: wait until it is ready." in answer.content.decode()
    assert Environment.objects.get().name == "Production"


def test_buttons(owner: Client, environment: Environment) -> None:
    for act, status in (("optimize", "upgrading"), ("update-version", "upgrading"), ("delete", "deleting")):
        Environment.objects.update(status="ready")
        environment.jobs.update(state="done")
        assert owner.get(page(environment, f"order/{act}/")).status_code == (200 if act == "delete" else 405)
        assert owner.post(page(environment, f"order/{act}/")).status_code == 302
        assert Environment.objects.get().status == status
    assert owner.post(page(environment, "order/nosuch/")).status_code == 404


def test_retry(owner: Client, call: Caller, environment: Environment, monkeypatch: pytest.MonkeyPatch) -> None:
    call("POST", f"/{environment.pk}/upgrade", {"package": "SS-B"})
    from apps.environments.job_steps import StepFailed

    def full(driver: Local, environment: Environment) -> None:
        raise StepFailed("No <b>room</b>.")

    with monkeypatch.context() as patch:
        patch.setattr(Local, "resize", full)
        work_all()
    shown = owner.get(page(environment)).content.decode()
    assert "No &lt;b&gt;room&lt;/b&gt;." in shown
    assert "Try again" in shown
    owner.post(page(environment, "order/retry/"))
    work_all()
    row = Environment.objects.get()
    assert (row.status, row.package_code) == ("ready", "SS-B")
    assert "Try again" not in owner.get(page(environment)).content.decode()


def test_upgrade_form_offers_larger_packages_only(owner: Client, environment: Environment) -> None:
    shown = owner.get(page(environment, "upgrade/")).content.decode()
    assert 'value="SS-B"' in shown
    assert 'value="SS-A"' not in shown
    owner.post(page(environment, "upgrade/"), {"package": "", "storage": "on"})
    work_all()
    assert Environment.objects.get().storage_addons == 1
    owner.post(page(environment, "upgrade/"), {"package": "SS-A"})
    owner.post(page(environment, "upgrade/"), {})
    assert Environment.objects.get().status == "ready"


def test_certificate_form(owner: Client, environment: Environment, site: Pair) -> None:
    bad = SimpleUploadedFile("a.pem", b"garbage")
    answer = owner.post(page(environment, "certificate/"), {"pem_file": bad}, follow=True)
    assert "pem_file" in answer.content.decode()
    assert not EnvironmentCertificate.objects.exists()
    good = {
        "private_key_file": SimpleUploadedFile("k", site.key),
        "certificate_file": SimpleUploadedFile("c", site.certificate),
    }
    owner.post(page(environment, "certificate/"), good)
    work_all()
    shown = owner.get(page(environment, "certificate/")).content.decode()
    assert "*.example.com" in shown
    assert "PRIVATE" not in shown
    assert "The certificate ends" not in owner.get(page(environment)).content.decode()
    EnvironmentCertificate.objects.update(not_after=timezone.now() + timedelta(days=29))
    assert "The certificate ends" in owner.get(page(environment)).content.decode()
    history = owner.get(page(environment, "history/")).content.decode()
    assert "PRIVATE" not in history
    owner.post(page(environment, "certificate/"), {"remove": "1"})
    work_all()
    assert not EnvironmentCertificate.objects.exists()


def test_deploy_form(owner: Client, acme: Tenant, rival: Tenant, environment: Environment) -> None:
    Keystore.objects.create(workspace=acme.workspace, identifier="weather", structure="{}")
    form = page(environment, "deploy/")
    first = owner.get(form).content.decode()
    assert "acme project" in first
    assert "rival project" not in first
    assert "weather" not in first
    second = owner.get(form, {"project": acme.project.pk}).content.decode()
    assert "Keystore weather" in second
    assert "2. Which data" not in owner.get(form, {"project": rival.project.pk}).content.decode()
    owner.post(form, {"project": rival.project.pk})
    assert environment.jobs.count() == 1
    owner.post(form, {"project": acme.project.pk, "static_data": "on", "keystores-0": "insert or update"})
    job = environment.jobs.first()
    assert job is not None
    assert job.parameters["options"] == {
        "static_data": "yes", "file_manager": "no", "keystores": [{"keystore_id": "weather",
        "action": "insert or update"}], "tables": [], "websites": [],
    }  # fmt: skip
    work_all()
    assert "acme project" in owner.get(page(environment)).content.decode()
    remove = page(environment, f"remove/{acme.project.pk}/")
    assert owner.get(remove).status_code == 200
    owner.post(remove)
    work_all()
    assert not Deployment.objects.exists()
    assert owner.post(remove).status_code == 404


def test_deploy_from_another_environment(owner: Client, call: Caller, acme: Tenant, environment: Environment) -> None:
    other = make_ready(call, name="Source of it")
    form = page(environment, "deploy/")
    chosen = {"project": acme.project.pk, "source_environment": other.pk}
    assert "does not have that project" in owner.get(form, chosen).content.decode()
    owner.post(page(other, "deploy/"), {"project": acme.project.pk})
    work_all()
    owner.post(form, chosen)
    work_all()
    assert list(Deployment.objects.values_list("version", flat=True)) == [1, 1]


def test_addresses_form(owner: Client, acme: Tenant, environment: Environment) -> None:
    assert "no website and no hosted page yet" in owner.get(page(environment, "urls/")).content.decode()
    workspace = Workspace.objects.create(project=acme.project, api_host=str(environment.api_host))
    Deployment.objects.create(environment=environment, project=acme.project, workspace=workspace, version=1)
    Website.objects.create(workspace=workspace, slug="shop", name="Shop")
    owner.post(page(environment, "urls/"), {"url": "/shop", "target": "0"})
    assert UrlMapping.objects.get().url == "/shop/"
    answer = owner.post(page(environment, "urls/"), {"url": "/admin", "target": "0"}, follow=True)
    assert "Must not begin with /admin." in answer.content.decode()
    assert (
        "Select a valid choice" in owner.post(page(environment, "urls/"), {"url": "/x", "target": "1"}).content.decode()
    )
    viewer = signed_in(person("viewer", acme=Role.VIEWER))
    viewer.post(page(environment, "urls/"), {"remove": "/shop/"})
    assert UrlMapping.objects.count() == 1
    owner.post(page(environment, "urls/"), {"remove": "/shop/"})
    assert not UrlMapping.objects.exists()


def test_deleted_environments_are_not_listed(owner: Client, call: Caller, environment: Environment) -> None:
    assert "Production" in owner.get("/admin/environments/environment/").content.decode()
    call("DELETE", f"/{environment.pk}")
    work_all()
    assert "Production" not in owner.get("/admin/environments/environment/").content.decode()
    answer: Any = owner.get(page(environment))
    assert answer.status_code == 302
