"""The OpenAPI document is valid, complete, and says of each call what the code does."""

import ast
import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from django.core.management import call_command
from django.test import Client
from openapi_spec_validator import OpenAPIV31SpecValidator

from apps.applications.scopes import SCOPES
from apps.core.http.openapi import answers
from apps.records.api.search_views import PARAMETERS as OF_SEARCHES
from apps.schemas.api.openapi import encoded
from flowize.reference.dialect import modern
from flowize.reference.document import generic, operations
from flowize.urls import v1
from tests.conftest import Tenant

ROOT = Path(__file__).resolve().parents[2]
DOCUMENT = generic()
OPERATIONS = [
    (method, path, operation) for path, methods in DOCUMENT["paths"].items() for method, operation in methods.items()
]
IDS = [operation["operationId"] for _, _, operation in OPERATIONS]
every_operation = pytest.mark.parametrize(("method", "path", "operation"), OPERATIONS, ids=IDS)


def resolved(node: Any) -> Any:
    """What a reference of the document names."""
    while isinstance(node, dict) and "$ref" in node:
        found: Any = DOCUMENT
        for part in node["$ref"].removeprefix("#/").split("/"):
            found = found[part]
        node = found
    return node


def content(of: Any) -> dict[str, Any]:
    described: dict[str, Any] = resolved(of)
    return described.get("content", {})


def fits(schema: dict[str, Any], value: Any) -> None:
    """The value fits a schema of the document."""
    jsonschema.Draft202012Validator(schema | {"components": DOCUMENT["components"]}).validate(value)


# --- The document -----------------------------------------------------------------------------------------------


def test_the_document_is_valid() -> None:
    assert list(OpenAPIV31SpecValidator(DOCUMENT).iter_errors()) == []


def test_it_is_made_without_a_warning() -> None:
    said = io.StringIO()
    call_command("spectacular", "--validate", "--fail-on-warn", "--format", "openapi-json", stdout=said)
    assert json.loads(said.getvalue())["openapi"] == "3.1.1"


def test_every_call_of_the_api_is_described() -> None:
    served = {
        (method, pattern.callback.cls.__name__, action)
        for pattern in v1
        for method, action in pattern.callback.actions.items()
        if method != "head"
    }
    missing = {(name, action) for _, name, action in served if not hasattr(_method(name, action), "operation")}
    assert missing == set()
    methods = [method for pattern in v1 for method in pattern.callback.actions if method != "head"]
    assert len(methods) == len(OPERATIONS)


def _method(name: str, action: str) -> Any:
    (view,) = {pattern.callback.cls for pattern in v1 if pattern.callback.cls.__name__ == name}
    return getattr(view, action)


def test_operation_ids_are_unique_words() -> None:
    assert len(set(IDS)) == len(IDS)
    assert all(name.isidentifier() for name in IDS)


def test_every_tag_is_explained() -> None:
    used = {tag for operation in operations(DOCUMENT) for tag in operation["tags"]}
    assert used == {tag["name"] for tag in DOCUMENT["tags"]}


def test_every_reference_leads_somewhere_and_nothing_is_left_over() -> None:
    used = set(_references(DOCUMENT))
    for reference in used:
        assert resolved({"$ref": reference}) is not None
    unused = {
        f"#/components/{kind}/{name}"
        for kind, found in DOCUMENT["components"].items()
        if kind != "securitySchemes"
        for name in found
    } - used
    assert unused == set()


def _references(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        if isinstance(node.get("$ref"), str):
            yield node["$ref"]
        for value in node.values():
            yield from _references(value)
    elif isinstance(node, list):
        for item in node:
            yield from _references(item)


def test_the_document_is_the_same_in_every_process() -> None:
    methods = [(path, list(found)) for path, found in DOCUMENT["paths"].items()]
    assert ("/v1/schema", ["post", "get", "put", "delete"]) in methods


# --- Each operation ---------------------------------------------------------------------------------------------


@every_operation
def test_it_has_words(method: str, path: str, operation: dict[str, Any]) -> None:
    assert operation["summary"]
    assert len(operation["tags"]) == 1
    assert all(resolved(parameter)["description"] for parameter in operation.get("parameters", []))


@every_operation
def test_its_examples_fit_its_schemas(method: str, path: str, operation: dict[str, Any]) -> None:
    shown = 0
    for place in (operation.get("requestBody", {}), *operation["responses"].values()):
        found = content(place).get(answers.JSON, {})
        for example in found.get("examples", {}).values():
            fits(found["schema"], example["value"])
            shown += 1
    for parameter in map(resolved, operation.get("parameters", [])):
        if "example" in parameter:
            fits(parameter["schema"], parameter["example"])
    assert shown > len(operation["responses"]) - 3


@every_operation
def test_every_answer_with_content_has_an_example_in_every_format(
    method: str, path: str, operation: dict[str, Any]
) -> None:
    for status, answer in operation["responses"].items():
        for media_type, described in content(answer).items():
            assert described["examples"], (status, media_type)


@every_operation
def test_it_says_which_scope_it_asks_for(method: str, path: str, operation: dict[str, Any]) -> None:
    scopes = operation.get("x-scopes", [])
    assert set(scopes) <= SCOPES.keys()
    tokens = [way["oauth2"] for way in operation["security"] if "oauth2" in way]
    assert tokens in ([], [scopes])


@every_operation
def test_the_least_that_may_go_wrong_is_listed(method: str, path: str, operation: dict[str, Any]) -> None:
    listed = set(operation["responses"])
    assert {"400", "403", "406", "500", "503"} <= listed
    if operation["security"] != [{}]:
        assert {"401", "429"} <= listed
    if method != "get":
        assert {"408", "411", "413", "501"} <= listed
    if "requestBody" in operation:
        assert "415" in listed


# --- Parameters -------------------------------------------------------------------------------------------------


# Read in a loop over their names, and in which module.
BY_VARIABLE = {("header", "webhook-id"), ("header", "idempotency-key")} | {
    (where, name.lower().replace("_", "-"))
    for headers, names in OF_SEARCHES.values()
    for where, found in (("header", headers), ("query", names))
    for name in found
}
LOOPS = {"apps/records/api/search_views.py"}


def names_read() -> set[tuple[str, str]]:
    """Every header and URL parameter that the code of the API asks for with ``one_of``."""
    found, loops = set(), set()
    for source in (ROOT / "apps").glob("*/api/*.py"):
        for call in ast.walk(ast.parse(source.read_text())):
            if isinstance(call, ast.Call) and ast.unparse(call.func).endswith("one_of"):
                for word in call.keywords:
                    if isinstance(word.value, ast.Tuple):
                        where = {"headers": "header", "parameters": "query"}[word.arg or ""]
                        names = [name.value for name in word.value.elts if isinstance(name, ast.Constant)]
                        found |= {(where, _spelling(name)) for name in names}
                    else:
                        loops.add(str(source.relative_to(ROOT)))
    assert loops == LOOPS
    return found | BY_VARIABLE


def _spelling(name: str) -> str:
    return name.lower().replace("_", "-")


def test_every_parameter_that_is_read_is_described() -> None:
    described = {
        (parameter["in"], _spelling(parameter["name"]))
        for operation in operations(DOCUMENT)
        for parameter in map(resolved, operation.get("parameters", []))
    }
    aliases = {("header", "scopes"), ("query", "scopes")}  # named in the words about X-Scopes
    assert names_read() - described - aliases == set()


def test_no_parameter_is_described_that_nobody_reads() -> None:
    own = {
        (parameter["in"], _spelling(parameter["name"]))
        for operation in operations(DOCUMENT)
        for parameter in operation.get("parameters", [])
        if "name" in parameter and parameter["in"] != "path"
    }
    assert own - names_read() == set()


# --- Serving it -------------------------------------------------------------------------------------------------


def test_anybody_may_read_it_and_keeps_it(client: Client, db: None) -> None:
    first = client.get("/v1/openapi.json")
    assert (first.status_code, first["Content-Type"]) == (200, "application/json")
    assert first.json() == DOCUMENT
    again = client.get("/v1/openapi.json", headers={"If-None-Match": first["ETag"]})
    assert (again.status_code, again.content) == (304, b"")


def test_it_asks_the_database_nothing(client: Client) -> None:
    assert client.get("/v1/openapi.json").status_code == 200


def test_wrong_credentials_are_refused(client: Client, db: None) -> None:
    response = client.get("/v1/openapi.json", headers={"X-Apikey": "0" * 64, "X-App": "1" * 64})
    assert response.status_code == 401


SOURCE = {
    "$schema": "http://json-schema.org/draft-04/schema#",
    "type": "object",
    "required": ["order"],
    "properties": {"order": {"$ref": "#/definitions/order"}},
    "definitions": {"order": {"type": "integer", "minimum": 0, "exclusiveMinimum": True}},
}


@pytest.fixture
def with_schema(acme: Tenant, client: Client) -> Tenant:
    body = {"schema": encoded(SOURCE), "data_record": encoded({"order": 7}), "url": "https://example.com"}
    assert client.post("/v1/schema", body, "application/json", headers=acme.headers).status_code == 201
    return acme


def test_a_caller_sees_their_own_schema_and_sample(client: Client, with_schema: Tenant, rival: Tenant) -> None:
    own = client.get("/v1/openapi.json", headers=with_schema.headers)
    document = own.json()
    assert list(OpenAPIV31SpecValidator(document).iter_errors()) == []
    assert document["components"]["schemas"]["RecordDocument"] == {
        "type": "object",
        "required": ["order"],
        "properties": {"order": {"$ref": "#/components/schemas/RecordDocument/definitions/order"}},
        "definitions": {"order": {"type": "integer", "exclusiveMinimum": 0}},
    }
    insert = document["paths"]["/v1/record"]["post"]
    examples = insert["requestBody"]["content"]["application/json"]["examples"]
    assert examples["One record"]["value"] == {"order": 7}
    created = insert["responses"]["201"]["content"]["application/json"]["examples"]["One record"]["value"]
    assert created["resource"]["data_record"] == {"order": 7}
    assert own["Cache-Control"] == "private, no-cache"
    assert "X-Apikey" in own["Vary"]
    assert client.get("/v1/openapi.json", headers=rival.headers).json() == DOCUMENT
    assert client.get("/v1/openapi.json").json() == DOCUMENT


def test_the_document_follows_the_schema(client: Client, with_schema: Tenant) -> None:
    tag = client.get("/v1/openapi.json", headers=with_schema.headers)["ETag"]
    known = with_schema.headers | {"If-None-Match": tag}
    assert client.get("/v1/openapi.json", headers=known).status_code == 304
    body = {"schema": encoded(SOURCE), "data_record": encoded({"order": 8}), "url": "https://example.com"}
    assert client.put("/v1/schema", body, "application/json", headers=with_schema.headers).status_code == 201
    assert client.get("/v1/openapi.json", headers=known).status_code == 200


def test_who_may_not_read_the_schema_sees_the_general_document(client: Client, with_schema: Tenant) -> None:
    assert client.get("/v1/openapi.json", headers=with_schema.narrow_headers).json() == DOCUMENT


# --- Draft 4 in a document of 2020-12 ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("draft4", "expected"),
    [
        ({"id": "http://example.com/", "type": "string"}, {"type": "string"}),
        ({"minimum": 1, "exclusiveMinimum": False}, {"minimum": 1}),
        ({"maximum": 1, "exclusiveMaximum": True}, {"exclusiveMaximum": 1}),
        ({"items": [{"type": "null"}], "additionalItems": False}, {"prefixItems": [{"type": "null"}], "items": False}),
        ({"items": {"type": "null"}, "additionalItems": False}, {"items": {"type": "null"}}),
        (
            {"dependencies": {"a": ["b"], "c": {"type": "object"}}},
            {"dependentRequired": {"a": ["b"]}, "dependentSchemas": {"c": {"type": "object"}}},
        ),
        ({"not": {"$ref": "#"}, "title": "me"}, {"not": {"$ref": "#/here"}, "title": "me"}),
        ({"properties": {"id": {"$ref": "#/nowhere", "type": "null"}}}, {"properties": {"id": {}}}),
        ({"enum": [{"id": 1, "exclusiveMinimum": True}]}, {"enum": [{"id": 1, "exclusiveMinimum": True}]}),
    ],
)
def test_a_schema_of_draft_4_is_translated(draft4: Any, expected: Any) -> None:
    assert modern(draft4, "#/here") == expected


# --- The pages --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/v1/docs", "/v1/docs/", "/v1/docs/errors", "/v1/docs/scopes/"])
def test_pages_load_nothing_from_elsewhere(client: Client, path: str) -> None:
    response = client.get(path)
    assert response.status_code == 200
    policy = response["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'; script-src 'self'; style-src 'self';")
    assert "unsafe" not in policy
    assert "http" not in response.content.decode().replace("https://www.w3.org", "")
    assert client.post(path).status_code == 405


def test_the_page_of_scopes_says_which_calls_ask_for_them(client: Client) -> None:
    assert "<code>POST /v1/record</code>" in client.get("/v1/docs/scopes").content.decode()


def test_the_page_of_errors_lists_them_all(client: Client) -> None:
    text = client.get("/v1/docs/errors").content.decode()
    assert all(f"<td>{kind.code}</td>" in text for kind in answers.family())
    assert "<code>Allow</code>" in text
