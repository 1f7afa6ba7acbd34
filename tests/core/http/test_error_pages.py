import re
from typing import Any

import pytest
from django.core.exceptions import RequestDataTooBig
from django.db import OperationalError
from django.http import HttpRequest, HttpResponse
from django.test import Client, RequestFactory

from apps.core.http import error_pages

ENVELOPE = ["id", "code", "request-ip", "resource", "message", "error"]


def envelope(response: Any) -> dict[str, Any]:
    assert response["Content-Type"] == "application/json"
    body = __import__("json").loads(response.content)
    assert list(body) == ENVELOPE
    return body


@pytest.mark.parametrize(
    ("path", "api"),
    [
        ("/v1", True),
        ("/v1/", True),
        ("/v1/record", True),
        ("/o/token/", True),
        ("/healthz", True),
        ("/readyz", True),
        ("/metrics", True),
        ("/.well-known/oauth-authorization-server", True),
        ("/demo/echo/x", True),
        ("/v10/record", False),
        ("/admin/", False),
        ("/admin/v1/record", False),
        ("/", False),
        ("/other", False),
    ],
)
def test_which_paths_are_the_api(path: str, api: bool) -> None:
    assert error_pages.is_api(RequestFactory().get(path)) is api


def test_an_unknown_path_of_the_api(client: Client) -> None:
    response = client.get("/v1/nothing", REMOTE_ADDR="192.0.2.7")
    assert response.status_code == 404
    assert envelope(response) == {
        "id": "not-found",
        "code": 404,
        "request-ip": "192.0.2.7",
        "resource": [],
        "message": None,
        "error": {"code": 404, "message": "The requested resource doesn't exist."},
    }
    assert response["Cache-Control"] == "no-store"


def test_an_unknown_path_elsewhere_is_a_page(client: Client) -> None:
    response = client.get("/nothing")
    assert response.status_code == 404
    assert response["Content-Type"].startswith("text/html")


def test_a_foreign_host_is_refused_with_an_envelope(client: Client) -> None:
    for path in ("/v1/record", "/v1/nothing", "/healthz"):
        response = client.get(path, headers={"Host": "evil.example"})
        assert response.status_code == 400
        body = envelope(response)
        assert body["error"] == {"code": 400, "message": "The Host header names no host of this installation."}
        assert b"evil.example" not in response.content


def test_a_foreign_host_gets_a_page_elsewhere(client: Client) -> None:
    response = client.get("/nothing", headers={"Host": "evil.example"})
    assert response.status_code == 400
    assert response["Content-Type"].startswith("text/html")


def raised(view: Any, path: str, *arguments: Any) -> HttpResponse:
    return view(RequestFactory().get(path), *arguments)


@pytest.mark.parametrize("path", ["/v1/record", "/admin/"])
def test_each_page_has_its_status(path: str) -> None:
    is_api = path == "/v1/record"
    for view, status, arguments in [
        (error_pages.bad_request, 400, (Exception(),)),
        (error_pages.permission_denied, 403, (Exception(),)),
        (error_pages.not_found, 404, (Exception(),)),
        (error_pages.server_error, 500, ()),
    ]:
        response = raised(view, path, *arguments)
        assert response.status_code == status
        assert (response["Content-Type"] == "application/json") is is_api


def test_a_body_over_the_limit_is_413() -> None:
    response = raised(error_pages.bad_request, "/o/token/", RequestDataTooBig())
    assert response.status_code == 413
    assert envelope(response)["id"] == "content-too-large"


@pytest.mark.parametrize("path", ["/v1/record", "/admin/"])
def test_a_database_that_is_away_is_503_everywhere(path: str) -> None:
    try:
        raise OperationalError("connection refused")
    except OperationalError:
        response = raised(error_pages.server_error, path)
    assert (response.status_code, response["Retry-After"]) == (503, "2")
    assert envelope(response)["error"]["message"] == "The service is not available just now. Try again later."


def test_an_unforeseen_failure_tells_nothing() -> None:
    try:
        raise ValueError("the cause")
    except ValueError:
        response = raised(error_pages.server_error, "/v1/record")
    assert response.status_code == 500
    assert b"the cause" not in response.content
    assert envelope(response)["error"] == {
        "code": 500,
        "message": "We had a problem with our server. Try again later.",
    }


def test_a_form_without_its_token(rf: RequestFactory) -> None:
    api: HttpRequest = rf.post("/v1/record")
    assert error_pages.csrf_failure(api).status_code == 403
    assert envelope(error_pages.csrf_failure(api))["error"]["code"] == 403
    page = error_pages.csrf_failure(rf.post("/admin/login/"), reason="x")
    assert page.status_code == 403
    assert re.search(rb"<html", page.content)
