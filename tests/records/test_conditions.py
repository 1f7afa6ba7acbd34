"""Conditional reads of records: every change shows, and an unchanged record is not loaded."""

import json
from typing import Any

import pytest
from django.db import connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext

from apps.core.errors import NotFound
from apps.records.execution import drain
from apps.records.models import Record, RecordData
from apps.records.selectors import get_record, version_as_read, version_of
from tests.conftest import Tenant
from tests.records.conftest import insert


def get(client: Client, tenant: Tenant, **headers: str) -> Any:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return client.get("/v1/record/r-1", headers=tenant.headers | named)


def test_an_unchanged_record_is_not_sent_again(client: Client, acme: Tenant) -> None:
    insert(acme, uuid="r-1")
    first = get(client, acme)
    again = get(client, acme, If_None_Match=first["ETag"])
    assert (again.status_code, again.content, again["ETag"]) == (304, b"", first["ETag"])
    assert (
        client.get("/v1/record/?uuid=r-1", headers=acme.headers | {"If-None-Match": first["ETag"]}).status_code == 304
    )


def test_every_change_shows(client: Client, acme: Tenant) -> None:
    row = insert(acme, uuid="r-1")
    tags = [get(client, acme)["ETag"]]

    def noted() -> int:
        tags.append(get(client, acme, If_None_Match=tags[-1]).get("ETag"))
        return len(set(tags))

    assert noted() == 1
    Record.objects.filter(pk=row.pk).update(wake_at=None)
    assert noted() == 2
    RecordData.objects.filter(pk=row.pk).update(data={"other": 1})
    assert noted() == 3
    Record.objects.filter(pk=row.pk).update(wake_at=row.wake_at)
    assert noted() == 4
    drain()
    assert noted() == 5
    assert get(client, acme, If_None_Match=tags[-1]).status_code == 304


def test_a_record_of_the_same_name_is_another(client: Client, acme: Tenant, rival: Tenant) -> None:
    insert(acme, uuid="r-1")
    insert(rival, uuid="r-1")
    tag = get(client, acme)["ETag"]
    assert get(client, rival, If_None_Match=tag).status_code == 200


@pytest.mark.parametrize("header", ["*", '"x"'])
def test_a_record_that_is_not_there(client: Client, acme: Tenant, rival: Tenant, header: str) -> None:
    insert(rival, uuid="r-1")
    assert get(client, acme, If_None_Match=header).status_code == 404
    with pytest.raises(NotFound):
        version_of(acme.workspace.pk, "r-1")


@pytest.mark.django_db(transaction=True)
def test_a_current_record_costs_one_small_statement(client: Client, acme: Tenant) -> None:
    insert(acme, uuid="r-1")
    tag = get(client, acme)["ETag"]
    for statements, header in ((2, tag), (3, '"x"')):
        with CaptureQueriesContext(connection) as captured:
            get(client, acme, If_None_Match=header)
        assert len(captured) == statements
    with CaptureQueriesContext(connection) as captured:
        get(client, acme, If_None_Match=tag)
    assert "recordstep" not in json.dumps(captured.captured_queries)


@pytest.mark.django_db(transaction=True)
def test_a_lock_is_no_change(acme: Tenant) -> None:
    insert(acme, uuid="r-1")
    before = version_of(acme.workspace.pk, "r-1")
    with transaction.atomic():
        Record.objects.select_for_update().get(uuid="r-1")
        assert version_of(acme.workspace.pk, "r-1") == before
    assert version_of(acme.workspace.pk, "r-1") == before == version_as_read(get_record(acme.workspace.pk, "r-1")[0])
