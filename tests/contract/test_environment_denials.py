"""Every call of environments, every reason to refuse it, and that nothing changed afterwards."""

from typing import Any

import pytest
from django.test import Client

from apps.applications.ratelimit import _count
from tests.conftest import Tenant
from tests.contract.test_denials import call, everything
from tests.contract.xml_reader import read_answer
from tests.environments.conftest import ORDER, Caller, make_ready, organization_key

MAPPING = {"project_id": 1, "url": "/", "name": "w", "type": "website"}
CALLS: list[tuple[str, str, Any]] = [
    ("GET", "/v1/environment", None),
    ("POST", "/v1/environment", ORDER),
    ("GET", "/v1/environment/1", None),
    ("POST", "/v1/environment/1", {"name": "New"}),
    ("DELETE", "/v1/environment/1", None),
    ("GET", "/v1/environment/1/status", None),
    ("POST", "/v1/environment/1/upgrade", {"package": "SS-B"}),
    ("POST", "/v1/environment/1/update-version", None),
    ("POST", "/v1/environment/1/optimize", None),
    ("GET", "/v1/environment/1/projects", None),
    ("POST", "/v1/environment/1/project/1", {}),
    ("DELETE", "/v1/environment/1/project/1", None),
    ("GET", "/v1/environment/1/urls", None),
    ("POST", "/v1/environment/1/urls", [MAPPING]),
    ("DELETE", "/v1/environment/1/urls", [MAPPING]),
]


@pytest.fixture
def ready(acme: Tenant, rival: Tenant) -> tuple[str, int]:
    """Acme's key, and an environment of Acme's."""
    key = organization_key(acme)
    return key, make_ready(Caller(key)).pk


def refused(response: Any, status: int, message: str) -> None:
    """An error with two keys."""
    assert response.status_code == status, response.content
    assert response.json() == {"code": status, "error": {"code": status, "message": message}}
    assert response["Cache-Control"] == "no-store"


def placed(path: str, ready: tuple[str, int]) -> str:
    return path.replace("/environment/1", f"/environment/{ready[1]}")


def test_refused(client: Client, acme: Tenant, rival: Tenant, ready: tuple[str, int]) -> None:
    for method, path, body in CALLS:
        path, wrong = placed(path, ready), "The credentials are not correct."
        before = everything()
        for headers in (
            {},
            {"X-Apikey": "0" * 64},
            {"X-Apikey": "é"},
            {"X-Apikey": acme.api_key},
            acme.headers,
            {"X-Apikey": ready[0], "X-App": acme.keys.app_key},
            {"Authorization": f"Bearer {ready[0]}"},
            acme.client_headers,
        ):
            response = call(client, method, path, body, headers)
            refused(response, 401, wrong)
            assert response["WWW-Authenticate"] == 'Bearer realm="flowize"'
        refused(call(client, method, f"{path}?api_key={ready[0]}", body, {}), 401, wrong)
        two = {"X-Apikey": ready[0], "Authorization": f"Bearer {'a' * 64}"}
        assert call(client, method, path, body, two).status_code == 400
        assert everything() == before


def test_key_that_is_switched_off(client: Client, acme: Tenant, ready: tuple[str, int]) -> None:
    for method, path, body in CALLS:
        acme.organization.api_key_enabled = False
        acme.organization.save()
        before = everything()
        response = call(client, method, placed(path, ready), body, {"X-Apikey": ready[0]})
        refused(response, 403, "The organization API key is switched off.")
        assert everything() == before


def test_another_organization(client: Client, acme: Tenant, rival: Tenant, ready: tuple[str, int]) -> None:
    key = organization_key(rival)
    for method, path, body in CALLS:
        before = everything()
        if path == "/v1/environment":
            assert call(client, "GET", path, None, {"X-Apikey": key}).json() == {"code": 200, "data": []}
        else:
            response = call(client, method, placed(path, ready), body, {"X-Apikey": key})
            refused(response, 404, "There is no such environment.")
        assert everything() == before


def test_one_call_too_many(client: Client, acme: Tenant, ready: tuple[str, int], settings: Any) -> None:
    for method, path, body in CALLS:
        settings.RATE_LIMIT = 1
        _count(f"organization:{acme.organization.pk}", 1, None, None)
        before = everything()
        response = call(client, method, placed(path, ready), body, {"X-Apikey": ready[0]})
        refused(response, 429, "Too many requests.")
        assert int(response["Retry-After"]) == int(response["X-RateLimit-Reset"]) > 0
        assert everything() == before


def test_a_method_the_path_does_not_have(client: Client, ready: tuple[str, int]) -> None:
    for path in sorted({path for _, path, _ in CALLS}):
        response = call(client, "PATCH", path, {}, {"X-Apikey": ready[0]})
        refused(response, 405, "The method is not allowed for this path.")
        options = client.options(path)
        assert options.json()["data"]["methods"] == response["Allow"].split(", ") == options["Allow"].split(", ")
        assert ("GET" in response["Allow"]) == ("HEAD" in response["Allow"])


def test_bodies_that_cannot_be_read(client: Client, ready: tuple[str, int]) -> None:
    for method, path, body in CALLS:
        if body is None:
            continue
        path, headers = placed(path, ready), {"X-Apikey": ready[0], "Accept": "application/json"}
        before = everything()
        for text, kind, status in (
            ("{", "application/json", 400),
            ('{"a":1,"a":2}', "application/json", 400),
            ('"\\u0000"', "application/json", 400),
            ("[" * 200 + "]" * 200, "application/json", 400),
            ("7", "application/json", 400),
            ("<a>", "application/xml", 400),
            ('<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>', "application/xml", 400),
            ("a: 1", "application/yaml", 415),
            ("x" * (10 * 1024 * 1024 + 1), "application/json", 413),
        ):
            response = client.generic(method, path, text, kind, headers=headers)
            assert (response.status_code, response.json()["code"]) == (status, status), response.content
            assert list(response.json()) == ["code", "error"]
        assert everything() == before


def test_xml_twin(client: Client, ready: tuple[str, int]) -> None:
    for path in [path for method, path, _ in CALLS if method == "GET"]:
        path, headers = placed(path, ready), {"X-Apikey": ready[0]}
        as_json = client.get(path, headers=headers)
        as_xml = client.get(path, headers=headers | {"Accept": "application/xml"})
        assert as_xml["Content-Type"].startswith("application/xml")
        assert read_answer(as_xml.content) == as_json.json()
        again = client.get(path, headers=headers | {"If-None-Match": as_json["ETag"]})
        assert (again.status_code, again.content) == (304, b"")
        head = client.head(path, headers=headers)
        assert (head.status_code, head.content, head["ETag"]) == (200, b"", as_json["ETag"])
        slashed = client.get(f"{path}/", headers=headers)
        assert (slashed.content, slashed["ETag"]) == (as_json.content, as_json["ETag"])
        refusal = client.get(path, headers={"Accept": "application/xml"})
        assert read_answer(refusal.content) == client.get(path).json()


def test_order_in_xml(client: Client, ready: tuple[str, int]) -> None:
    text = "<a><name>E</name><package>SS-B</package><region>London</region></a>"
    response = client.post("/v1/environment", text, "application/xml", headers={"X-Apikey": ready[0]})
    assert response.status_code == 201
    assert read_answer(response.content)["data"]["package"] == {"name": "Single Server B", "code": "SS-B"}
    grown = client.post(
        f"/v1/environment/{ready[1]}/upgrade",
        "<a><storage>100</storage></a>",
        "text/xml",
        headers={"X-Apikey": ready[0], "Accept": "application/json"},
    )
    assert grown.json()["data"]["total_storage"] == 120


def test_chosen_fields(client: Client, ready: tuple[str, int]) -> None:
    path, headers = f"/v1/environment/{ready[1]}", {"X-Apikey": ready[0]}
    whole = client.get(path, headers=headers).json()["data"]
    part = client.get(f"{path}?fields=name,info.api_url", headers=headers)
    assert part.json() == {"code": 200, "data": {"name": whole["name"], "info": {"api_url": whole["info"]["api_url"]}}}
    unknown = client.get(f"{path}?fields=nosuch", headers=headers)
    assert unknown.status_code == 400
    before = everything()
    assert client.post(f"{path}/optimize?fields=nosuch", headers=headers).status_code == 400
    assert everything() == before


def test_paths_there_are_not_have_two_keys_too(client: Client, db: None) -> None:
    refused(client.get("/v1/environment/1/nosuch"), 404, "The requested resource doesn't exist.")
