"""``/v1/options``: what the API says it offers is what it serves."""

import pytest
from django.test import Client

from apps.applications.api.directory import endpoints, spelled


@pytest.mark.parametrize("method", ["get", "options"])
def test_the_list_needs_no_credentials(client: Client, method: str) -> None:
    response = getattr(client, method)("/v1/options")
    body = response.json()
    assert (response.status_code, body["message"]) == (200, "The methods of the API are listed.")
    assert {
        "method": "POST",
        "endpoint": "/v1/schema",
        "usage": "Store the schema; 409 when there is one.",
        "scopes": ["schema"],
    } in body["resource"]
    assert body["resource"] == list(endpoints())


def test_options_says_what_the_path_itself_takes(client: Client) -> None:
    assert set(client.options("/v1/options")["Allow"].split(", ")) == {"GET", "HEAD", "OPTIONS"}
    assert client.post("/v1/options").status_code == 405
    assert client.head("/v1/options/").status_code == 200


def test_fields_and_tags_work_here_too(client: Client) -> None:
    response = client.get("/v1/options?fields=method,endpoint")
    assert {"method": "GET", "endpoint": "/v1/record/{uuid}"} in response.json()["resource"]
    again = client.get("/v1/options?fields=method,endpoint", headers={"If-None-Match": response["ETag"]})
    assert (again.status_code, again.content) == (304, b"")


def test_every_method_says_what_it_does() -> None:
    listed = list(endpoints())
    assert all(row["usage"].endswith(".") for row in listed)
    assert len(listed) == len({(row["method"], row["endpoint"]) for row in listed})
    assert {row["endpoint"] for row in listed if not row["scopes"]} >= {"/v1/options", "/v1/checkauthentication"}


@pytest.mark.parametrize(
    ("pattern", "path"),
    [
        (r"^schema/?$", "schema"),
        (r"^record/(?P<uuid>[^/]{1,128})/?$", "record/{uuid}"),
        (r"^keystore/(?P<keystore>\d+)/(?P<key>.+?)/?$", "keystore/{keystore}/{key}"),
        ("o/token/", "o/token/"),
    ],
)
def test_how_paths_are_spelled(pattern: str, path: str) -> None:
    assert spelled(pattern) == path
