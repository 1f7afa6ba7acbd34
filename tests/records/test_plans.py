"""A million records of two tenants: searches read what they show, whatever else is stored."""

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection, transaction

from apps.core.paging import Page
from apps.flows.services import change_status
from apps.records import searching
from apps.records.claims import claim_due
from apps.records.limits import forget_limits
from apps.records.models import Record
from apps.records.search_sql import statement
from apps.records.searching import Search
from apps.schemas.models import DataField
from tests.conftest import STRAIGHT_FLOW, Tenant, build_tenant, publish

pytestmark = [pytest.mark.xdist_group("million"), pytest.mark.django_db]

BIG, SMALL = 900_000, 100_000
START = datetime(2026, 1, 1, tzinfo=UTC)
# Every tenth record of a tenant is in its second flow, every hundredth failed, a second between two of them.
_FILL = """
INSERT INTO records_record (
    workspace_id, flow_id, flow_version_id, uuid, status, hold, at, run_no, seq, attempt, num_runs, claims, revision,
    leased_by, error_code, error_text, wake_at, date_created, date_started, date_last_run)
SELECT %(workspace)s, CASE WHEN n %% 10 = 0 THEN %(other)s ELSE %(flow)s END,
       CASE WHEN n %% 10 = 0 THEN %(other_version)s ELSE %(version)s END,
       'u' || n, CASE WHEN n %% 100 = 5 THEN 3 ELSE 2 END, 0, 'end', 1, 3, 1, 1, 0, 0, '', '', '', NULL, d, d, d
FROM generate_series(1, %(count)s) n CROSS JOIN LATERAL (SELECT %(start)s::timestamptz + n * interval '1 second' AS d) t
"""
# One in a thousand has a value of its own, all others share one.
_FILL_FIELDS = """
INSERT INTO records_recordfield (record_id, field_id, value)
SELECT id, %(field)s, CASE WHEN substr(uuid, 2)::int %% 1000 = 0 THEN uuid ELSE 'common' END
FROM records_record WHERE workspace_id = %(workspace)s
"""
# Two values for all but the oldest ten: whoever plans for the usual value looks for the rare one in vain.
_FILL_SKEWED = """
INSERT INTO records_recordfield (record_id, field_id, value)
SELECT id, %(skewed)s, CASE WHEN substr(uuid, 2)::int <= 10 THEN 'rare' ELSE 'value ' || id %% 2 END
FROM records_record WHERE workspace_id = %(workspace)s
"""


def fill(tenant: Tenant, count: int) -> None:
    other = publish(tenant, STRAIGHT_FLOW | {"name": "other"})
    tenant.flow = publish(tenant, STRAIGHT_FLOW)
    field = DataField.objects.create(workspace=tenant.workspace, name="it", path="it", is_filled=True, list_column=True)
    values = {"workspace": tenant.workspace.pk, "count": count, "start": START, "field": field.pk}
    skewed = DataField.objects.create(workspace=tenant.workspace, name="skewed", path="skewed", is_filled=True)
    values |= {"skewed": skewed.pk}
    values |= {"flow": tenant.flow.pk, "version": tenant.flow.live_version_id}
    values |= {"other": other.pk, "other_version": other.live_version_id}
    with transaction.atomic(), connection.cursor() as cursor:
        # Two million rows of the test's own making refer to what is there.
        cursor.execute("SET LOCAL session_replication_role = replica")
        cursor.execute(_FILL, values)
        cursor.execute(_FILL_FIELDS, values)
        cursor.execute(_FILL_SKEWED, values)


@pytest.fixture(scope="module")
def million(django_db_setup: Any, django_db_blocker: Any) -> Iterator[dict[str, Tenant]]:
    """Two tenants, the other one with nine times as many; vacuumed, as autovacuum would, and removed at the end."""
    with django_db_blocker.unblock():
        tenants = {"small": build_tenant("small"), "big": build_tenant("big")}
        try:
            fill(tenants["small"], SMALL)
            fill(tenants["big"], BIG)
            with connection.cursor() as cursor:
                cursor.execute("VACUUM (ANALYZE) records_record, records_recordfield")
            yield tenants
        finally:
            call_command("flush", verbosity=0, interactive=False)


def nodes_of(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for child in plan.get("Plans", []):
        yield from nodes_of(child)


def explained(tenant: Tenant, search: Search) -> tuple[list[dict[str, Any]], int, dict[str, Any]]:
    """The nodes of the plan as it ran, the blocks it touched, and the values it ran with."""
    conditions, values = searching._conditions(tenant.workspace.pk, search)
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {statement(conditions)}", values)
        answer = cursor.fetchone()[0]
    (document,) = answer if isinstance(answer, list) else json.loads(answer)
    plan = document["Plan"]
    return list(nodes_of(plan)), plan["Shared Hit Blocks"] + plan["Shared Read Blocks"], values


FIRST = Page(limit=10, offset=0)
NOON = START + timedelta(hours=12)
SEARCHES: dict[str, Callable[[Tenant], Search]] = {
    "everything": lambda tenant: Search(FIRST),
    "uuid": lambda tenant: Search(FIRST, uuid="u500"),
    "status": lambda tenant: Search(FIRST, status=3),
    "flow": lambda tenant: Search(FIRST, flow_name="other"),
    "flow by id": lambda tenant: Search(FIRST, flow_id=tenant.flow.pk),
    "flow and status": lambda tenant: Search(FIRST, flow_name="intake", status=3),
    "status that is none's": lambda tenant: Search(FIRST, status=5),
    "day": lambda tenant: Search(FIRST, first=START, last=START + timedelta(days=1)),
    "since": lambda tenant: Search(FIRST, first=NOON),
    "day and status": lambda tenant: Search(FIRST, first=START, last=NOON, status=3, flow_name="intake"),
    "started": lambda tenant: Search(FIRST, date_type="date_started", first=START, last=NOON),
    "last run": lambda tenant: Search(FIRST, date_type="date_last_run", first=NOON),
    "rare field": lambda tenant: Search(FIRST, field_name="it", field_value="u5000"),
    "common field": lambda tenant: Search(FIRST, field_name="it", field_value="common"),
    "rare value of a skewed field": lambda tenant: Search(FIRST, field_name="skewed", field_value="rare"),
    "a page further down": lambda tenant: Search(Page(limit=10, offset=5000)),
}
# Index entries are counted to 10,000, twenty or so flows and statuses apart, and as many pages of the index read.
MOST_BLOCKS = 2_000


@pytest.mark.parametrize("name", SEARCHES)
def test_searches_walk_indexes_whoever_else_is_there(million: dict[str, Tenant], name: str) -> None:
    blocks = {}
    for size, tenant in million.items():
        nodes, blocks[size], _ = explained(tenant, SEARCHES[name](tenant))
        for node in nodes:
            if node["Node Type"] == "Seq Scan":
                assert node["Relation Name"] not in ("records_record", "records_recordfield"), node
            assert node["Actual Rows"] * node["Actual Loops"] <= 40_000, node
    assert blocks["big"] <= blocks["small"] * 2 + 200
    assert blocks["small"] <= MOST_BLOCKS


def test_pages_and_totals_are_right_in_the_middle_of_it(million: dict[str, Tenant]) -> None:
    small = million["small"]
    found = searching.search_records(small.caller, Search(FIRST, status=3))
    assert [row.uuid for row in found.records] == [f"u{SMALL - 95 - 100 * n}" for n in range(10)]
    assert found.total == SMALL // 100
    assert searching.search_records(small.caller, Search(FIRST)).total == 10_000
    found = searching.search_records(small.caller, Search(FIRST, field_name="it", field_value="u5000"))
    assert [(row.uuid, row.dynamic_value, found.total) for row in found.records] == [("u5000", "u5000", 1)]
    found = searching.search_records(small.caller, Search(FIRST, flow_name="other", first=START, last=NOON))
    assert (found.records[0].uuid, found.total) == ("u43190", 4319)
    assert not searching.search_records(small.caller, Search(FIRST, uuid=f"u{BIG}")).records


@pytest.mark.parametrize("name", SEARCHES)
def test_plans_made_without_the_values_do_the_same(million: dict[str, Tenant], name: str) -> None:
    """A prepared statement that is used often is no longer planned for its values."""
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL plan_cache_mode = force_generic_plan")
    try:
        _, blocks, _ = explained(million["big"], SEARCHES[name](million["big"]))
        assert blocks <= MOST_BLOCKS
    finally:
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL plan_cache_mode = auto")


def test_the_tables_hold_what_was_meant(million: dict[str, Tenant]) -> None:
    assert Record.objects.count() == BIG + SMALL


# --- Claims -----------------------------------------------------------------------------------------------------

_PAUSED_AND_DUE = """
INSERT INTO records_record (
    workspace_id, flow_id, flow_version_id, uuid, status, hold, at, run_no, seq, attempt, num_runs, claims, revision,
    leased_by, error_code, error_text, wake_at, date_created)
SELECT %(workspace)s, %(flow)s, %(version)s, 'due' || %(flow)s || '-' || n, 0, 0, '', 1, 0, 1, 0, 0, 0, '', '', '',
       now() - interval '1 hour', now()
FROM generate_series(1, %(count)s) n
"""
_THEIR_DATA = """
INSERT INTO records_recorddata (record_id, data, vars, state, revision)
SELECT id, '{}', '{}', '{}', 0 FROM records_record WHERE flow_id = %(flow)s AND uuid LIKE 'due%%'
"""
DUE, SHARE = 50, 24  # of one flow no more than it may have calls under way


def due_records(tenant: Tenant, flow: Any, count: int) -> None:
    values = {"workspace": tenant.workspace.pk, "flow": flow.pk, "version": flow.live_version_id, "count": count}
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        cursor.execute(_PAUSED_AND_DUE, values)
        cursor.execute(_THEIR_DATA, values)
        cursor.execute("SET LOCAL session_replication_role = origin")


def claim_blocks(claim: Callable[[], list[Any]], generic: bool) -> int:
    """The blocks that a claim touches; what it has claimed is as before."""
    plans: list[Any] = []

    def explain(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        if not sql.lstrip().startswith("WITH due"):
            return execute(sql, params, many, context)
        with transaction.atomic():
            execute("EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) " + sql, params, many, context)
            answer = context["cursor"].fetchone()[0]
            transaction.set_rollback(True)
        (document,) = answer if isinstance(answer, list) else json.loads(answer)
        plans.append(document["Plan"])
        return execute(sql, params, many, context)

    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute(f"SET LOCAL plan_cache_mode = {'force_generic_plan' if generic else 'auto'}")
        with connection.execute_wrapper(explain):
            assert len(claim()) == SHARE
        transaction.set_rollback(True)
    (plan,) = plans
    for node in nodes_of(plan):
        assert node["Node Type"] != "Seq Scan" or node["Relation Name"] != "records_record", node
    return plan["Shared Hit Blocks"] + plan["Shared Read Blocks"]


@pytest.mark.parametrize("limited", [False, True])
@pytest.mark.parametrize("generic", [False, True])
def test_claims_cost_what_they_take_whatever_is_finished_or_waits_in_a_paused_flow(
    million: dict[str, Tenant], limited: bool, generic: bool
) -> None:
    tenant = million["big"]
    fresh = publish(tenant, STRAIGHT_FLOW | {"name": "fresh"} | ({"limits": {"concurrency": DUE}} if limited else {}))
    paused = publish(tenant, STRAIGHT_FLOW | {"name": "paused"})
    change_status(tenant.caller, paused, "paused")
    if limited:
        tenant.workspace.api_host, tenant.workspace.concurrency = "big.example.com", DUE
        tenant.workspace.save()
    forget_limits()
    due_records(tenant, fresh, DUE)
    before = claim_blocks(lambda: claim_due("w", DUE), generic)
    due_records(tenant, paused, 100_000)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE records_record")
    after = claim_blocks(lambda: claim_due("w", DUE), generic)
    # Reading what waits in the paused flow would be a block or more for each of a hundred thousand.
    assert max(before, after) < 3_000
    tenant.workspace.api_host, tenant.workspace.concurrency = "", 0
