"""The Postman collection shows every call of the API and gives no secret away."""

import io
import json
from collections.abc import Iterator
from typing import Any

import pytest
from django.core.management import call_command
from django.test import Client

from flowize.reference.document import generic, operations
from flowize.reference.postman import collection
from flowize.reference.story import STORY

COLLECTION = collection()
ITEMS = [item for folder in COLLECTION["item"] for item in folder["item"]]


def texts(node: Any) -> Iterator[str]:
    if isinstance(node, dict | list):
        for value in node.values() if isinstance(node, dict) else node:
            yield from texts(value)
    elif isinstance(node, str):
        yield node


def test_every_call_is_in_it() -> None:
    described = {operation["operationId"] for operation in operations(generic())}
    assert {step.operation for step in STORY} == described
    assert len(ITEMS) == len(STORY)


def test_it_has_the_form_that_postman_imports(client: Client) -> None:
    response = client.get("/v1/postman.json")
    assert response.json() == COLLECTION
    assert COLLECTION["info"]["schema"].endswith("/v2.1.0/collection.json")
    assert set(COLLECTION) == {"info", "item", "variable"}
    assert {folder["name"] for folder in COLLECTION["item"]} == {tag["name"] for tag in generic()["tags"]}


def test_every_request_has_a_test_of_its_status_and_a_saved_answer() -> None:
    for item in ITEMS:
        tests = [event for event in item["event"] if event["listen"] == "test"]
        assert "to.have.status(" in tests[0]["script"]["exec"][0]
        assert item["response"]


def test_every_variable_that_is_used_is_declared() -> None:
    used = {name for text in texts(COLLECTION["item"]) for name in _braced(text)}
    assert used <= {variable["key"] for variable in COLLECTION["variable"]}


def _braced(text: str) -> Iterator[str]:
    for part in text.split("{{")[1:]:
        yield part.partition("}}")[0]


def test_it_holds_no_credentials() -> None:
    values = {variable["key"]: variable["value"] for variable in COLLECTION["variable"]}
    assert {values[name] for name in ("api_key", "app_key", "client_id", "client_secret")} == {""}


@pytest.mark.django_db
def test_the_demo_prints_an_environment_that_fills_it() -> None:
    said = io.StringIO()
    call_command("demo", "--postman", "--name", "printed", stdout=said, stderr=io.StringIO())
    environment = json.loads(said.getvalue())
    filled = {row["key"] for row in environment["values"] if row["value"]}
    assert environment["_postman_variable_scope"] == "environment"
    assert filled < {variable["key"] for variable in COLLECTION["variable"]}
    assert {"base", "flow", "api_key", "app_key", "client_id", "client_secret"} <= filled
    assert {row["type"] for row in environment["values"] if "secret" in row["key"]} == {"secret"}
