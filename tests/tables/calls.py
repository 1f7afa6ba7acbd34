"""Calls of ``/v1/tables``, and rows to be asked for."""

import re
from datetime import datetime
from typing import Any

from django.db import connection
from django.test import Client

from apps.tables import services
from apps.tables.models import Table
from apps.tables.storage import relation
from tests.conftest import Tenant

PAGE = {"total": 1, "start_at": 0, "next_element": 0, "limit": 100, "offset": 0, "max_results": 0}
EMPTY = dict.fromkeys(("username", "age", "balance", "active", "born", "seen", "extra"))
MOMENT = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\Z")


def call(client: Client, tenant: Tenant, method: str, path: str, body: Any = None, **headers: str) -> Any:
    send = getattr(client, method)
    arguments = (body, "application/json") if body is not None else ()
    return send(f"/v1/tables/{path}", *arguments, headers={"X-Apikey": tenant.api_key} | headers)


def insert(tenant: Tenant, *rows: dict[str, Any], table: str = "people") -> list[int]:
    return [services.insert_row(tenant.caller, table, row)[1].id for row in rows]


def dated(table: Table, moment: datetime) -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"UPDATE {relation(table.pk)} SET date_created = %s, date_updated = %s", [moment, moment])


def refused(response: Any, status: int, message: str, path: str | None = None) -> None:
    body = response.json()
    assert list(body) == ["id", "code", "request-ip", "resource", "message", "error"]
    assert (response.status_code, body["code"], body["error"]["message"]) == (status, status, message)
    if path is not None:
        assert body["error"]["details"][0]["path"] == path


def count_rows(table: Table) -> int:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT count(*) FROM {relation(table.pk)}")
        (count,) = cursor.fetchone()
    return int(count)


def ages(tenant: Tenant) -> list[int]:
    return [row.values["age"] for row in services.search_rows(tenant.caller, "people").rows]
