from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import connections

from apps.accounts.models import Role, Workspace
from apps.applications.members import member_caller
from apps.core.errors import Conflict, Detail, MissingScope, NotFound
from apps.schemas import services
from apps.schemas.models import Schema
from apps.schemas.selectors import current, problems
from tests.conftest import Tenant

Payload = dict[str, str]


def test_a_copy_in_an_environment_has_a_schema_of_its_own(acme: Tenant, payload: Payload) -> None:
    services.create_schema(acme.caller, **payload)
    deployed = Workspace.objects.create(project=acme.project, api_host="api.example")
    there = member_caller(deployed, Role.OWNER)
    with pytest.raises(NotFound):
        services.get_schema(there)
    assert services.create_schema(there, **payload).workspace_id == deployed.pk
    services.delete_schema(there)
    assert services.get_schema(acme.caller).workspace_id == acme.workspace.pk


@pytest.mark.parametrize("act", ["create", "update", "delete"])
def test_writing_needs_the_scope(acme: Tenant, payload: Payload, act: str) -> None:
    viewer = member_caller(acme.workspace, Role.VIEWER)
    arguments: dict[str, Any] = {} if act == "delete" else payload
    with pytest.raises(MissingScope):
        getattr(services, f"{act}_schema")(viewer, **arguments)
    assert not Schema.objects.exists()


def test_reading_needs_the_scope(acme: Tenant, payload: Payload) -> None:
    services.create_schema(acme.caller, **payload)
    assert services.get_schema(member_caller(acme.workspace, Role.VIEWER)).url == "https://example.org/lead"


def test_each_version_is_compiled_as_it_was(acme: Tenant, payload: Payload) -> None:
    import base64

    row = services.create_schema(acme.caller, **payload)
    first = current(acme.workspace.pk)
    assert first == (row.pk, 1)
    assert problems(first, {}) == [Detail("", '"client" is a required property')]
    assert problems(first, {"client": {}}) == []
    payload["schema"] = base64.b64encode(b'{"maxProperties": 1}').decode()
    services.update_schema(acme.caller, **payload)
    second = current(acme.workspace.pk)
    assert second == (row.pk, 2)
    assert problems(second, {}) == []
    assert len(problems(second, {"a": 1, "b": 2})) == 1


def test_without_a_schema_everything_fits(acme: Tenant) -> None:
    assert current(acme.workspace.pk) is None
    assert problems(None, {"anything": [1, None]}) == []


@pytest.mark.django_db(transaction=True)
def test_of_parallel_inserts_one_succeeds(acme: Tenant, payload: Payload) -> None:
    def create(_: int) -> str:
        try:
            services.create_schema(acme.caller, **payload)
        except Conflict:
            return "conflict"
        finally:
            connections.close_all()
        return "created"

    with ThreadPoolExecutor(8) as pool:
        assert sorted(pool.map(create, range(8))) == ["conflict"] * 7 + ["created"]
    assert Schema.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_parallel_updates_each_make_a_version(acme: Tenant, payload: Payload) -> None:
    services.create_schema(acme.caller, **payload)

    def update(_: int) -> int:
        try:
            return services.update_schema(acme.caller, **payload).version
        finally:
            connections.close_all()

    with ThreadPoolExecutor(8) as pool:
        assert sorted(pool.map(update, range(8))) == list(range(2, 10))
