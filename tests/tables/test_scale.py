"""A table of a million rows answers from its indexes; another table's million rows do not matter."""

import json
import time
from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connection

from apps.tables import services
from apps.tables.execution import tend
from apps.tables.models import Table
from apps.tables.storage import column, relation
from tests.conftest import Tenant, build_tenant
from tests.tables.conftest import make_table

ROWS = 1_000_000


@pytest.fixture(scope="module")
def large(django_db_setup: None, django_db_blocker: Any) -> Iterator[tuple[Tenant, Table]]:
    """The table, its indexes built by the job; committed, so that every connection sees it."""
    with django_db_blocker.unblock():
        tenant = build_tenant("large")
        table = make_table(
            tenant,
            "large",
            name={"indexable": True},
            age={"kind": "integer", "indexable": True},
            plain={"kind": "integer"},
        )
        name, age, plain = (column(row.pk) for row in table.columns.all())
        with connection.cursor() as cursor:
            cursor.execute(
                f"INSERT INTO {relation(table.pk)} ({name}, {age}, {plain}) "
                f"SELECT 'User ' || md5(n::text), n % 20000, n FROM generate_series(1, {ROWS}) n"
            )
            cursor.execute(f"VACUUM ANALYZE {relation(table.pk)}")
        tend()
        yield tenant, table
        tenant.organization.projects.all().delete()
        tenant.organization.delete()
        tend()


class Explained:
    """Runs every search once more under EXPLAIN, as it is: same connection, same settings, same bound values."""

    def __init__(self) -> None:
        self.indexes: set[str] = set()
        self.scans: set[str] = set()
        self.milliseconds = 0.0

    def __call__(self, execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        if sql.startswith("WITH page"):
            with connection.connection.cursor() as cursor:
                cursor.execute(f"EXPLAIN (ANALYZE, FORMAT JSON) {sql}", params)
                (line,) = cursor.fetchone()
            (plan,) = line if isinstance(line, list) else json.loads(line)
            self.milliseconds = plan["Execution Time"]
            self._walk(plan["Plan"])
        return execute(sql, params, many, context)

    def _walk(self, node: dict[str, Any]) -> None:
        if "Index Name" in node:
            self.indexes.add(node["Index Name"])
        if node["Node Type"] == "Seq Scan":
            self.scans.add(node["Relation Name"])
        for child in node.get("Plans", []):
            self._walk(child)


SEARCHES: list[tuple[str, Any, dict[str, Any], str, int]] = [
    ("equality", ("age", "=", 77), {}, "tr_{age}", 50),
    ("range", ("age", "between", [5, 6]), {"order_field": "age", "order_type": "desc"}, "tr_{age}", 100),
    ("in", ("age", "in", [5, 6, 7]), {}, "tr_{age}", 150),
    ("text", ("name", "=", "USER c4ca4238a0b923820dcc509a6f75849b"), {}, "tr_{name}", 1),
    ("begins", ("name", "begins_with", "user c4ca"), {}, "tr_{name}", 10),
    ("contains", ("name", "contains", "a6F75849B"), {}, "tg_{name}", 1),
    ("ends", ("name", "ends_with", "a6f75849b"), {}, "tg_{name}", 1),
]


@pytest.mark.xdist_group("million")
@pytest.mark.parametrize(
    ("rule", "order", "index", "matches"), [case[1:] for case in SEARCHES], ids=[c[0] for c in SEARCHES]
)
def test_searches_of_indexable_columns_use_their_indexes(
    large: tuple[Tenant, Table],
    django_db_blocker: Any,
    rule: Any,
    order: dict[str, Any],
    index: str,
    matches: int,
) -> None:
    tenant, table = large
    explained = Explained()
    where = {"rules": [dict(zip(("field", "operator", "value"), rule, strict=True))]}
    with django_db_blocker.unblock():
        keys = {row.name: row.pk for row in table.columns.all()}
        for _ in range(7):  # the sixth execution of a prepared statement may get a plan for any value
            services.search_rows(tenant.caller, "large", where=where, limit=10, **order)
        with connection.execute_wrapper(explained):
            found = services.search_rows(tenant.caller, "large", where=where, limit=10, **order)
    assert (found.matches, len(found.rows)) == (matches, min(matches, 10))
    assert explained.indexes == {index.format(**keys)}
    assert not explained.scans
    assert explained.milliseconds < 100


@pytest.mark.xdist_group("million")
@pytest.mark.parametrize("field", ["age", "name", "id"])
@pytest.mark.parametrize("direction", ["asc", "desc"])
def test_pages_in_order_come_from_the_index(
    large: tuple[Tenant, Table], django_db_blocker: Any, field: str, direction: str
) -> None:
    tenant, table = large
    with django_db_blocker.unblock():
        keys = {row.name: f"tr_{row.pk}" for row in table.columns.all()} | {"id": f"t{table.pk}_pkey"}
        explained = Explained()
        with connection.execute_wrapper(explained):
            found = services.search_rows(
                tenant.caller, "large", limit=10, order_field=field, order_type=direction, most_counted=1000
            )
    assert keys[field] in explained.indexes
    assert (found.matches, len(found.rows)) == (1000, 10)
    assert explained.milliseconds < 100


@pytest.mark.xdist_group("million")
def test_other_tables_are_as_fast_as_ever(large: tuple[Tenant, Table], django_db_blocker: Any) -> None:
    tenant, _ = large
    with django_db_blocker.unblock():
        make_table(tenant, "small", note="text")
        services.insert_row(tenant.caller, "small", {"note": "x"})
        started = time.monotonic()
        for _ in range(20):
            where = {"rules": [{"field": "note", "operator": "not_contains", "value": "y"}]}
            assert services.search_rows(tenant.caller, "small", where=where).matches == 1
        assert time.monotonic() - started < 2
