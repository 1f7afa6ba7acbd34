"""What each host of an environment answers."""

import hashlib
from collections.abc import Iterator
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.test import Client

from apps.accounts.hosts import is_environment_host
from apps.accounts.models import Workspace
from apps.applications.authentication import forget_credentials
from apps.contents.models import FileContent, HostedPage, Website, WebsiteFile
from apps.environments.execution import work_all
from apps.environments.hosts import forget_places, new_label
from apps.environments.models import Environment
from apps.keystores.models import Keystore
from apps.records.models import Record
from apps.webhooks.services import register_webhook
from tests.conftest import STRAIGHT_FLOW, Tenant, publish
from tests.environments.conftest import Caller


@pytest.fixture(autouse=True)
def _fresh() -> Iterator[None]:
    yield
    forget_places()


@pytest.fixture
def deployed(acme: Tenant, call: Caller, environment: Environment) -> Workspace:
    """Acme's project in the environment, with a running flow there."""
    call("POST", f"/{environment.pk}/project/{acme.project.pk}", {})
    work_all()
    workspace = Workspace.objects.select_related("project").get(api_host=environment.api_host)
    from apps.accounts.models import Role
    from apps.applications.members import member_caller

    copy = Tenant(**{**vars(acme), "caller": member_caller(workspace, Role.OWNER), "workspace": workspace})
    publish(copy, STRAIGHT_FLOW) if not workspace.flows.exists() else None  # type: ignore[attr-defined]
    return workspace


def test_host_names_are_told_by_their_form() -> None:
    label = new_label()
    for kind in ("www", "api", "web"):
        assert is_environment_host(f"{kind}-{label}.localhost")
    for host in (
        f"ftp-{label}.localhost", f"api-{label}.example.com", f"api-{label[1:]}.localhost", "api.localhost",
        f"api-{label}.localhost.evil.com", f"x.api-{label}.localhost", f"api-{label.upper()}.localhost", "",
    ):  # fmt: skip
        assert not is_environment_host(host)


def test_labels_differ_and_cannot_be_guessed() -> None:
    labels = {new_label() for _ in range(1000)}
    assert len(labels) == 1000
    assert {len(label) for label in labels} == {24}


def test_api_host_serves_the_copy_with_the_same_keys(
    client: Client, acme: Tenant, environment: Environment, deployed: Workspace
) -> None:
    assert environment.api_host is not None
    headers = acme.headers | {"Host": environment.api_host, "X-Flow": "intake"}
    made = client.post("/v1/record", {"client": {"age": 30}}, "application/json", headers=headers)
    assert made.status_code == 201, made.content
    uuid = made.json()["resource"]["data_record_id"]
    assert Record.objects.get(uuid=uuid).workspace_id == deployed.pk
    assert client.get(f"/v1/record/{uuid}", headers=headers).status_code == 200
    assert client.get(f"/v1/record/{uuid}", headers=acme.headers).status_code == 404
    with_port = headers | {"Host": f"{environment.api_host}:8000"}
    assert client.get(f"/v1/record/{uuid}", headers=with_port).status_code == 200


def test_api_host_never_falls_back_to_the_designer(
    client: Client, acme: Tenant, call: Caller, environment: Environment
) -> None:
    """The project is not deployed there: its keys open nothing, its webhooks are not there."""
    Keystore.objects.create(workspace=acme.workspace, identifier="weather", structure="{}")
    uri = register_webhook(acme.workspace, name="orders").uri
    assert environment.api_host is not None
    there = {"Host": environment.api_host}
    assert client.get("/v1/keystore/weather/x", headers=acme.headers | there).status_code == 401
    assert client.get("/v1/keystore/weather/x", headers={"X-Apikey": acme.api_key} | there).status_code == 401
    assert client.get("/v1/checkauthentication", headers=acme.client_headers | there).status_code == 401
    assert client.post(f"/v1/webhook/{uri}", {}, "application/json", headers=there).status_code == 404
    assert client.get("/v1/keystore/weather/x", headers=acme.headers).status_code == 200
    assert client.post(f"/v1/webhook/{uri}", {}, "application/json").status_code == 201


def test_token_of_the_designer_is_good_in_the_environment_too(
    client: Client, acme: Tenant, environment: Environment, deployed: Workspace
) -> None:
    token = client.get("/v1/checkauthentication", headers=acme.client_headers).json()["resource"]["access_token"]
    headers = {"Authorization": f"Bearer {token}", "Host": str(environment.api_host)}
    assert client.get("/v1/record/search", headers=headers).status_code == 200


def test_api_host_has_no_admin_and_no_pages(client: Client, environment: Environment) -> None:
    headers = {"Host": str(environment.api_host)}
    for path in ("/", "/admin/", "/admin/login/", "/static/flowize/admin.css", "/site/x/", "/demo"):
        assert client.get(path, headers=headers).status_code == 404, path
    assert client.get("/healthz", headers=headers).status_code == 200
    assert client.get("/v1/options", headers=headers).status_code == 200


def test_hosts_of_no_environment(client: Client, acme: Tenant, call: Caller, environment: Environment) -> None:
    unknown = f"api-{new_label()}.localhost"
    refused = client.get("/v1/record/search", headers=acme.headers | {"Host": unknown})
    assert (refused.status_code, refused.json()["error"]["message"]) == (404, "There is no such environment.")
    host = str(environment.api_host)
    call("DELETE", f"/{environment.pk}")
    forget_places()
    assert client.get("/v1/options", headers={"Host": host}).status_code == 404
    work_all()
    forget_places()
    assert client.get("/v1/options", headers={"Host": host}).status_code == 404


def test_www_host_leads_to_the_admin(client: Client, environment: Environment) -> None:
    response = client.get("/anything", headers={"Host": str(environment.www_host)})
    assert response.status_code == 302
    assert response["Location"] == (
        f"{django_settings.PUBLIC_URL}/admin/environments/environment/{environment.pk}/change/"
    )
    assert client.post("/anything", headers={"Host": str(environment.www_host)}).status_code == 405


def put_file(website: Website, path: str, text: str, content_type: str) -> None:
    content = text.encode()
    sha256 = hashlib.sha256(content).hexdigest()
    kept, _ = FileContent.objects.get_or_create(
        organization=website.workspace.project.organization,
        sha256=sha256,
        defaults={"size": len(content), "content": content, "used_at": "2026-01-01T00:00:00Z"},
    )
    WebsiteFile.objects.create(
        website=website, path=path, content_type=content_type, size=len(content), sha256=sha256, content=kept
    )


@pytest.fixture
def site(deployed: Workspace) -> Website:
    website = Website.objects.create(workspace=deployed, slug="shop", name="Shop")
    put_file(website, "index.html", "<h1>Shop</h1>", "text/html; charset=utf-8")
    put_file(website, "style.css", "h1{}", "text/css; charset=utf-8")
    put_file(website, "sub/index.html", "<h1>Sub</h1>", "text/html; charset=utf-8")
    return website


def test_html_host_serves_mapped_websites(
    client: Client, acme: Tenant, call: Caller, environment: Environment, site: Website
) -> None:
    headers = {"Host": str(environment.web_host)}
    assert client.get("/shop/", headers=headers).status_code == 404
    entry = {"project_id": acme.project.pk, "url": "/shop", "name": "shop", "type": "website"}
    mapped = call("POST", f"/{environment.pk}/urls", [entry, entry | {"url": "/"}])["urls_mapped"]
    assert [(row["url"], row["name"], row["type"], row["project_id"]) for row in mapped] == [
        ("/", "shop", "website", acme.project.pk),
        ("/shop/", "shop", "website", acme.project.pk),
    ]
    page = client.get("/shop/", headers=headers)
    assert (page.status_code, page.content) == (200, b"<h1>Shop</h1>")
    assert page["Content-Type"] == "text/html; charset=utf-8"
    assert page["Content-Security-Policy"] == "frame-ancestors 'self'"
    assert not page.cookies
    assert client.get("/shop/style.css", headers=headers)["Content-Type"] == "text/css; charset=utf-8"
    moved = client.get("/shop", headers=headers)
    assert (moved.status_code, moved["Location"], moved["Cache-Control"]) == (301, "/shop/", "no-cache")
    assert client.get("/shop/sub/", headers=headers).content == b"<h1>Sub</h1>"
    assert client.get("/", headers=headers).content == b"<h1>Shop</h1>"
    again = client.get("/shop/", headers=headers | {"If-None-Match": page["ETag"]})
    assert (again.status_code, again.content) == (304, b"")
    for path in (
        "/shop/nosuch",
        "/shop/../admin/",
        "/shop/%2e%2e/admin/",
        "/shop//index.html",
        "/admin/",
        "/v1/record",
    ):
        assert client.get(path, headers=headers).status_code == 404, path
    assert client.post("/shop/", headers=headers).status_code == 405
    assert call("GET", f"/{environment.pk}")["stats"]["visits"] == 4


def test_html_host_serves_mapped_pages_and_takes_their_forms(
    client: Client, acme: Tenant, call: Caller, environment: Environment, deployed: Workspace
) -> None:
    HostedPage.objects.create(
        workspace=deployed, name="Sign up", html="<form method=post>", flow="intake", answer="<p>Thanks</p>"
    )
    entry = {"project_id": acme.project.pk, "url": "/landing/", "name": "Sign up", "type": "hostedpage"}
    call("POST", f"/{environment.pk}/urls", [entry])
    headers = {"Host": str(environment.web_host)}
    for path in ("/landing/", "/landing"):
        assert client.get(path, headers=headers).content == b"<form method=post>"
    assert client.get("/landing/more", headers=headers).status_code == 404
    strict = Client(enforce_csrf_checks=True)
    sent = strict.post("/landing/", {"client": "Ada"}, headers=headers)
    assert (sent.status_code, sent.content) == (200, b"<p>Thanks</p>")
    assert Record.objects.get().workspace_id == deployed.pk


@pytest.mark.parametrize("change", [{"type": "hostedpage"}, {"name": "nosuch"}, {"name": "SHOP"}])
def test_target_must_exist(
    acme: Tenant, call: Caller, environment: Environment, site: Website, change: dict[str, Any]
) -> None:
    entry = {"project_id": acme.project.pk, "url": "/shop", "name": "shop", "type": "website"}
    error = call("POST", f"/{environment.pk}/urls", [entry, entry | {"url": "/other"} | change], status=404)
    assert error["message"].startswith("/1/name: the project has no ")
    assert call("GET", f"/{environment.pk}/urls") == {"urls_mapped": []}


def test_full_environment_takes_nothing_more(
    client: Client, acme: Tenant, environment: Environment, deployed: Workspace
) -> None:
    Keystore.objects.create(workspace=deployed, identifier="weather", structure="{}")
    headers = acme.headers | {"Host": str(environment.api_host), "X-Flow": "intake"}
    assert client.put("/v1/keystore/weather/a", "1", "application/json", headers=headers).status_code == 200
    Workspace.objects.filter(pk=deployed.pk).update(storage_full=True)
    forget_credentials()
    uri = register_webhook(Workspace.objects.select_related("project").get(pk=deployed.pk), name="orders").uri
    for method, path in (
        ("POST", "/v1/record"),
        ("PUT", "/v1/keystore/weather/a"),
        ("POST", "/v1/keystore/weather/b"),
        ("GET", "/v1/keystore/weather/c"),
        ("POST", f"/v1/webhook/{uri}"),
    ):
        body = "" if method == "GET" else '{"client":{}}'
        answer = client.generic(method, path, body, "application/json" if body else "", headers=headers)
        assert (answer.status_code, answer.json()["error"]["code"]) == (507, 507), path
        assert answer.json()["error"]["message"] == "The storage of this environment is used up."
    assert client.get("/v1/keystore/weather/a", headers=headers).status_code == 200
    assert client.delete("/v1/keystore/weather/a", headers=headers).status_code == 200
    assert (
        client.post(
            "/v1/record", {"client": {}}, "application/json", headers=acme.headers | {"X-Flow": "intake"}
        ).status_code
        == 201
    )
