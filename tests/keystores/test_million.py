"""A million keys, in the keystore that is asked and in another one."""

import re
import time
from collections.abc import Iterator
from itertools import count
from typing import Any

import pytest
from django.db import connection, transaction
from psycopg import ClientCursor

from apps.core.errors import AnswerTooLarge
from apps.keystores import search as searching
from apps.keystores import selectors, services, writing
from apps.keystores.content import Document
from apps.keystores.models import Keystore
from apps.keystores.query import read_query
from tests.conftest import Tenant, build_tenant
from tests.keystores.conftest import make_keystore

pytestmark = [pytest.mark.xdist_group("million"), pytest.mark.django_db]

_FILL = """
INSERT INTO keystores_keystoreitem (keystore_id, key, data, version, date_created, date_modified)
SELECT %s, 'city-' || n, ('{"n":' || n || ',"city":"City ' || n || '"}')::json, 1, now(), now()
FROM generate_series(1, %s) n
"""


@pytest.fixture(scope="module")
def crowd(django_db_setup: None, django_db_blocker: Any) -> Iterator[tuple[Tenant, Keystore]]:
    """A tenant with a keystore of a million keys, a neighbour with half as many, and one with three."""
    with django_db_blocker.unblock(), transaction.atomic():
        tenant = build_tenant("crowd")
        big, neighbour, small = (make_keystore(tenant, name) for name in ("big", "neighbour", "small"))
        with connection.cursor() as cursor:
            for keystore, number in ((big, 1_000_000), (neighbour, 500_000), (small, 3)):
                cursor.execute(_FILL, [keystore.pk, number])
            cursor.execute("ANALYZE keystores_keystoreitem")
        connection.check_constraints()  # else each test does so when it ends
        yield tenant, big
        transaction.set_rollback(True)


def plan(sql: str, values: Any) -> str:
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN {sql}", values)
        return "\n".join(line for (line,) in cursor.fetchall())


def plans_of_search(keystore: Keystore, **asked: Any) -> list[str]:
    """The plan for these values, and the one for any that a prepared statement may settle on."""
    body = {"select": None, "where": None, "limit": None, "offset": None} | asked
    statement = searching._statement(keystore, read_query(**body))
    numbers = count(1)
    numbered = re.sub("%s", lambda match: f"${next(numbers)}", statement.sql)
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL plan_cache_mode = force_generic_plan")
        cursor.execute(f"PREPARE wanted AS {numbered}")
        values = ClientCursor(connection.connection).mogrify(
            ", ".join(["%s"] * len(statement.values)), statement.values
        )
        cursor.execute(f"EXPLAIN EXECUTE wanted({values})")
        generic = "\n".join(line for (line,) in cursor.fetchall())
        cursor.execute("DEALLOCATE wanted")
        cursor.execute("SET LOCAL plan_cache_mode = auto")
    return [plan(statement.sql, statement.values), generic]


def where(field: str, operator: str, value: Any) -> dict[str, Any]:
    return {"rules": [{"field": field, "operator": operator, "value": value}]}


@pytest.fixture
def big(crowd: tuple[Tenant, Keystore]) -> Keystore:
    """The keystore of a million keys."""
    return crowd[1]


def test_reads_and_writes_find_the_key_by_its_index(big: Keystore, crowd: tuple[Tenant, Keystore]) -> None:
    caller = crowd[0].caller
    named = {"workspace": big.workspace_id, "identifier": "big", "key": "city-777777", "data": "1", "kind": "json"}
    for statement in (selectors._FIND, selectors._FIND_VERSION):
        assert "keystore_key_once" in plan(statement, named)
    assert "Conflict Arbiter Indexes: keystore_key_once" in plan(writing.UPSERT, named)
    item = services.get_or_create_item(caller, "big", "city-777777")
    assert item.document == {"n": 777777, "city": "City 777777"}
    services.put_item(caller, "big", "city-777777", Document({"n": 777777, "city": "x"}))


def test_rules_on_the_key_use_an_index(big: Keystore, crowd: tuple[Tenant, Keystore]) -> None:
    for rule in (("key", "=", "CITY-5"), ("key", "LIKE", "City-12345%"), ("key", "LIKE", "city-5")):
        for explained in plans_of_search(big, where=where(*rule)):
            assert "keystore_key_folded" in explained
    wanted = where("key", "LIKE", "CITY-12345_")
    rows = services.search(crowd[0].caller, "big", where=wanted, select=[{"field": "key"}])
    assert [row["key"] for row in rows] == [f"city-12345{digit}" for digit in range(10)]


def test_pages_are_read_in_the_order_of_the_index(big: Keystore, crowd: tuple[Tenant, Keystore]) -> None:
    for explained in plans_of_search(big, limit=10):
        assert "keystore_key_once" in explained
        assert "Sort" not in explained
    rows = services.search(crowd[0].caller, "big", limit=3)
    assert [row["key"] for row in rows] == ["city-1", "city-10", "city-100"]


def test_without_a_limit_a_million_keys_are_too_many(big: Keystore, crowd: tuple[Tenant, Keystore]) -> None:
    started = time.monotonic()
    with pytest.raises(AnswerTooLarge, match="more than 10000 rows"):
        services.search(crowd[0].caller, "big")
    assert time.monotonic() - started < 2


def test_a_small_keystore_does_not_suffer_from_its_neighbours(big: Keystore, crowd: tuple[Tenant, Keystore]) -> None:
    wanted = where("n", ">", 1)
    rows = services.search(crowd[0].caller, "small", where=wanted, select=[{"field": "n"}])
    assert rows == [{"n": "2"}, {"n": "3"}]


def test_all_documents_can_be_looked_through(big: Keystore, crowd: tuple[Tenant, Keystore], settings: Any) -> None:
    settings.KEYSTORE_SEARCH_SECONDS = 60
    rows = services.search(crowd[0].caller, "big", where=where("n", "=", "999999"), select=[{"field": "city"}])
    assert rows == [{"city": "City 999999"}]
