"""Nothing that opens a door is found in the database."""

from collections.abc import Callable, Iterator
from typing import Any

from django.db import connection
from django.test import Client

from apps.applications.services import rotate_organization_key, rotate_project_key
from tests.conftest import Tenant

Buy = Callable[..., dict[str, Any]]


def rows_of_all_tables() -> Iterator[tuple[str, str]]:
    """Every row of every table as text, with the table's name."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT relid::regclass::text FROM pg_stat_user_tables")
        for (table,) in cursor.fetchall():
            cursor.execute(f"SELECT t::text FROM {table} t")
            for (row,) in cursor.fetchall():
                yield table, row


def test_no_issued_secret_is_stored_in_clear(client: Client, acme: Tenant, buy: Buy) -> None:
    bought = buy(acme)
    pair = {"client_id": acme.oauth.client_id, "client_secret": acme.client_secret}
    standard = client.post("/o/token/", {"grant_type": "client_credentials"} | pair).json()["access_token"]
    refreshed = client.get(
        "/v1/refreshtoken", headers=acme.client_headers | {"refresh_token": bought["refresh_token"]}
    ).json()["resource"]["access_token"]
    for token in (bought["access_token"], standard, refreshed):
        client.post("/v1/record?flow_name=intake", {}, "application/json", headers={"Authorization": f"Bearer {token}"})
    secrets = {
        acme.api_key,
        acme.client_secret,
        bought["access_token"],
        bought["refresh_token"],
        standard,
        refreshed,
        rotate_organization_key(acme.organization),
        rotate_project_key(acme.project),
    }
    assert len(secrets) == 8
    rows = list(rows_of_all_tables())
    assert {"oauth2_provider_accesstoken", "applications_refreshtoken", "auditlog_logentry"} <= {
        table for table, _ in rows
    }
    found = {table for table, row in rows for secret in secrets if secret in row or secret[8:] in row}
    assert found == set()


def test_the_search_would_find_one(acme: Tenant) -> None:
    assert any(
        acme.oauth.client_id in row for table, row in rows_of_all_tables() if table == "applications_application"
    )
