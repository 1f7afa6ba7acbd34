"""How many records run at once: of a flow, and in the workspaces of a host."""

import threading
from typing import Any

import pytest
from django.db import connections, transaction

from apps.accounts.models import Project, Workspace
from apps.flows import services as flows
from apps.records.claims import claim_due, claim_expired, give_back
from apps.records.execution import drain
from apps.records.limits import forget_limits, known_limits, take
from apps.records.models import Record, Status
from apps.records.services import create_records
from tests.conftest import STRAIGHT_FLOW, Tenant, build_tenant, publish
from tests.records.conftest import ADULT, insert, make_due

pytestmark = pytest.mark.django_db
at_once = pytest.mark.django_db(transaction=True)


def limited(tenant: Tenant, most: int, records: int = 10) -> Any:
    """A flow of which so many may run at once, with records that are due."""
    flow = publish(tenant, STRAIGHT_FLOW | {"limits": {"concurrency": most}}, "few")
    create_records(tenant.caller, [ADULT] * records, flow_name="few")
    forget_limits()
    return flow


def claimed_flows(batch: int = 20, **more: Any) -> list[str]:
    return sorted(row.flow_name for row in claim_due("a", batch, **more))


def on_host(host: str, most: int, *tenants: Tenant) -> None:
    Workspace.objects.filter(pk__in=[tenant.workspace.pk for tenant in tenants]).update(api_host=host, concurrency=most)
    forget_limits()


def test_a_flow_runs_no_more_records_than_it_allows(acme: Tenant) -> None:
    limited(acme, 3)
    create_records(acme.caller, [ADULT] * 4, flow_name="intake")
    first = claim_due("a", 20)
    assert sorted(row.flow_name for row in first) == ["few"] * 3 + ["intake"] * 4
    assert claimed_flows() == []
    give_back([row for row in first if row.flow_name == "few"][:2])
    assert claimed_flows() == ["few"] * 2


def test_all_its_records_run_in_the_end(acme: Tenant) -> None:
    limited(acme, 1, records=25)
    assert drain(60.0) == (25, False)
    assert set(Record.objects.values_list("status", flat=True)) == {Status.FINISHED}


def test_a_record_whose_worker_died_keeps_its_place(acme: Tenant) -> None:
    limited(acme, 1)
    (row,) = claim_due("dead", 20)
    make_due(Record.objects.get(pk=row.record_id))
    assert claimed_flows() == []
    assert [again.record_id for again in claim_expired("a")] == [row.record_id]
    assert claimed_flows() == []


def test_a_limit_that_is_lifted_holds_no_more(acme: Tenant) -> None:
    flow = limited(acme, 1)
    assert len(claimed_flows()) == 1
    flows.save_draft(acme.caller, flow, flows.format_source(STRAIGHT_FLOW))
    flows.change_status(acme.caller, flow, "public")
    forget_limits()
    assert len(claimed_flows()) == 9


@at_once
def test_workers_that_claim_at_once_keep_to_it(acme: Tenant) -> None:
    limited(acme, 5, records=60)
    create_records(acme.caller, [ADULT] * 60, flow_name="intake")
    most: list[int] = []

    def work() -> None:
        try:
            for _ in range(15):
                rows = claim_due("a", 8)
                running = Record.objects.filter(status=Status.PROCESSING, flow__name="few").count()
                most.append(running)
                if rows:
                    give_back(rows)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert max(most) <= 5
    assert max(most) > 0


@at_once
def test_a_claim_passes_over_what_another_one_is_counting(acme: Tenant) -> None:
    limited(acme, 5)
    insert(acme)
    holding, release = threading.Event(), threading.Event()

    def hold() -> None:
        try:
            with transaction.atomic():
                assert take(known_limits()).flows
                holding.set()
                release.wait(10)
        finally:
            connections.close_all()

    holder = threading.Thread(target=hold)
    holder.start()
    holding.wait(10)
    assert claimed_flows() == ["intake"]
    release.set()
    holder.join()
    assert claimed_flows() == ["few"] * 5


def test_workspaces_of_one_host_share_its_limit(acme: Tenant, rival: Tenant) -> None:
    third = build_tenant("third")
    third.flow = publish(third, STRAIGHT_FLOW)
    on_host("prod.example.com", 3, acme, rival)
    for tenant in (acme, rival, third):
        create_records(tenant.caller, [ADULT] * 5, flow_name="intake")
    seen = [row.workspace_id for row in claim_due("a", 20)]
    assert seen.count(third.workspace.pk) == 5
    assert len(seen) == 8
    assert claimed_flows() == []


def test_a_workspace_without_a_limit_counts_where_its_host_has_one(acme: Tenant, rival: Tenant) -> None:
    on_host("prod.example.com", 3, acme)
    on_host("prod.example.com", 0, rival)
    for tenant in (acme, rival):
        create_records(tenant.caller, [ADULT] * 5, flow_name="intake")
    assert len(claimed_flows()) == 3


def test_workspaces_of_the_designer_share_nothing(acme: Tenant, rival: Tenant) -> None:
    Workspace.objects.update(concurrency=0)
    on_host("", 2, acme)
    for tenant in (acme, rival):
        create_records(tenant.caller, [ADULT] * 5, flow_name="intake")
    seen = [row.workspace_id for row in claim_due("a", 20)]
    assert (seen.count(acme.workspace.pk), seen.count(rival.workspace.pk)) == (2, 5)


def test_both_limits_hold_together(acme: Tenant) -> None:
    limited(acme, 2)
    create_records(acme.caller, [ADULT] * 9, flow_name="intake")
    on_host("prod.example.com", 6, acme)
    seen: list[str] = []
    while rows := claim_due("a", 20):
        seen += [row.flow_name for row in rows]
    assert len(seen) == 6
    assert seen.count("few") <= 2


def test_what_a_paused_flow_left_behind_takes_no_place(acme: Tenant) -> None:
    on_host("prod.example.com", 1, acme)
    insert(acme)
    (row,) = claim_due("dead", 1)
    make_due(Record.objects.get(pk=row.record_id))
    publish(acme, STRAIGHT_FLOW, "second")
    insert(acme, flow="second")
    assert claimed_flows() == []
    flows.change_status(acme.caller, acme.flow, "paused")
    assert claimed_flows() == ["second"]


def test_a_share_counts_the_calls_that_are_under_way(acme: Tenant, settings: Any) -> None:
    settings.EXTERNAL_CALLS_PER_FLOW = 4
    create_records(acme.caller, [ADULT] * 20, flow_name="intake")
    assert len(claimed_flows(calls={acme.flow.pk: 3})) == 1
    assert claimed_flows(calls={acme.flow.pk: 4}) == []
    assert claimed_flows(calls={acme.flow.pk: 9}) == []
    assert len(claimed_flows(calls={acme.flow.pk + 1: 4})) == 4


def test_limits_cost_nothing_where_there_are_none(acme: Tenant, django_assert_num_queries: Any) -> None:
    insert(acme)
    claim_due("a", 10)
    with django_assert_num_queries(1):
        claim_due("a", 10)


def test_a_limit_of_another_project_is_its_own(acme: Tenant, rival: Tenant) -> None:
    project = Project.objects.create(organization=rival.organization, name="quiet")
    Workspace.objects.create(project=project, api_host="quiet.example.com", concurrency=1)
    create_records(acme.caller, [ADULT] * 5, flow_name="intake")
    assert len(claimed_flows()) == 5
