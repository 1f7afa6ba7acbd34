"""Conditional requests for ``/v1/schema``."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from threading import Barrier
from typing import Any

import pytest
from django.db import connection, connections
from django.test import Client
from django.test.utils import CaptureQueriesContext

from apps.schemas import services
from apps.schemas.models import Schema
from tests.conftest import Tenant
from tests.schemas.conftest import encoded

Payload = dict[str, str]


def get(client: Client, tenant: Tenant, method: str = "get", path: str = "/v1/schema", **headers: str) -> Any:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return getattr(client, method)(path, headers=tenant.headers | named)


def put(client: Client, tenant: Tenant, payload: Payload, **headers: str) -> Any:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return client.put("/v1/schema", payload, "application/json", headers=tenant.headers | named)


@pytest.fixture
def stored(acme: Tenant, payload: Payload) -> Schema:
    return services.create_schema(acme.caller, **payload)


def test_an_answer_can_be_kept_and_asked_after(client: Client, acme: Tenant, stored: Schema) -> None:
    Schema.objects.update(date_modified=datetime(2026, 7, 15, 22, 30, 5, 999_999, tzinfo=UTC))
    first = get(client, acme)
    assert first["Last-Modified"] == "Wed, 15 Jul 2026 22:30:05 GMT"
    assert first["Cache-Control"] == "private, no-cache"
    again = get(client, acme, If_None_Match=first["ETag"])
    assert (again.status_code, again.content) == (304, b"")
    assert "Content-Type" not in again
    for name in ("ETag", "Last-Modified", "Vary", "Cache-Control"):
        assert again[name] == first[name]
    assert get(client, acme, If_Modified_Since=first["Last-Modified"]).status_code == 304
    assert get(client, acme, If_None_Match='"other"', If_Modified_Since=first["Last-Modified"]).status_code == 200


def test_304_is_counted_and_says_so(client: Client, acme: Tenant, stored: Schema) -> None:
    acme.keys.rate_limit = 10
    acme.keys.save()
    tag = get(client, acme)["ETag"]
    again = get(client, acme, If_None_Match=tag)
    assert (again.status_code, again["X-RateLimit-Limit"], again["X-RateLimit-Remaining"]) == (304, "10", "8")


def test_head_has_the_headers_of_get(client: Client, acme: Tenant, stored: Schema) -> None:
    full, head = get(client, acme), get(client, acme, "head")
    names = ("ETag", "Last-Modified", "Content-Type", "Content-Length", "Vary", "Cache-Control")
    assert [head[name] for name in names] == [full[name] for name in names]
    assert head.content == b""
    assert get(client, acme, "head", If_None_Match=full["ETag"]).status_code == 304


def test_a_change_changes_the_tag(client: Client, acme: Tenant, stored: Schema, payload: Payload) -> None:
    tags = {get(client, acme)["ETag"]}
    put(client, acme, payload)
    tags.add(get(client, acme)["ETag"])
    get(client, acme, "delete")
    services.create_schema(acme.caller, **payload)
    tags.add(get(client, acme)["ETag"])
    assert len(tags) == 3


def test_what_shapes_the_answer_changes_the_tag(client: Client, acme: Tenant, stored: Schema) -> None:
    tags = {get(client, acme)["ETag"], get(client, acme)["ETag"]}
    assert len(tags) == 1
    acme.workspace.time_zone = "Asia/Tokyo"
    acme.workspace.save()
    from apps.applications.authentication import forget_credentials

    forget_credentials()
    tags.add(get(client, acme)["ETag"])
    acme.project.name = "renamed"
    acme.project.save()
    forget_credentials()
    tags.add(get(client, acme)["ETag"])
    assert len(tags) == 3


def test_the_same_schema_of_two_tenants_has_two_tags(
    client: Client, acme: Tenant, rival: Tenant, stored: Schema, payload: Payload
) -> None:
    services.create_schema(rival.caller, **payload)
    tag = get(client, acme)["ETag"]
    assert get(client, rival, If_None_Match=tag).status_code == 200
    assert put(client, rival, payload, If_Match=tag).status_code == 412


def test_errors_and_changes_carry_no_tag(client: Client, acme: Tenant, payload: Payload) -> None:
    absent = get(client, acme, If_None_Match="*")
    assert (absent.status_code, absent["Cache-Control"]) == (404, "no-store")
    assert "ETag" not in absent
    created = client.post("/v1/schema", payload, "application/json", headers=acme.headers)
    assert created.status_code == 201
    assert "ETag" not in created


def test_an_update_that_names_the_present_version(
    client: Client, acme: Tenant, stored: Schema, payload: Payload
) -> None:
    tag = get(client, acme)["ETag"]
    assert put(client, acme, payload | {"url": "second"}, If_Match=tag).status_code == 201
    stale = put(client, acme, payload | {"url": "third"}, If_Match=tag)
    assert stale.status_code == 412
    assert stale.json()["error"] == {"code": 412, "message": "The resource has changed since it was read."}
    assert (Schema.objects.get().url, Schema.objects.get().version) == ("second", 2)


def test_a_tag_of_any_shape_names_the_version(client: Client, acme: Tenant, stored: Schema, payload: Payload) -> None:
    selected = get(client, acme, path="/v1/schema?fields=url")["ETag"]
    assert selected != get(client, acme)["ETag"]
    assert put(client, acme, payload, If_Match=f'"other", {selected}').status_code == 201


@pytest.mark.parametrize("header", ['"stale"', 'W/"x"', "nonsense"])
def test_a_removal_that_names_another_version(client: Client, acme: Tenant, stored: Schema, header: str) -> None:
    assert get(client, acme, "delete", If_Match=header).status_code == 412
    assert Schema.objects.filter(pk=stored.pk).exists()


def test_a_removal_that_names_the_present_version(client: Client, acme: Tenant, stored: Schema) -> None:
    assert get(client, acme, "delete", If_Match=get(client, acme)["ETag"]).status_code == 200
    assert not Schema.objects.exists()


def test_a_change_unless_there_was_one(client: Client, acme: Tenant, stored: Schema, payload: Payload) -> None:
    Schema.objects.update(date_modified=datetime(2026, 7, 15, 12, 0, tzinfo=UTC))
    before = "Wed, 15 Jul 2026 11:59:59 GMT"
    assert put(client, acme, payload, If_Unmodified_Since=before).status_code == 412
    assert put(client, acme, payload, If_Unmodified_Since="Wed, 15 Jul 2026 12:00:00 GMT").status_code == 201


def test_without_a_schema_conditions_play_no_part(client: Client, acme: Tenant, payload: Payload) -> None:
    assert put(client, acme, payload, If_Match="*").status_code == 404
    assert get(client, acme, "delete", If_Match='"x"').status_code == 404


@pytest.mark.django_db(transaction=True)
def test_of_parallel_updates_of_one_version_one_wins(acme: Tenant, payload: Payload) -> None:
    services.create_schema(acme.caller, **payload)
    for version in range(1, 6):
        tag = get(Client(), acme)["ETag"]
        together = Barrier(4)

        def update(number: int, tag: str = tag, together: Barrier = together) -> int:
            try:
                together.wait(10)
                changed = payload | {"schema": encoded({"title": str(number)})}
                return put(Client(), acme, changed, If_Match=tag).status_code
            finally:
                connections.close_all()

        with ThreadPoolExecutor(4) as pool:
            assert sorted(pool.map(update, range(4))) == [201, 412, 412, 412]
        assert Schema.objects.get().version == version + 1


@pytest.mark.django_db(transaction=True)
def test_asking_again_costs_no_more(client: Client, acme: Tenant, payload: Payload) -> None:
    services.create_schema(acme.caller, **payload)
    tag = get(client, acme)["ETag"]
    for status, headers in ((200, {}), (304, {"If_None_Match": tag})):
        with CaptureQueriesContext(connection) as captured:
            assert get(client, acme, **headers).status_code == status
        assert len(captured) == 2
