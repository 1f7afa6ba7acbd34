import itertools
from typing import Any

import pytest
from django.test import Client

from apps.accounts.models import Role
from apps.applications.members import ROLE_SCOPES, member_caller
from apps.applications.scopes import SCOPES, expand
from apps.core.errors import MissingScope
from tests.conftest import Tenant

PERMISSIONS = (401, {"code": 401, "message": "The permissions are not correct."})


def read(client: Client, tenant: Tenant, query: str = "", **headers: Any) -> tuple[int, Any]:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    response = client.get("/v1/flowdiagram?flow_name=intake" + query, headers=tenant.headers | named)
    return response.status_code, response.json()["error"]


@pytest.mark.parametrize(
    ("granted", "held"),
    [
        (["schema"], {"schema", "schema.read"}),
        (["record"], {"record", "record.read", "record.delete"}),
        (["record.read"], {"record.read"}),
        (["record.delete"], {"record.delete"}),
        (["keystore", "tables.read"], {"keystore", "keystore.read", "tables.read"}),
        (["webhook", "batch"], {"webhook", "batch"}),
        (["SCHEMA", "*", "", "nothing"], set()),
        ([], set()),
    ],
)
def test_what_a_scope_implies(granted: list[str], held: set[str]) -> None:
    assert expand(granted) == held


@pytest.mark.parametrize(
    "text",
    [
        "flowdiagram.read",
        "flowdiagram",
        "flowdiagram.read,record",
        "flowdiagram.read record",
        "flowdiagram.read,  record",
        " flowdiagram.read ",
        "{flowdiagram.read,record}",
        "flowdiagram.read flowdiagram.read",
        "",
        "   ",
        " ".join(SCOPES),
        " ".join(["flowdiagram.read"] * 400),
    ],
)
def test_forms_of_the_header_that_cover_the_call(client: Client, acme: Tenant, text: str) -> None:
    assert read(client, acme, X_Scopes=text) == (200, None)
    assert read(client, acme, scopes=text) == (200, None)


@pytest.mark.parametrize(
    "text",
    [
        "*",
        "FLOWDIAGRAM.READ",
        "SCHEMA",
        "flowdiagram.*",
        "flowdiagram.read.x",
        "record.read",
        "flowdiagram.read nothing",
        "flowdiagram.read;record",
        "{}",
        ",",
        "'flowdiagram.read'",
        "%",
        " ".join(f"w{n}" for n in range(1500)),
    ],
)
def test_forms_of_the_header_that_do_not(client: Client, acme: Tenant, text: str) -> None:
    assert read(client, acme, X_Scopes=text) == PERMISSIONS


@pytest.mark.parametrize("text", ["flowdiagram.read\0", "\0", "flowdiagram.read\trecord"])
def test_control_characters_in_scopes(client: Client, acme: Tenant, text: str) -> None:
    status, error = read(client, acme, X_Scopes=text)
    assert (status, error["message"]) == (400, "X-Scopes holds control characters.")


def test_two_thousand_words(client: Client, acme: Tenant) -> None:
    status, error = read(client, acme, X_Scopes=" ".join(["record.read"] * 2000))
    assert (status, error["message"]) == (400, "X-Scopes is longer than 8192 characters.")


def test_scopes_in_the_url(client: Client, acme: Tenant) -> None:
    assert read(client, acme, "&scopes=flowdiagram.read") == (200, None)
    assert read(client, acme, "&scopes=flowdiagram.read,record") == (200, None)
    assert read(client, acme, "&scopes=flowdiagram.read+record") == (200, None)
    assert read(client, acme, "&scopes=record.read") == PERMISSIONS
    assert read(client, acme, "&scopes=*") == PERMISSIONS
    assert read(client, acme, "&scopes=") == (200, None)


def test_the_header_comes_before_the_url(client: Client, acme: Tenant) -> None:
    assert read(client, acme, "&scopes=record.read", X_Scopes="flowdiagram.read") == (200, None)
    assert read(client, acme, "&scopes=flowdiagram.read", X_Scopes="record.read") == PERMISSIONS


def test_repeated_scopes_in_the_url(client: Client, acme: Tenant) -> None:
    status, error = read(client, acme, "&scopes=flowdiagram.read&scopes=record")
    assert (status, error["message"]) == (400, "The parameter scopes is given more than once.")


@pytest.mark.parametrize(
    ("role", "can", "cannot"),
    [
        (Role.OWNER, ["schema", "record", "flowdiagram", "record.delete"], []),
        (Role.DEVELOPER, ["schema", "record", "flowdiagram"], []),
        (Role.OPERATOR, ["record", "record.delete", "batch", "schema.read"], ["schema", "flowdiagram", "tables"]),
        (Role.VIEWER, ["schema.read", "record.read", "flowdiagram.read"], ["record", "batch", "record.delete"]),
    ],
)
def test_what_members_may_do(acme: Tenant, role: Role, can: list[str], cannot: list[str]) -> None:
    caller = member_caller(acme.workspace, role, "192.0.2.7")
    assert (caller.application_id, caller.rate_limit, caller.address) == (None, 0, "192.0.2.7")
    assert (caller.organization_id, caller.workspace_id) == (acme.organization.pk, acme.workspace.pk)
    for scope in can:
        caller.require(scope)
    for scope in cannot:
        with pytest.raises(MissingScope):
            caller.require(scope)


def test_each_role_may_do_what_those_below_it_may() -> None:
    scopes = [ROLE_SCOPES[role] for role in Role]
    assert all(above >= below for above, below in itertools.pairwise(scopes))
    assert set(ROLE_SCOPES) == set(Role)
