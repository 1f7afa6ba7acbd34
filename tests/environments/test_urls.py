"""Mapping addresses of the html host."""

from typing import Any

import pytest

from apps.accounts.models import Workspace
from apps.contents.models import HostedPage, Website
from apps.environments.models import Deployment, Environment, UrlMapping
from apps.environments.url_mapping import MOST_ENTRIES, find_target, read_url
from tests.conftest import Tenant
from tests.environments.conftest import Caller


@pytest.fixture
def entry(acme: Tenant, environment: Environment) -> dict[str, Any]:
    """An entry for a website that the environment has."""
    assert environment.api_host is not None
    workspace = Workspace.objects.create(project=acme.project, api_host=environment.api_host)
    Deployment.objects.create(environment=environment, project=acme.project, workspace=workspace, version=1)
    Website.objects.create(workspace=workspace, slug="shop", name="Shop")
    Website.objects.create(workspace=workspace, slug="blog", name="Blog")
    HostedPage.objects.create(workspace=workspace, name="My page", html="x")
    return {"project_id": acme.project.pk, "url": "/shop", "name": "shop", "type": "website"}


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("/", "/"),
        ("/a", "/a/"),
        ("/a/", "/a/"),
        (" /a/b ", "/a/b/"),
        ("/a-b_c.d~e/F", "/a-b_c.d~e/F/"),
        ("/x/v1", "/x/v1/"),
    ],
)
def test_addresses_have_one_spelling(given: str, kept: str) -> None:
    assert read_url(given) == kept


@pytest.mark.parametrize(
    "given",
    ["", "a", "https://evil.example/", "//evil.example", "/../admin", "/a/..", "/./a", "/a b", "/a\0", "/a//b",
     "javascript:alert(1)", "/v1/record", "/V1", "/admin", "/static/x", "/.well-known/x", "/" + "a" * 3000, "\\\\evil",
     "/\\evil", "/a?b=c", "/a#b", "/%2e%2e", "/ä", "/a\nb", None, 5, ["/"], "/o/token", "/healthz", "/page/x",
     "/site/x"],
)  # fmt: skip
def test_addresses_that_cannot_be_mapped(given: Any) -> None:
    with pytest.raises(ValueError, match="Must"):
        read_url(given)


def test_mapping_again_replaces_and_answers_everything(
    call: Caller, environment: Environment, entry: dict[str, Any]
) -> None:
    path = f"/{environment.pk}/urls"
    first = call("POST", path, [entry, entry | {"url": "/p/", "name": "My page", "type": "hostedpage"}])
    assert [(row["url"], row["type"], row["name"]) for row in first["urls_mapped"]] == [
        ("/p/", "hostedpage", "My page"),
        ("/shop/", "website", "shop"),
    ]
    again = call("POST", path, [entry | {"name": "blog"}])
    assert [row["name"] for row in again["urls_mapped"]] == ["My page", "blog"]
    assert call("GET", path) == again
    removed = call("DELETE", path, [{"project_id": str(entry["project_id"]), "url": "/shop/", "type": "website"}])
    assert [row["url"] for row in removed["urls_mapped"]] == ["/p/"]


def test_types_are_taken_in_any_case(call: Caller, environment: Environment, entry: dict[str, Any]) -> None:
    entries = [entry | {"type": "Website"}, entry | {"url": "/p", "name": "My page", "type": " HostedPage"}]
    mapped = call("POST", f"/{environment.pk}/urls", entries)["urls_mapped"]
    assert [(row["url"], row["type"]) for row in mapped] == [("/p/", "hostedpage"), ("/shop/", "website")]
    assert call("DELETE", f"/{environment.pk}/urls", entries) == {"urls_mapped": []}


def test_letters_of_an_address_count(call: Caller, environment: Environment, entry: dict[str, Any]) -> None:
    mapped = call("POST", f"/{environment.pk}/urls", [entry, entry | {"url": "/SHOP/"}])["urls_mapped"]
    assert sorted(row["url"] for row in mapped) == ["/SHOP/", "/shop/"]


@pytest.mark.parametrize(
    ("body", "path"),
    [
        ({}, ""), ("x", ""), ([], ""), ([5], "/0"), (["a"] * (MOST_ENTRIES + 1), ""),
        ([{"url": "/bad url"}], "/0/url"), ([{"type": "app"}], "/0/type"), ([{"type": None}], "/0/type"),
        ([{"name": ""}], "/0/name"), ([{"name": 5}], "/0/name"), ([{"name": "n" * 129}], "/0/name"),
        ([{"project_id": None}], "/0/project_id"), ([{"project_id": "x"}], "/0/project_id"),
        ([{"project_id": True}], "/0/project_id"), ([{"project_id": 1.5}], "/0/project_id"),
        ([{}, {"url": "/ok"}, {"url": "bad"}], "/2/url"), ([{}, {"url": "/shop/"}], "/1/url"),
    ],
)  # fmt: skip
def test_entries_that_cannot_be_read_change_nothing(
    call: Caller, environment: Environment, entry: dict[str, Any], body: Any, path: str
) -> None:
    merged = [entry | one if isinstance(one, dict) else one for one in body] if isinstance(body, list) else body
    error = call("POST", f"/{environment.pk}/urls", merged, status=400)
    assert [detail["path"] for detail in error.get("details", [])] == ([path] if path else [])
    assert not UrlMapping.objects.exists()


def test_all_entries_or_none(call: Caller, environment: Environment, entry: dict[str, Any], rival: Tenant) -> None:
    path = f"/{environment.pk}/urls"
    for foreign in (rival.project.pk, 999_999):
        call("POST", path, [entry, entry | {"url": "/b", "project_id": foreign}], status=404)
        assert not UrlMapping.objects.exists()
    call("POST", path, [entry])
    gone = {"project_id": entry["project_id"], "url": "/gone", "type": "website"}
    call("DELETE", path, [entry, gone], status=404)
    call("DELETE", path, [entry | {"type": "hostedpage"}], status=404)
    call("DELETE", path, [entry | {"project_id": rival.project.pk}], status=404)
    assert UrlMapping.objects.count() == 1


def test_the_longest_address_wins(environment: Environment, call: Caller, entry: dict[str, Any]) -> None:
    entries = [
        entry | {"url": "/"},
        entry | {"url": "/a/b", "name": "blog"},
        entry | {"url": "/a/b/p", "name": "My page", "type": "hostedpage"},
    ]
    call("POST", f"/{environment.pk}/urls", entries)

    def found(path: str) -> tuple[str, str, bool] | None:
        target = find_target(environment.pk, path)
        return (target.name, target.rest, target.bare) if target else None

    assert found("/") == ("shop", "", False)
    assert found("/x/y.css") == ("shop", "x/y.css", False)
    assert found("/a/x") == ("shop", "a/x", False)
    assert found("/a/b/") == ("blog", "", False)
    assert found("/a/b") == ("blog", "", True)
    assert found("/a/b/c/d") == ("blog", "c/d", False)
    assert found("/a/b/p") == ("My page", "", True)
    assert found("/a/b/p/more") == ("blog", "p/more", False)
    assert found("/a/bb") == ("shop", "a/bb", False)
    assert found("//a/b/") == ("shop", "/a/b/", False)
    assert found("/" + "x/" * 5000) == ("shop", "x/" * 5000, False)
    assert found("/a/b/\0") == ("blog", "\0", False)
    assert found("/\0") == ("shop", "\0", False)
    assert find_target(0, "/") is None
